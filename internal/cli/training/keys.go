package training

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/train/settings"
)

// keyFlags are flags for single settings, with OpenCLIP's names where it has them;
// see train.Keys.
type keyFlags struct {
	values   map[string]*string // by flag, of one key each
	keys     map[string]string  // by flag
	several  map[string]*string
	switches map[string]*bool
}

// Register adds the flags that are not there yet.
func (k *keyFlags) register(f *pflag.FlagSet) {
	k.values, k.keys = map[string]*string{}, map[string]string{}
	k.several, k.switches = map[string]*string{}, map[string]*bool{}
	for _, key := range settings.Keys() {
		if key.Flag == "" || f.Lookup(key.Flag) != nil || globalFlags[key.Flag] {
			continue
		}
		k.values[key.Flag], k.keys[key.Flag] = f.String(key.Flag, "", plain(key.Meaning)+" ("+key.Name+")"), key.Name
	}
	for _, s := range settings.FlagsOfSeveral {
		if s.Switch {
			k.switches[s.Flag] = f.Bool(s.Flag, false, plain(s.Meaning))
		} else {
			k.several[s.Flag] = f.String(s.Flag, "", plain(s.Meaning))
		}
	}
}

// plain takes the back quotes of Markdown out of a meaning: in a flag's help they mark
// the name of its value.
func plain(meaning string) string { return strings.ReplaceAll(meaning, "`", "") }

// globalFlags are those of all commands, which set keys too.
var globalFlags = map[string]bool{"engine": true, "threads": true, "precision": true}

// overrides are what the flags that were given say.
func (k *keyFlags) overrides(f *pflag.FlagSet) []settings.Override {
	var out []settings.Override
	f.Visit(func(flag *pflag.Flag) { // in the order of names
		if value, ok := k.values[flag.Name]; ok {
			out = append(out, settings.Override{Key: k.keys[flag.Name], Value: *value, Origin: "--" + flag.Name})
		}
		for _, s := range settings.FlagsOfSeveral {
			on := k.switches[flag.Name]
			if s.Flag != flag.Name || on != nil && !*on {
				continue
			}
			for _, set := range s.Sets {
				value := set.Value
				if text, ok := k.several[flag.Name]; ok {
					value = strings.ReplaceAll(value, "VALUE", *text)
				}
				out = append(out, settings.Override{Key: set.Key, Value: value, Origin: "--" + flag.Name})
			}
		}
	})
	return out
}
