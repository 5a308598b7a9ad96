package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every recipe of the repository loads, and what it writes gives the same
// settings again.
func TestRecipes(t *testing.T) {
	files, err := filepath.Glob("../../../recipes/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d recipes, %v", len(files), err)
	}
	for _, file := range files {
		passes, err := Passes(file)
		if filepath.Base(file) == "vocabulary.yaml" || len(passes) > 0 {
			continue // TestPassesOfDefault
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			if err != nil {
				t.Fatal(err)
			}
			l, err := Load(file, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSuffix(filepath.Base(file), ".yaml"); l.Settings.Name != want {
				t.Errorf("its name is %q", l.Settings.Name)
			}
			for _, origins := range []bool{false, true} {
				text, err := l.YAML(origins)
				if err != nil {
					t.Fatal(err)
				}
				again := filepath.Join(t.TempDir(), "again.yaml")
				if err := os.WriteFile(again, text, 0o644); err != nil {
					t.Fatal(err)
				}
				l2, err := Load(again, nil, nil)
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				if d := cmp.Diff(l.Settings, l2.Settings); d != "" {
					t.Errorf("(-recipe +written)\n%s", d)
				}
			}
		})
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "r.yaml")
}

func TestSources(t *testing.T) {
	path := write(t, map[string]string{
		"base.yaml": "batch: 8\nsteps: 10\nmodel:\n  width: 192\n  heads: [3, 3, 3]\n",
		"r.yaml":    "base: base.yaml\nsteps: 20\nseed: 4\ndata:\n  nouns:\n    templates: simple\n",
	})
	l, err := Load(path, []string{"GROUPVIT_SEED=5", "GROUPVIT_OPTIMIZER_LEARNING_RATE=1e-3", "GROUPVIT_DATA=/somewhere", "HOME=/"},
		[]Override{{"optimizer.learning_rate", "2e-3", "--set"}, {"data.nouns.words", "[a, b]", "--set"}})
	if err != nil {
		t.Fatal(err)
	}
	s := l.Settings
	if s.Batch != 8 || s.Steps != 20 || s.Seed != 5 || s.Optimizer.LearningRate != 2e-3 || s.Model.Width != 192 ||
		!cmp.Equal(s.Data.Nouns.Templates, []string{"simple"}) || len(s.Data.Nouns.Words) != 2 {
		t.Errorf("%+v", s)
	}
	for key, want := range map[string]string{
		"batch": "base.yaml:1", "steps": "r.yaml:2", "seed": "$GROUPVIT_SEED", "optimizer.learning_rate": "--set", "epochs": "default",
	} {
		if !strings.HasSuffix(l.Origin[key], want) {
			t.Errorf("origin of %s is %q, want %q", key, l.Origin[key], want)
		}
	}
}

