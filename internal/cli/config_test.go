package cli

import (
	"strings"
	"testing"
)

// A flag of a setting sets its key, and says so.
func TestTrainKeysShown(t *testing.T) {
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
