package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/evaluate/speed"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
)

type benchFlags struct {
	compare, work, model, config, shape string
	imageSize, batch, threads, repeat   int
	seconds                             float64
	precisions                          []string
	roofline                            bool
}

func NewBenchCommand(env *command.Environment) *cobra.Command {
	f := &benchFlags{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast the engines run the network",
		Long: `bench measures milliseconds of a run and what share of the machine's arithmetic
they use: GFLOP/s counts matrix products and convolutions, two operations for
each multiply-add; "of SGEMM" is that rate over the rate of a float32 product of
1024×1024×1024 on as many threads, measured in the same run (with engine simd by
its own kernel, with others as a graph on that engine).

Work (--work, a list):

  image    the image tower for --batch pictures
  text     the text tower for --batch texts of the full context
  product  one matrix product of --shape MxKxN; in bf16 and int8 its right matrix
           is packed before, as a network's weights are, in float32 in each run
  train    a training step on --batch pictures, each with a caption and, where
           the network has the noun loss, three prompts; in float32 or bf16

Engines of --compare, and precisions of --precision where it names several
("float32,bf16,int8"), take turns, run by run; auto stands for the one that the
model of --model chooses. The network is the published one unless --model or
--config names another; its weights are drawn, which changes no time.

--roofline says instead where the time of a run goes (engine simd; image, text,
train): for each kind of step, and its shapes, how many there are, the time, FLOP,
bytes, and the share of the limit, which is the rate of the 1024³ product or that of
adding two arrays of 64 MiB, whichever a step meets first. Bytes are each step's
operands and results, once; more than 100 % is what caches do. With --json one object
for each work and precision, in a list:

  engine, precision, computed, work, image_size, batch, threads
  ms_median, ms, runs        of a run; the sum of each step's quickest of these runs
  sgemm_gflops, stream_gbs   the limits
  operations                 [{kind, count, ms, time_share, gflop, mb, gflops, gbs,
                             limit_share, bound, shapes: [the same by shape]}]`,
		Example: `  groupvit bench
  groupvit bench --compare simd,go --work image,text --threads 2 --json
  groupvit bench --precision float32,bf16
  groupvit bench --work product --shape 784x384x1536
  groupvit bench --work train --config recipes/photos.yaml --batch 48
  groupvit bench --roofline --image-size 448`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.compare, "compare", "", `engines that take turns, as "simd,go" (default: the one of --engine)`)
	flags.StringVar(&f.work, "work", "image", "what to measure: image, text, product or train")
	flags.IntVar(&f.imageSize, "image-size", 0, "side of the pictures (default: that of the network, 224 for the published one)")
	flags.IntVar(&f.batch, "batch", 1, "pictures or texts of a run")
	flags.IntVar(&f.threads, "threads", 1, "threads of one computation")
	flags.StringVar(&f.shape, "shape", "1024x1024x1024", "shape of the product: MxKxN")
	flags.StringVar(&f.model, "model", "", "measure the network of this model")
	flags.StringVar(&f.config, "config", "", "measure the network of a config.json or of a training recipe (.yaml)")
	flags.Float64Var(&f.seconds, "seconds", 2, "how long each piece of work is measured, at least three runs")
	flags.BoolVar(&f.roofline, "roofline", false, "say where the time goes, step by step, and how near each is to the machine's limits")
	flags.IntVar(&f.repeat, "repeat", 0, "number of runs, instead of --seconds")
	return cmd
}

func (f *benchFlags) run(cmd *cobra.Command, env *command.Environment) error {
	works, err := speed.ParseWork(f.work)
	if err != nil {
		return command.Usagef("--work: %w", err)
	}
	list := env.Engine.Precision
	env.Engine.Precision = engine.Float32 // of what else is opened
	engines, err := f.engines(env)
	if err != nil {
		return err
	}
	graphRounds := slices.Equal(works, []speed.Work{speed.Train}) &&
		!slices.ContainsFunc(engines, func(kind string) bool { return !strings.HasPrefix(kind, engine.XLA) })
	chosen, err := f.chosenPrecision(cmd, env, list)
	if err != nil {
		return err
	}
	if f.precisions, err = precisions(list, chosen, graphRounds); err != nil {
		return err
	}
	options, err := f.options(env)
	if err != nil {
		return err
	}
	net, err := f.network(cmd, env)
	if err != nil {
		return err
	}
	if f.roofline {
		return f.rooflines(cmd.Context(), env, works, engines, net, options)
	}
	results := []speed.Result{}
	for _, w := range works {
		cases, err := f.cases(w, engines, net)
		if err != nil {
			return err
		}
		measured, err := speed.Measure(cmd.Context(), cases, options)
		env.ClearLine()
		if err != nil {
			return benchError(err)
		}
		results = append(results, measured...)
	}
	if env.JSON {
		return env.Print(results)
	}
	return speed.WriteText(env.Stdout, results)
}

// benchError says what kind of error a measurement's is.
func benchError(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %w", err)
	case errors.Is(err, speed.ErrCase):
		return command.Usagef("%w", err)
	}
	return err
}

