// Package traintest has what the tests of training and of its rooms share: scenes
// to learn from and recipes with changes.
package traintest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Scenes draws a few scenes and returns their folder.
func Scenes(t testing.TB, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scenes")
	if err := synth.Write(context.Background(), dir, synth.DataOptions{Scenes: n, Seed: 5, Shards: true, Labels: true}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Load reads the smoke recipe with changes "key=value".
func Load(t testing.TB, changes ...string) *settings.Loaded {
	t.Helper()
	return LoadRecipe(t, "smoke", changes...)
}

// LoadRecipe reads a recipe of the repository, by its name, with changes
// "key=value".
func LoadRecipe(t testing.TB, recipe string, changes ...string) *settings.Loaded {
	t.Helper()
	var overrides []settings.Override
	for _, c := range changes {
		key, value, _ := strings.Cut(c, "=")
		overrides = append(overrides, settings.Override{Key: key, Value: value, Origin: "test"})
	}
	l, err := settings.Load(Recipe(t, recipe), nil, overrides)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Recipe is the file of a recipe of the repository, from a test's folder.
func Recipe(t testing.TB, name string) string {
	t.Helper()
	dir := "recipes"
	for range 5 {
		file := filepath.Join(dir, name+".yaml")
		if _, err := os.Stat(file); err == nil {
			return file
		}
		dir = filepath.Join("..", dir)
	}
	t.Fatalf("no recipe %s above the test's folder", name)
	return ""
}

// LoaderOptions are what the loader of a run with these settings is opened with.
func LoaderOptions(t testing.TB, s settings.Settings) pairs.Options {
	t.Helper()
	o, err := s.LoaderOptions()
	if err != nil {
		t.Fatal(err)
	}
	return o
}
