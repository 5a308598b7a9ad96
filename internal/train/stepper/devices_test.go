package stepper

import (
	"errors"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// Two devices give the losses, the gradients and the running statistics of one. On a
// machine with a GPU less, XLA's CPU plugin plays several devices with
// XLA_FLAGS=--xla_force_host_platform_device_count=2.
func TestDevicesShareAStep(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, backend compute.Backend) {
		if n := backend.NumDevices(); n < 2 {
			t.Skipf("the engine has %d device: that several give what one does cannot be tested here", n)
		}
		for name, changes := range map[string][]string{
			"paper":                               nil,
			"captions' soft targets, own prompts": {"data.nouns.distinct=false", "loss.soft_targets=equal"},
		} {
			t.Run(name, func(t *testing.T) {
				changes = append(changes, "batch=12", "optimizer.clip=0", "data.train="+traintest.Scenes(t, 24))
				one := stepsOf(t, backend, traintest.Load(t, changes...))
				compareSteps(t, one, stepsOf(t, backend, traintest.Load(t, append(changes, "devices=2")...)))
			})
		}
	})
}

// More devices than there are, and batches that they cannot share, are refused with
// what would help.
func TestDevicesThatAreNotThere(t *testing.T) {
	l := traintest.Load(t, "devices=2")
	_, err := New(enginetest.New(t, engine.Go, 1), l.Settings, network.Initialize(l.Settings.Model, 1))
	if !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "has 1 device") {
		t.Errorf("got %v", err)
	}
	for change, want := range map[string]string{
		"devices=-1": "must be 0", "devices=3": "make it a multiple", "devices=65": "to 64",
	} {
		key, value, _ := strings.Cut(change, "=")
		if _, err := settings.Load(traintest.Recipe(t, "smoke"), nil, []settings.Override{{Key: key, Value: value}}); !errors.Is(err, settings.ErrSettings) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
	_, err = settings.Load(traintest.Recipe(t, "smoke"), nil, []settings.Override{{Key: "devices", Value: "2"}, {Key: "micro_batch", Value: "4"}})
	if !errors.Is(err, settings.ErrSettings) || !strings.Contains(err.Error(), "micro_batch") {
		t.Errorf("in parts: %v", err)
	}
}
