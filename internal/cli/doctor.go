package cli

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cgroup"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/imaging"
)

// finding is one line of the doctor's report.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Says  string `json:"says"`
}

func newDoctorCommand(env *command.Environment) *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check that this machine and the model can work",
		Long:    "Check which engines exist here, that the model opens, and that it computes.",
		Example: "  groupvit doctor",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			healthy := true
			report := func(check string, err error, says string) error {
				f := finding{check, err == nil, says}
				mark := "ok"
				if err != nil {
					healthy, f.Says, mark = false, err.Error(), "FAILED"
				}
				if env.JSON {
					return env.Print(f)
				}
				_, err = fmt.Fprintf(env.Stdout, "%-8s %-9s %s\n", mark, check, f.Says)
				return err
			}
			if err := report("machine", nil, machine()); err != nil {
				return err
			}
			if err := report("limits", nil, machineLimits(cgroup.Read())); err != nil {
				return err
			}
			if err := report("engines", nil, strings.Join(engine.Available(), ", ")); err != nil {
				return err
			}
			vectors := fmt.Sprintf("%s; precisions %s", engine.Instructions(), strings.Join(computedPrecisions(), ", "))
			if note := engine.InstructionsNote(); note != "" {
				vectors += "; " + note
			}
			if err := report("vectors", nil, vectors); err != nil {
				return err
			}
			m, err := env.Open(cmd, model)
			if err != nil {
				return errors.Join(report("model", err, ""), errors.New("not everything works"))
			}
			defer m.Close()
			if err := report("model", nil, fmt.Sprintf("%s, %d parameters, engine %s", model, m.Summary().Parameters, m.Engine())); err != nil {
				return err
			}
			if text := precisionText(m.Precision()); text != "" {
				if err := report("precision", nil, text); err != nil {
					return err
				}
			}
			start := time.Now()
			_, err = m.EmbedImage(cmd.Context(), imaging.New(64, 48))
			if err := report("picture", err, fmt.Sprintf("encoded in %v", time.Since(start).Round(time.Millisecond))); err != nil {
				return err
			}
			start = time.Now()
			_, err = m.EmbedText(cmd.Context(), "a photo of a cat.")
			if err := report("text", err, fmt.Sprintf("encoded in %v", time.Since(start).Round(time.Millisecond))); err != nil {
				return err
			}
			if !healthy {
				return errors.New("not everything works")
			}
			return nil
		},
	}
	command.ModelFlag(cmd, &model)
	return cmd
}

// computedPrecisions are the precisions that the machine has, with a word where another one is faster and computes.
func computedPrecisions() []string {
	names := engine.Precisions()
	for i, name := range names {
		if computed := engine.Computed(name); computed != name {
			names[i] = fmt.Sprintf("%s (computed in %s, which is faster here)", name, computed)
		}
	}
	return names
}

// precisionText says what --precision auto chose for a model, and why; "" where nothing was chosen.
func precisionText(p groupvit.Precision) string {
	if !p.Chosen {
		return ""
	}
	text := "auto: " + p.Computed
	for _, name := range engine.Fastest() {
		if share, tried := p.Agreement[name]; tried {
			text += fmt.Sprintf("; %s labels at least %.3f %% of the pixels of each built-in photo as float32 does", name, 100*share)
		}
	}
	if p.Note != "" {
		text += "; " + p.Note
	}
	return text
}

// machine says what runs here.
func machine() string {
	return fmt.Sprintf("%s/%s, %s, GOMAXPROCS %d, %s", runtime.GOOS, runtime.GOARCH, command.Count(runtime.NumCPU(), "processor"), runtime.GOMAXPROCS(0), runtime.Version())
}

// machineLimits says how much of the machine may be used. Go takes the number of its
// threads (GOMAXPROCS) from the processor time of a control group by itself, and all
// threads here follow that.
func machineLimits(l cgroup.Limits) string {
	cpu, memory, collector := "no limit of processor time", "no limit of memory", "no GOMEMLIMIT"
	if l.CPUs > 0 {
		cpu = fmt.Sprintf("control group: processor time of %.4g processors", l.CPUs)
	}
	if l.Memory > 0 {
		memory = "control group: memory of " + humanize.IBytes(uint64(l.Memory))
	}
	if limit := memoryLimit(); limit > 0 {
		collector = "GOMEMLIMIT " + humanize.IBytes(uint64(limit))
	}
	return strings.Join([]string{cpu, memory, collector}, "; ")
}
