package measure

import (
	"cmp"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/evaluate/speed"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/stepper"
)

// openTrainingStep makes a job of training steps on one drawn batch: the very
// step of the training loop, without loading data.
func openTrainingStep(backend compute.Backend, c speed.Case) (*speed.Job, error) {
	s := settings.Default()
	s.Model, s.Batch, s.Precision = c.Network, c.Batch, cmp.Or(c.Precision, s.Precision)
	stepper, err := stepper.New(backend, s, network.Initialize(c.Network, 0))
	if err != nil {
		return nil, err
	}
	batch, step := drawnBatch(c), 0
	return &speed.Job{
		Run: func() error {
			step++
			_, _, err := stepper.Step(batch, step, 1e-6)
			return err
		},
		Close: stepper.Close,
	}, nil
}

// drawnBatch is a batch of noise: what it holds changes no time.
func drawnBatch(c speed.Case) *pairs.Batch {
	b, t, n := c.Batch, c.Network.Text, c.Prompts()
	batch := &pairs.Batch{
		Size: b, ImageSize: c.ImageSize, Context: t.Context, U: b * n,
		Pixels: speed.Noise(b * 3 * c.ImageSize * c.ImageSize), Captions: speed.Words(b, t.Context, t.Vocabulary),
		CaptionWeight: ones(b),
	}
	if batch.U > 0 {
		batch.Prompts = speed.Words(batch.U, t.Context, t.Vocabulary)
		batch.Targets, batch.Known = make([]float32, b*batch.U), ones(b*batch.U)
		for u := range batch.U {
			batch.Targets[u/n*batch.U+u] = 1
		}
	}
	return batch
}

func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}
