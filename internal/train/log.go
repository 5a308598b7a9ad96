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

	"github.com/groupvit/groupvit/internal/train/stepper"
	"github.com/groupvit/groupvit/internal/train/tensorboard"
)

// logs are the files that a run writes as it goes.
type logs struct {
	steps, measured *os.File
	board           *tensorboard.Writer
}

// openLogs opens them for a run that has done so many steps: what was written
// about later ones is cut off, because it is done again.
func openLogs(dir string, steps int) (*logs, error) {
	l := &logs{}
	var err error
	if l.steps, err = openLog(filepath.Join(dir, logFile), steps); err == nil {
		l.measured, err = openLog(filepath.Join(dir, measuredFile), steps)
	}
	if err == nil {
		l.board, err = tensorboard.Open(filepath.Join(dir, boardDir), steps)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *logs) close() {
	for _, f := range []*os.File{l.steps, l.measured} {
		if f != nil {
			f.Close()
		}
	}
	if l.board != nil {
		l.board.Close()
	}
}

// step writes a line about a step.
func (l *logs) step(entry line) error {
	err := appendJSON(l.steps, entry)
	if err == nil {
		err = l.board.Scalars(entry.Step, entry.scalars())
	}
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

// measure writes measurements by name.
func (l *logs) measure(step int, values map[string]float64) error {
	entry := map[string]float64{"step": float64(step)}
	scalars := map[string]float64{}
	for name, v := range values {
		entry[name], scalars["measured/"+name] = v, v
	}
	err := appendJSON(l.measured, entry)
	if err == nil {
		err = l.board.Scalars(step, scalars)
	}
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

func appendJSON(f *os.File, entry any) error {
	data, err := json.Marshal(entry)
	if err == nil {
		_, err = f.Write(append(data, '\n'))
	}
	return err
}

// openLog opens a file of JSON lines for appending, cut back to the lines of
// steps up to step.
func openLog(path string, step int) (*os.File, error) {
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
	Step      int     `json:"step"`
	Loss      float64 `json:"loss"`
	ImageText float64 `json:"loss_image_text"`
	Nouns     float64 `json:"loss_nouns"`
	// The losses of single patches and groups, and the share of labelled patches
	// that are named right, where the recipe has them.
	Explain         float64 `json:"loss_explain,omitempty"`
	Teach           float64 `json:"loss_teach,omitempty"`
	Dense           float64 `json:"loss_dense,omitempty"`
	DenseGroups     float64 `json:"loss_dense_groups,omitempty"`
	DenseAccuracy   float64 `json:"dense_accuracy,omitempty"`
	Chance          float64 `json:"chance_image_text"`
	Rate            float64 `json:"lr"`
	ImagesPerSecond float64 `json:"images_per_second"`
	GroupsUsed      float64 `json:"groups_used"`
	Entropy         float64 `json:"assignment_entropy"`
	Similarity      float64 `json:"group_similarity"`
	Agreement       float64 `json:"mask_agreement"`
	GradientNorm    float64 `json:"gradient_norm"`
	Skipped         int     `json:"skipped"`
	RollBacks       int     `json:"roll_backs"`
	// Collapse names the signs of collapse that show.
	Collapse string  `json:"collapse,omitempty"`
	Seconds  float64 `json:"seconds"`
}

func newLine(step int, metrics map[string]float64, rate float64) line {
	return line{
		Step: step, Loss: metrics[stepper.MetricLoss], ImageText: metrics[stepper.MetricImageText], Nouns: metrics[stepper.MetricNouns],
		Explain: metrics["loss_explain"], Teach: metrics["loss_teach"], Dense: metrics["loss_dense"],
		DenseGroups: metrics["loss_dense_groups"], DenseAccuracy: metrics["dense_accuracy"],
		Chance: metrics[metricChance], Rate: rate, GroupsUsed: metrics["groups_used"], Entropy: metrics["assignment_entropy"],
		Similarity: metrics["group_similarity"], Agreement: metrics["mask_agreement"], GradientNorm: metrics[stepper.MetricNorm],
	}
}

// scalars are the line's numbers under TensorBoard's tags.
func (l line) scalars() map[string]float64 {
	out := map[string]float64{
		"loss/total": l.Loss, "loss/image_text": l.ImageText, "loss/nouns": l.Nouns, "loss/chance_image_text": l.Chance,
		"groups/used": l.GroupsUsed, "groups/assignment_entropy": l.Entropy, "groups/similarity": l.Similarity,
		"groups/mask_agreement": l.Agreement, "run/lr": l.Rate, "run/images_per_second": l.ImagesPerSecond,
		"run/gradient_norm": l.GradientNorm, "run/skipped": float64(l.Skipped), "run/roll_backs": float64(l.RollBacks),
	}
	for tag, v := range map[string]float64{
		"loss/explain": l.Explain, "loss/teach": l.Teach, "loss/dense": l.Dense, "loss/dense_groups": l.DenseGroups,
		"patches/dense_accuracy": l.DenseAccuracy,
	} {
		if v != 0 {
			out[tag] = v
		}
	}
	return out
}

// clock measures pictures a second between log lines, without what is no
// training.
type clock struct {
	batch, step int
	last        time.Time
	paused      time.Duration
}

func newClock(step, batch int) *clock { return &clock{batch: batch, step: step, last: time.Now()} }

// lap returns the pictures a second since the last lap.
func (c *clock) lap(step int) float64 {
	now := time.Now()
	rate := float64((step-c.step)*c.batch) / max((now.Sub(c.last)-c.paused).Seconds(), 1e-9)
	c.step, c.last, c.paused = step, now, 0
	return rate
}

// pause leaves out the time until the returned function is called.
func (c *clock) pause() func() {
	start := time.Now()
	return func() { c.paused += time.Since(start) }
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