// engines are the kinds to measure, by name.
func (f *benchFlags) engines(env *command.Environment) ([]string, error) {
	list := []string{env.Engine.Kind}
	if f.compare != "" {
		if env.Engine.Kind != "" {
			return nil, command.Usagef("--engine and --compare both name engines: give one")
		}
		list = strings.Split(f.compare, ",")
	}
	var kinds []string
	for _, kind := range list {
		if kind = strings.TrimSpace(kind); kind == "" && f.compare == "" {
			kind = os.Getenv(engine.EnvKind)
		}
		if kind == "" || kind == engine.Auto {
			kind = engine.Available()[0]
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

func (f *benchFlags) options(env *command.Environment) (speed.Options, error) {
	if !(f.seconds > 0 && f.seconds <= 3600) {
		return speed.Options{}, command.Usagef("--seconds %g: it must be more than 0, at most 3600", f.seconds)
	}
	if f.repeat < 0 || f.repeat > 1_000_000 {
		return speed.Options{}, command.Usagef("--repeat %d: it must be 1 to 1,000,000, or 0 for --seconds", f.repeat)
	}
	o := speed.Options{Time: time.Duration(f.seconds * float64(time.Second)), Train: openTrainingStep}
	if f.repeat > 0 {
		o.Time, o.MinRuns, o.MaxRuns = 1, f.repeat, f.repeat
	}
	if env.Terminal {
		o.Progress = func(what string) { env.ClearLine(); fmt.Fprint(env.Stderr, what) }
	}
	return o, nil
}

// network is the one to measure.
func (f *benchFlags) network(cmd *cobra.Command, env *command.Environment) (network.Config, error) {
	switch {
	case f.model != "" && f.config != "":
		return network.Config{}, command.Usagef("--model and --config both name a network: give one")
	case f.model != "":
		m, err := env.Open(cmd, f.model)
		if err != nil {
			return network.Config{}, err
		}
		defer m.Close()
		text, err := m.Config()
		if err != nil {
			return network.Config{}, err
		}
		return network.ParseConfig(text)
	case f.config == "":
		return network.Default(), nil
	case strings.EqualFold(filepath.Ext(f.config), ".json"):
		text, err := readCapped(f.config, limits.ConfigBytes)
		if err != nil {
			return network.Config{}, fmt.Errorf("--config: %w", err)
		}
		c, err := network.ParseConfig(text)
		if err != nil {
			return c, fmt.Errorf("--config %s: %w", f.config, err)
		}
		return c, nil
	}
	loaded, err := settings.Load(f.config, os.Environ(), nil)
	if err != nil {
		return network.Config{}, fmt.Errorf("--config: %w", err)
	}
	return loaded.Settings.Model, nil
}

// chosenPrecision is what auto stands for in a list of precisions: what the model of
// --model chooses. Drawn weights have no masks to choose by: without --model auto is
// float32 from the environment, and wrong in a flag.
func (f *benchFlags) chosenPrecision(cmd *cobra.Command, env *command.Environment, list string) (string, error) {
	asked := cmp.Or(list, os.Getenv(engine.EnvPrecision))
	switch {
	case !slices.ContainsFunc(strings.Split(asked, ","), func(s string) bool { return strings.TrimSpace(s) == engine.AutoPrecision }):
		return "", nil
	case f.model == "" && list == "":
		return engine.Float32, nil
	case f.model == "":
		return "", command.Usagef("--precision %s: it is chosen by a model's masks: name the model with --model, or a precision (%s)", engine.AutoPrecision, strings.Join(engine.Precisions(), ", "))
	}
	env.Engine.Precision = engine.AutoPrecision
	defer func() { env.Engine.Precision = engine.Float32 }()
	m, err := env.Open(cmd, f.model)
	if err != nil {
		return "", err
	}
	defer m.Close()
	return m.Precision().Computed, nil
}

// precisions reads the list of --precision or of the environment; chosen stands for auto.
// Where the graph rounds, as xla's in training, there is bf16 whatever this machine's CPU has.
func precisions(list, chosen string, graphRounds bool) ([]string, error) {
	if list == "" {
		list = cmp.Or(os.Getenv(engine.EnvPrecision), engine.Float32)
	}
	known := engine.Precisions()
	if graphRounds {
		known = []string{engine.Float32, engine.BF16}
	}
	var names []string
	for _, name := range strings.Split(list, ",") {
		if name = strings.TrimSpace(name); name == engine.AutoPrecision {
			name = chosen
		}
		if !slices.Contains(known, name) {
			return nil, command.Usagef("--precision %q: this machine has %s", name, strings.Join(known, ", "))
		}
		names = append(names, name)
	}
	return names, nil
}

// cases are one for each engine and precision.
func (f *benchFlags) cases(w speed.Work, engines []string, net network.Config) ([]speed.Case, error) {
	shape, err := speed.ParseShape(f.shape)
	if err != nil {
		return nil, command.Usagef("--shape: %w", err)
	}
	size := f.imageSize
	if size == 0 {
		size = net.ImageSize
	}
	var cases []speed.Case
	for _, kind := range engines {
		for _, precision := range f.precisions {
			c := speed.Case{Engine: kind, Threads: f.threads, Precision: precision, Work: w, Network: net, ImageSize: size, Batch: f.batch, Shape: shape}
			if err := c.Validate(); err != nil {
				return nil, command.Usagef("%w", err)
			}
			cases = append(cases, c)
		}
	}
	return cases, nil
}

// readCapped reads a file of at most limit bytes.
func readCapped(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	return b, limits.Check("size in bytes", path, int64(len(b)), limit, "is it the right file?")
}
