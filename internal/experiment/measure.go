package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/synth"
)

// measured is what is kept of one measurement.
type measured struct {
	// Question is made of all that decides the numbers.
	Question string              `json:"question"`
	MIoU     float64             `json:"mIoU"`
	PerClass map[string]*float64 `json:"per_class"`
	Images   int                 `json:"images"`
	Protocol string              `json:"protocol"`
}

// cell is one number of a table.
type cell struct {
	variation *Variation
	seed      uint64
	run       *trained
	result    measured
}

// measureAll measures what is not measured yet.
func (b *session) measureAll(ctx context.Context, cells []*cell) error {
	dir := filepath.Join(b.folder, "measured")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	// Training with masks is one at a time with all threads; so is the rest, whose
	// photos are shared among the processors.
	for i, c := range cells {
		path := filepath.Join(dir, fmt.Sprintf("%s-seed%d.json", slug(c.variation.Name), c.seed))
		question := b.question(c)
		if content, err := os.ReadFile(path); err == nil && json.Unmarshal(content, &c.result) == nil && c.result.Question == question {
			continue
		}
		r, err := b.measure(ctx, c)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: the same command goes on in %s: %w", b.Output, context.Cause(ctx))
		}
		if err != nil {
			return fmt.Errorf("%s, seed %d: %w", c.variation.Name, c.seed, err)
		}
		c.result = measured{Question: question, PerClass: r.PerClass, Images: r.Images, Protocol: r.Protocol}
		if r.MIoU != nil {
			c.result.MIoU = *r.MIoU
		}
		content, err := json.MarshalIndent(c.result, "", "  ")
		if err == nil {
			err = writeFile(path, append(content, '\n'))
		}
		if err != nil {
			return err
		}
		b.say("%s: %d of %d measured: %s, seed %d: mIoU %.2f", b.Name, i+1, len(cells), c.variation.Name, c.seed, c.result.MIoU)
	}
	return nil
}

func (b *session) question(c *cell) string {
	q := fmt.Sprintf("model %s, %s, %d clusters, %s %s of %d photos, protocol %s, short side %d",
		c.run.key, c.variation.Method, c.variation.Clusters, b.Dataset, b.photos, len(b.set.Samples), b.scale.Protocol, b.scale.ShortSide)
	if c.variation.Method == methodFineTune {
		q += fmt.Sprintf(", %+v, random %v", b.scale.FineTune, c.variation.Random)
	}
	return q
}

// slug makes a file's name of words.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
}

func (b *session) measure(ctx context.Context, c *cell) (*evaluate.Report, error) {
	switch c.variation.Method {
	case methodZeroShot:
		return b.zeroShot(ctx, c)
	case methodFineTune:
		return b.fineTune(ctx, c)
	}
	return b.clusters(ctx, c)
}

func (b *session) zeroShot(ctx context.Context, c *cell) (*evaluate.Report, error) {
	m, err := b.open(ctx, c.run.model())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{Protocol: groupvit.Protocol(b.scale.Protocol), ShortSide: b.scale.ShortSide, Quality: groupvit.Fast}}
	if o.Protocol.NeedsGroups() && !m.HasGroups() {
		o.Protocol = groupvit.Best // paper's needs groups
	}
	p, err := evaluate.NewModelPredictor(m, b.set, o, b.Threads)
	if err != nil {
		return nil, err
	}
	return evaluate.Segmentation(ctx, b.set, p, evaluate.Options{})
}

func (b *session) open(ctx context.Context, name string) (*groupvit.Model, error) {
	return groupvit.Open(ctx, name, &groupvit.Options{Engine: b.Engine, Threads: b.Threads})
}

// words are the vectors of the data set's classes, as a model's own prompts make
// them, in the order of the classes.
func (b *session) words(ctx context.Context, model string) ([][]float32, error) {
	m, err := b.open(ctx, model)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	vectors, _, err := m.ClassVectors(ctx, b.set.Names(), "")
	return vectors, err
}

func (b *session) clusters(ctx context.Context, c *cell) (*evaluate.Report, error) {
	words, err := b.words(ctx, c.run.model())
	if err != nil {
		return nil, err
	}
	e, err := openEncoder(c.run.model(), b.Engine, b.Threads, b.scale.ShortSide)
	if err != nil {
		return nil, err
	}
	defer e.close()
	p := &clustering{encoder: e, method: c.variation.Method, clusters: c.variation.Clusters, seed: c.seed, words: words, background: b.set.Background}
	return evaluate.Segmentation(ctx, b.set, p, evaluate.Options{})
}

func (b *session) fineTune(ctx context.Context, c *cell) (*evaluate.Report, error) {
	d, err := b.withMasks(ctx)
	if err != nil {
		return nil, err
	}
	w, err := openWeights(c.run.model())
	if err != nil {
		return nil, err
	}
	backend, err := trainingEngine(b.Engine, b.Threads*b.Parallel)
	if err != nil {
		return nil, err
	}
	defer backend.Finalize()
	f := newSupervised(w, c.run.settings.Settings, b.scale.FineTune, len(b.set.Classes), c.seed, c.variation.Random, backend)
	defer f.close()
	err = f.train(ctx, d, func(step int, loss float64) {
		if step%100 == 0 || step == b.scale.FineTune.Steps {
			b.say("%s, seed %d: step %d of %d, loss %.3f", c.variation.Name, c.seed, step, b.scale.FineTune.Steps, loss)
		}
	})
	if err == nil {
		err = f.ready()
	}
	if err != nil {
		return nil, err
	}
	return evaluate.Segmentation(ctx, b.set, f, evaluate.Options{})
}

// withMasks is the training set with masks: the training scenes drawn again, or the
// list "train" of the segmentation set.
func (b *session) withMasks(ctx context.Context) (*bench.Dataset, error) {
	if b.scale.Scenes == 0 {
		return bench.Open(b.Dataset, b.Eval, bench.Options{Split: "train", Limit: b.scale.FineTune.Pictures})
	}
	n := b.scale.FineTune.Pictures
	if n == 0 {
		n = b.scale.Scenes
	}
	dir := filepath.Join(b.scenes(), fmt.Sprintf("masks-%d", n))
	if err := b.draw(ctx, dir, synth.DataOptions{Scenes: n, Seed: sceneSeed, VOC: true}); err != nil {
		return nil, err
	}
	return bench.Open("scenes", dir, bench.Options{})
}
