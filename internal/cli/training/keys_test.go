package training

import (
	"testing"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Every flag that the table of settings names exists.
func TestTrainKeyFlags(t *testing.T) {
	cmd := NewTrainCommand(&command.Environment{})
	for _, k := range settings.Keys() {
		if k.Flag != "" && !globalFlags[k.Flag] && cmd.Flags().Lookup(k.Flag) == nil {
			t.Errorf("there is no --%s for %s", k.Flag, k.Name)
		}
	}
	for _, f := range settings.FlagsOfSeveral {
		if cmd.Flags().Lookup(f.Flag) == nil {
			t.Errorf("there is no --%s", f.Flag)
		}
	}
}