func TestBadRecipes(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
	}{
		{"unknown key", "optimizer:\n  learning_rat: 1\n", `did you mean "optimizer.learning_rate"?`},
		{"right key, wrong section", "learning_rate: 1\n", `did you mean "optimizer.learning_rate"?`},
		{"line is named", "batch: 8\nnonsense: 1\n", "r.yaml:2"},
		{"section as value", "model: 3\n", "section"},
		{"text for a number", "batch: many\n", "whole number"},
		{"fraction for a whole number", "batch: 2.5\n", "whole number"},
		{"list of the wrong length", "optimizer: {betas: [0.9]}\n", "optimizer.betas"},
		{"no value", "batch:\n", "no value"},
		{"twice", "batch: 2\nbatch: 3\n", "batch"},
		{"alias", "model: {depths: &a [6, 3, 3], heads: *a}\n", "aliases"},
		{"not a mapping", "[1, 2]\n", "list of keys"},
		{"empty", "", "empty"},
		{"not YAML", "a: b: c\n", "r.yaml"},
		{"base is missing", "base: nowhere.yaml\n", "nowhere.yaml"},
		{"base is itself", "base: r.yaml\n", "does not end"},
		{"batch of one", "batch: 1\n", "at least 2"},
		{"no length", "epochs: 0\n", "steps or epochs"},
		{"network that cannot be", "model: {patch_size: 9}\n", "model"},
		{"unknown no_decay", "optimizer: {no_decay: [everything]}\n", "everything"},
		{"two warm-ups", "schedule: {warmup_steps: 5}\n", "one of warmup_steps"},
		{"unknown template set", "data: {nouns: {templates: [poetry]}}\n", "poetry"},
		{"noun loss is off", "model: {noun_loss: false}\n", "noun_loss"},
		{"unknown crop", "data: {augment: {crop: round}}\n", "round"},
		{"unknown kind", "evaluate: {background_kinds: [sky]}\n", "sky"},
		{"unknown rule", "evaluate: {background_rule: chance}\n", "background_rule"},
		{"rule without threshold", "evaluate: {background_rule: probability}\n", "background_threshold"},
		{"squash to nothing", "evaluate: {squash: true}\n", "short_side"},
		{"smaller than a patch", "evaluate: {short_side: 3}\n", "short_side"},
		{"threshold beyond 1", "evaluate: {background_threshold: 1.5}\n", "background_threshold"},
		{"context too long", "data: {context: 100}\n", "data.context"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(write(t, map[string]string{"r.yaml": c.text}), nil, nil)
			if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an ErrSettings with %q", err, c.want)
			}
		})
	}
	if _, err := Load("", []string{"GROUPVIT_BATCH=x"}, nil); err == nil || !strings.Contains(err.Error(), "$GROUPVIT_BATCH") {
		t.Errorf("a bad variable: %v", err)
	}
	if _, err := Load("", nil, []Override{{"bach", "2", "--set"}}); err == nil || !strings.Contains(err.Error(), `"batch"`) {
		t.Errorf("a bad flag: %v", err)
	}
}

func FuzzRecipe(f *testing.F) {
	f.Add("batch: 8\nmodel: {depths: [1]}\n")
	f.Add("base: r.yaml\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "r.yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, nil, nil); err != nil && !errors.Is(err, ErrSettings) {
			t.Errorf("another kind of error: %v", err)
		}
	})
}

// Every pass of the embedded model's recipe is a valid recipe, and finds its
// vocabulary.
func TestPassesOfDefault(t *testing.T) {
	const file = "../../../recipes/default.yaml"
	passes, err := Passes(file)
	if err != nil || len(passes) != 3 {
		t.Fatalf("%d passes, %v", len(passes), err)
	}
	for i, p := range passes {
		l, err := LoadPass(file, p, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if grown := len(l.Settings.Model.Variant.Context.Channels) > 0; grown != (i > 0) || l.Settings.Loss.Dense() != (i > 0) || (p.Label != nil) != (i > 0) {
			t.Errorf("pass %d has a context branch: %v, learns from label maps: %v, makes them: %v", i, grown, l.Settings.Loss.Dense(), p.Label != nil)
		}
		words, err := l.Settings.Words()
		if err != nil || len(words) < 300 {
			t.Errorf("pass %d: %d words, %v", i, len(words), err)
		}
	}
	if _, err := Load(file, nil, nil); err == nil || !strings.Contains(err.Error(), "3 passes") {
		t.Errorf("%v: a recipe of passes was loaded as one", err)
	}
}

func TestBadPasses(t *testing.T) {
	for name, k := range map[string]struct{ recipe, want string }{
		"no list":           {"passes: {name: a}", "must be a list"},
		"none":              {"passes: []", "must be a list"},
		"no name":           {"passes: [{steps: 3}]", "the name of pass 1"},
		"a path as name":    {"passes: [{name: ../a}]", "the name of pass 1"},
		"one name twice":    {"passes: [{name: a}, {name: a}]", "two passes are called"},
		"a base":            {"passes: [{name: a, base: b.yaml}]", "stands at the top"},
		"labels at first":   {"passes: [{name: a, label: {round: 1}}]", "no model before it"},
		"label in a recipe": {"label: {round: 1}", "unknown key"},
	} {
		file := filepath.Join(t.TempDir(), "recipe.yaml")
		if err := os.WriteFile(file, []byte(k.recipe), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Passes(file)
		if err == nil {
			_, err = Load(file, nil, nil)
		}
		if err == nil || !strings.Contains(err.Error(), k.want) || !errors.Is(err, ErrSettings) {
			t.Errorf("%s: %v, want %q", name, err, k.want)
		}
	}
}
