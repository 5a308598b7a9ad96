package train

import (
	"bytes"
	"context"
	"testing"

	"github.com/groupvit/groupvit/internal/train/stepper"
)

// watched runs and records the loss of every step.
func watched(t *testing.T, ctx context.Context, o Options) ([]float64, *Result, error) {
	t.Helper()
	var losses []float64
	after := o.afterStep
	o.afterStep = func(step int, metrics map[string]float64) {
		losses = append(losses, metrics[stepper.MetricLoss])
		if after != nil {
			after(step, metrics)
		}
	}
	if o.Progress == nil {
		o.Progress = new(bytes.Buffer)
	}
	result, err := Run(ctx, o)
	return losses, result, err
}
