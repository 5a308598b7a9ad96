package stepper

import (
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// BenchmarkParts compares a step of the published network on a batch of 32 in
// parts of 8 with what accumulation costs: four steps of 8.
func BenchmarkParts(b *testing.B) {
	for _, name := range []string{"accumulation", "parts"} {
		b.Run(name, func(b *testing.B) {
			s := settings.Default()
			s.Batch, s.MicroBatch = 32, 8
			calls := 1
			if name == "accumulation" {
				s.Batch, s.MicroBatch, calls = 8, 0, 4
			}
			stepper, err := New(enginetest.New(b, engine.Auto, 0), s, network.Initialize(s.Model, 1))
			if err != nil {
				b.Fatal(err)
			}
			defer stepper.Close()
			batch := formulaOf(s.Model, s.Batch)
			step := func() {
				for range calls {
					if _, ok, err := stepper.Step(batch, 0, 0); err != nil || !ok {
						b.Fatal(ok, err)
					}
				}
			}
			step()
			for b.Loop() {
				step()
			}
		})
	}
}

// formulaOf is a batch of size pictures with three prompts each.
func formulaOf(c network.Config, size int) *pairs.Batch {
	b := &pairs.Batch{Size: size, ImageSize: c.ImageSize, Context: c.Text.Context, U: 3 * size}
	for j := range uint32(size * 3 * c.ImageSize * c.ImageSize) {
		b.Pixels = append(b.Pixels, float32(4*formulaNumber(7, j)))
	}
	for i := range uint32(4 * size) {
		text := make([]int32, c.Text.Context)
		words := 1 + i%8
		for j := range words {
			text[1+j] = 1 + int32((formulaNumber(300000+i, j)+0.5)*float64(c.Text.Vocabulary-4))
		}
		text[0], text[1+words] = int32(c.Text.Vocabulary-2), int32(c.Text.Vocabulary-1)
		if i < uint32(size) {
			b.Captions, b.CaptionWeight = append(b.Captions, text...), append(b.CaptionWeight, 1)
		} else {
			b.Prompts = append(b.Prompts, text...)
		}
	}
	b.Targets, b.Known = make([]float32, size*b.U), make([]float32, size*b.U)
	for i := range b.Known {
		b.Known[i] = 1
	}
	for u := range b.U {
		b.Targets[u/3*b.U+u] = 1
	}
	return b
}

// BenchmarkPrecision is a step of the published network on a batch of 8.
func BenchmarkPrecision(b *testing.B) {
	for _, precision := range engine.Precisions() {
		if precision == engine.Int8 {
			continue
		}
		b.Run(precision, func(b *testing.B) {
			backend, err := engine.New(engine.Options{Precision: precision, Training: true})
			if err != nil {
				b.Fatal(err)
			}
			defer backend.Finalize()
			s := settings.Default()
			s.Batch = 8
			stepper, err := New(backend, s, network.Initialize(s.Model, 1))
			if err != nil {
				b.Fatal(err)
			}
			defer stepper.Close()
			batch := formulaOf(s.Model, s.Batch)
			step := func() {
				if _, ok, err := stepper.Step(batch, 0, 0); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
			step()
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(s.Batch*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
