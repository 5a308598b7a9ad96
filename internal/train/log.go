package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// openLog opens DIR/log.jsonl for appending, cut back to the lines of steps up
// to step: what a run wrote after its last checkpoint is done again.
func openLog(dir string, step int) (*os.File, error) {
	path := filepath.Join(dir, logFile)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	keep := 0
	lines := bufio.NewReader(bytes.NewReader(old))
	for {
		line, err := lines.ReadBytes('\n')
		var entry struct {
			Step *int `json:"step"`
		}
		if err != nil || json.Unmarshal(line, &entry) != nil || entry.Step == nil || *entry.Step > step {
			break
		}
		keep += len(line)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	err = f.Truncate(int64(keep))
	if err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// line is one object of log.jsonl. Its metrics are those of the step itself, not
// means, so that a continued run logs the same numbers.
type line struct {
	Step            int     `json:"step"`
	Loss            float64 `json:"loss"`
	ImageText       float64 `json:"loss_image_text"`
	Nouns           float64 `json:"loss_nouns"`
	Rate            float64 `json:"lr"`
	ImagesPerSecond float64 `json:"images_per_second"`
	GroupsUsed      float64 `json:"groups_used"`
	Entropy         float64 `json:"assignment_entropy"`
	GradientNorm    float64 `json:"gradient_norm"`
	Skipped         int     `json:"skipped"`
	Seconds         float64 `json:"seconds"`
}

func newLine(step int, metrics map[string]float64, rate float64) line {
	return line{
		Step: step, Loss: metrics[metricLoss], ImageText: metrics[metricImageText], Nouns: metrics[metricNouns],
		Rate: rate, GroupsUsed: metrics["groups_used"], Entropy: metrics["assignment_entropy"], GradientNorm: metrics[metricNorm],
	}
}

// progress tells a person how far a run is: a bar on a terminal, else a line now
// and then.
type progress struct {
	to    io.Writer
	bar   *progressbar.ProgressBar
	total int
	last  time.Time
}

// plainEvery is the time between lines where there is no terminal.
const plainEvery = 15 * time.Second

func newProgress(to io.Writer, terminal bool, total, done int) *progress {
	p := &progress{to: to, total: total}
	if terminal {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(to), progressbar.OptionThrottle(200*time.Millisecond),
			progressbar.OptionSetPredictTime(false), progressbar.OptionShowCount(), progressbar.OptionSetWidth(20),
			progressbar.OptionUseANSICodes(true))
		_ = p.bar.Set(done)
	}
	return p
}

// show reports a finished step. left is the time that the rest will take.
func (p *progress) show(l line, left time.Duration) {
	text := fmt.Sprintf("loss %.3f, %.0f images/s, %s left", l.Loss, l.ImagesPerSecond, short(left))
	if p.bar != nil {
		p.bar.Describe(text)
		_ = p.bar.Set(l.Step)
		return
	}
	if time.Since(p.last) >= plainEvery || l.Step == p.total {
		p.last = time.Now()
		fmt.Fprintf(p.to, "step %d of %d: %s\n", l.Step, p.total, text)
	}
}

// say prints a line of its own.
func (p *progress) say(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.to, format+"\n", args...)
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		fmt.Fprintln(p.to)
	}
}

// short is a duration in its two largest units.
func short(d time.Duration) string {
	text := d.Round(time.Second).String()
	if d >= time.Hour {
		text = strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return text
}
