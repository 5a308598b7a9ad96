package settings

import (
	"errors"
	"strings"
	"testing"
)

// Settings that cannot be are refused with the key and what mends them.
func TestBadStepSettings(t *testing.T) {
	for _, c := range []struct{ change, want string }{
		{"micro_batch: -1", "micro_batch"},
		{"loss: {kind: hinge}", "loss.kind"}, {"loss: {kind: sigmoid}", "logit_bias"},
		{"loss: {soft_targets: all}", "loss.soft_targets"}, {"loss: {soft_weight: 2}", "loss.soft_weight"},
		{"loss: {nouns_weight: -1}", "loss.nouns_weight"}, {"optimizer: {ema: 1}", "optimizer.ema"},
		{"optimizer: {freeze: [nothing]}", "matches none"}, {"optimizer: {freeze: ['[']}", "optimizer.freeze"},
		{"optimizer: {freeze: ['*']}", "nothing is left"}, {"schedule: {name: step}", "schedule.name"},
		{"data: {train_num_samples: -1}", "data.train_num_samples"},
	} {
		_, err := Load(write(t, map[string]string{"r.yaml": c.change + "\n"}), nil, nil)
		if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an ErrSettings with %q", c.change, err, c.want)
		}
	}
	_, err := Load("../../../recipes/photos.yaml", nil, []Override{{"micro_batch", "16", "--micro-batch"}})
	if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), "BatchNorm") {
		t.Errorf("a stem with BatchNorm in parts: %v", err)
	}
}
