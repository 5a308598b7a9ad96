package stepper

import (
	"fmt"
	"path/filepath"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/weights"
)

const OptimizerFile = "optimizer.safetensors"

// SaveOptimizer writes what a model directory lacks of the stepper's state.
func (t *Stepper) SaveOptimizer(dir string) error {
	out := map[string]weights.Tensor{}
	for _, s := range t.stateTensors() {
		values, err := t.read(s.path)
		if err != nil {
			return err
		}
		out[s.name] = weights.Tensor{Shape: s.shape, Floats: values}
	}
	return weights.WriteTensors(filepath.Join(dir, OptimizerFile), out)
}

// LoadOptimizer reads what saveOptimizer wrote.
func (t *Stepper) LoadOptimizer(dir string) error {
	saved, err := weights.ReadTensors(filepath.Join(dir, OptimizerFile))
	if err != nil {
		return err
	}
	for _, s := range t.stateTensors() {
		x, ok := saved[s.name]
		if !ok || len(x.Floats) != Elements(s.shape) {
			return fmt.Errorf("%w: %s: tensor %q has %d values, expected shape %v", weights.ErrWeights, OptimizerFile, s.name, len(x.Floats), s.shape)
		}
		if err := t.store.GetVariable(s.path).SetValue(tensors.FromFlatDataAndDimensions(x.Floats, s.shape...)); err != nil {
			return err
		}
	}
	return nil
}
