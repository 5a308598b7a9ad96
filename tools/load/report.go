package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is what was measured; times are in milliseconds, memory in MiB.
type report struct {
	Program  string    `json:"program"`
	Machine  string    `json:"machine"`
	Command  string    `json:"command"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"`
	Capacity float64   `json:"capacity_per_second"`
	// Alone is a tenth of the capacity, Full so many times it, for Lasted seconds.
	Alone       summary  `json:"alone"`
	Full        summary  `json:"full"`
	Lasted      float64  `json:"lasted_s"`
	Interrupted bool     `json:"interrupted"`
	Connections int      `json:"connections"`
	Minutes     []minute `json:"minutes"`
	Memory      memory   `json:"memory"`
	Guests      []visits `json:"guests"`
	Ending      ends     `json:"ending"`
	Missed      []string `json:"missed"`

	o settings
}

func newReport(o settings) *report {
	r := &report{o: o, Started: time.Now().UTC().Truncate(time.Second), Command: "load " + strings.Join(os.Args[1:], " "), Missed: []string{}}
	version, _ := exec.Command(o.binary, "version").Output()
	r.Program, _, _ = strings.Cut(string(version), "\n")
	r.Machine = fmt.Sprintf("%s, %d of its threads usable here", processor(), runtime.NumCPU())
	return r
}

// processor is its name (Linux).
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func (r *report) tell(format string, args ...any) {
	fmt.Printf("%s  "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// miss notes a bar that was missed.
func (r *report) miss(format string, args ...any) {
	r.Missed = append(r.Missed, fmt.Sprintf(format, args...))
}

// write writes both forms, each whole or not at all.
func (r *report) write() error {
	if r.o.report == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	for ending, data := range map[string][]byte{".json": append(b, '\n'), ".md": r.markdown()} {
		name := r.o.report + ending
		if err := os.WriteFile(name+".tmp", data, 0o666); err != nil {
			return err
		}
		if err := os.Rename(name+".tmp", name); err != nil {
			return err
		}
	}
	return nil
}

// markdown is the report as a section of a page.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s, %s, %s:\n\n    %s\n", r.Program, r.Machine, r.Started.Format("2006-01-02 15:04 MST"), r.Command)
	if r.Interrupted || r.Ended.IsZero() {
		line("Not whole: it was stopped after %v of overload.\n", seconds(r.Lasted).Round(time.Second))
	}
	line("| | answers a second | half within | 99 of 100 within | refused |\n|---|---|---|---|---|")
	line("| a tenth of the capacity (%.1f a second) | %.1f | %.1f ms | %.1f ms | %d |", r.Capacity, r.Capacity/10, r.Alone.P50, r.Alone.P99, r.Alone.Refused)
	line("| %g times the capacity, %v, %d connections beside | %.1f | %.1f ms | %.1f ms | %d of %d |\n", r.o.factor, seconds(r.Lasted).Round(time.Second), r.Connections,
		float64(r.Full.Answered)/max(r.Lasted, 1), r.Full.P50, r.Full.P99, r.Full.Refused, r.Full.Answered+r.Full.Refused+r.Full.Failed)
	line("Memory: %v.\n", &r.Memory)
	for _, g := range r.Guests {
		line("- Clients that %s: %d, of which %d were treated otherwise than they should.", g.Kind, g.Came, g.Wrong)
	}
	line("\nAt its end: %v.\n", r.Ending)
	if len(r.Minutes) > 0 {
		line("| minute | answered | refused | half within, ms | 99 of 100 within, ms | memory, MiB | connections |\n|---|---|---|---|---|---|---|")
		for _, m := range r.Minutes {
			line("| %d | %d | %d | %.1f | %.1f | %.0f | %d |", m.Minute, m.Answered, m.Refused, m.P50, m.P99, m.RSS, m.Connections)
		}
		line("")
	}
	for _, m := range r.Missed {
		line("Missed: %s", m)
	}
	return b.Bytes()
}
