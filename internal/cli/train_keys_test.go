package cli

import (
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/train"
)

// Every flag that the table of settings names exists, and sets its key.
func TestTrainKeyFlags(t *testing.T) {
	cmd := newTrainCommand(&environment{})
	for _, k := range train.Keys() {
		if k.Flag != "" && !globalFlags[k.Flag] && cmd.Flags().Lookup(k.Flag) == nil {
			t.Errorf("there is no --%s for %s", k.Flag, k.Name)
		}
	}
	for _, f := range train.FlagsOfSeveral {
		if cmd.Flags().Lookup(f.Flag) == nil {
			t.Errorf("there is no --%s", f.Flag)
		}
	}
	code, out, said := runTraining("config", "show", "--lr", "1e-3", "--wd", "0.2", "--grad-clip-norm", "1", "--beta2", "0.98", "--warmup", "9",
		"--batch-size", "64", "--micro-batch", "16", "--siglip", "--lock-text", "--ema", "0.99", "--image-mean", "[0.5, 0.5, 0.5]",
		"--lr-scheduler", "const", "--train-num-samples", "1000")
	for _, want := range []string{
		"learning_rate: 0.001 # --lr", "weight_decay: 0.2 # --wd", "clip: 1 # --grad-clip-norm", "[0.9, 0.98]", "warmup_steps: 9 # --warmup",
		"warmup_epochs: 0 # --warmup", "batch: 64 # --batch-size", "micro_batch: 16 # --micro-batch", "kind: sigmoid # --siglip",
		"[text_model.*, text_projection.*]", "ema: 0.99 # --ema", "[0.5, 0.5, 0.5]", "name: const # --lr-scheduler",
		"train_num_samples: 1000 # --train-num-samples",
	} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("code %d, no %q in\n%s%s", code, want, out, said)
		}
	}
}
