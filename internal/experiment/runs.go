package experiment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/groupvit/groupvit/internal/parallel"
	"github.com/groupvit/groupvit/internal/train"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// trained is one run of training: a variation's model with a seed.
type trained struct {
	settings *settings.Loaded
	// key is made of all that decides the weights; dir is the run's folder.
	key, dir string
}

// plan is the run of a variation with a seed.
func (b *session) plan(v *Variation, seed uint64) (*trained, error) {
	base := b.scale.Base
	if other := byScale(v.Base, b.Scale); other != "" {
		base = other
	}
	var overrides []settings.Override
	for _, set := range []map[string]string{b.scale.Set, v.Set, byScale(v.Sets, b.Scale)} {
		for _, key := range slices.Sorted(maps.Keys(set)) {
			overrides = append(overrides, settings.Override{Key: key, Value: set[key], Origin: "experiment " + b.Name})
		}
	}
	fixed := [][2]string{
		{"seed", strconv.FormatUint(seed, 10)}, {"data.train", b.Train},
		{"engine", b.Engine}, {"threads", strconv.Itoa(b.Threads)},
	}
	if b.Engine == "" {
		fixed[2][1] = "auto"
	}
	if b.scale.Steps > 0 {
		fixed = append(fixed, [2]string{"steps", strconv.Itoa(b.scale.Steps)})
	}
	for _, f := range fixed {
		overrides = append(overrides, settings.Override{Key: f[0], Value: f[1], Origin: "experiment " + b.Name})
	}
	l, err := settings.Load(filepath.Join(b.recipes, base), nil, overrides)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.Name, err)
	}
	t := &trained{settings: l, key: b.key(l)}
	name := fmt.Sprintf("%s-seed%d-%s", strings.TrimSuffix(base, ".yaml"), seed, t.key)
	t.dir = filepath.Join(b.Output, "runs", name)
	return t, nil
}

// byScale is the entry of a scale; tiny has small's where it has none of its own.
func byScale[T any](m map[string]T, scale string) T {
	if v, ok := m[scale]; ok || scale != Tiny {
		return v
	}
	return m[Small]
}

// key hashes the settings that decide a run's weights, and its data.
func (b *session) key(l *settings.Loaded) string {
	h := sha256.New()
	for _, v := range l.Values() {
		switch {
		case v.Key == "name" || v.Key == "engine" || v.Key == "threads" || v.Key == "data.train":
		case strings.HasPrefix(v.Key, "output.") || strings.HasPrefix(v.Key, "measure."):
		default:
			value, _ := json.Marshal(v.Value)
			fmt.Fprintf(h, "%s=%s\n", v.Key, value)
		}
	}
	fmt.Fprintf(h, "data %s\n", b.data)
	return hex.EncodeToString(h.Sum(nil))[:10]
}

// model is the trained model's folder.
func (t *trained) model() string { return filepath.Join(t.dir, "final") }

func (t *trained) done() bool {
	_, err := os.Stat(t.model())
	return err == nil
}

// seconds is how long training took, by the log's last line.
func (t *trained) seconds() float64 {
	content, err := os.ReadFile(filepath.Join(t.dir, "log.jsonl"))
	if err != nil {
		return 0
	}
	lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	var last struct{ Seconds float64 }
	_ = json.Unmarshal(lines[len(lines)-1], &last)
	return last.Seconds
}

// trainAll trains what is not trained yet, several at a time.
func (b *session) trainAll(ctx context.Context, runs []*trained) error {
	var left []*trained
	seen := map[string]bool{}
	for _, r := range runs {
		if !seen[r.dir] && !r.done() {
			left = append(left, r)
		}
		seen[r.dir] = true
	}
	if len(left) == 0 {
		return nil
	}
	b.say("%s: %d models to train, %d are there", b.Name, len(left), len(seen)-len(left))
	began, finished := time.Now(), 0
	var mutex sync.Mutex
	err := parallel.For(ctx, len(left), b.Parallel, func(ctx context.Context, i int) error {
		r := left[i]
		name := filepath.Base(r.dir)
		to := &prefixed{to: b.Progress, prefix: name + ": ", mutex: &mutex}
		_, err := train.Run(ctx, train.Options{Loaded: r.settings, Output: r.dir, Resume: true, Progress: to})
		if err != nil {
			return fmt.Errorf("%s: %w", r.dir, err)
		}
		mutex.Lock()
		defer mutex.Unlock()
		finished++
		rest := time.Since(began) / time.Duration(finished) * time.Duration(len(left)-finished)
		b.say("%s: %d of %d models trained, about %s to go", b.Name, finished, len(left), rest.Round(time.Second))
		return nil
	})
	return b.stopped(ctx, err)
}

// prefixed names the run in each line that it says.
type prefixed struct {
	to     io.Writer
	prefix string
	mutex  *sync.Mutex
	rest   []byte
}

func (p *prefixed) Write(text []byte) (int, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.rest = append(p.rest, text...)
	for {
		end := bytes.IndexByte(p.rest, '\n')
		if end < 0 {
			return len(text), nil
		}
		if _, err := fmt.Fprintf(p.to, "%s%s\n", p.prefix, p.rest[:end]); err != nil {
			return 0, err
		}
		p.rest = p.rest[end+1:]
	}
}
