package experiment

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// Every recipe is whole, and every run that it names has valid settings, at every
// scale.
func TestRecipes(t *testing.T) {
	names := Names()
	if len(names) < 7 {
		t.Fatalf("only %v", names)
	}
	for _, name := range names {
		r, err := Load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		for scale := range r.Scales {
			b := &session{Options: Options{Name: name, Scale: scale, Output: t.TempDir(), Train: "somewhere.tar", Threads: 1}, recipe: r, scale: r.Scales[scale]}
			b.recipes = filepath.Join(b.Output, "recipes")
			if err := b.writeRecipes(); err != nil {
				t.Fatal(err)
			}
			keys := map[string]string{}
			for i := range r.Variations {
				v := &r.Variations[i]
				run, err := b.plan(r.variation(v.Of), b.scale.Seeds[0])
				if err != nil {
					t.Errorf("%s, %s: %v", name, scale, err)
					continue
				}
				if other, ok := keys[run.key]; ok && v.Of == v.Name {
					t.Errorf("%s, %s: %q and %q are the same run", name, scale, other, v.Name)
				}
				if v.Of == v.Name {
					keys[run.key] = v.Name
				}
			}
			if scale == Small && r.Kind == kindTable && len(b.scale.Seeds) != 3 {
				t.Errorf("%s: %d seeds", name, len(b.scale.Seeds))
			}
		}
	}
}

// What decides a run's weights decides its key, and nothing else does.
func TestKeys(t *testing.T) {
	r, err := Load("table3")
	if err != nil {
		t.Fatal(err)
	}
	key := func(change func(b *session), seed uint64) string {
		b := &session{Options: Options{Name: "table3", Scale: Small, Output: t.TempDir(), Train: "a", Threads: 1}, recipe: r, scale: r.Scales[Small], data: "a"}
		b.recipes = filepath.Join(b.Output, "recipes")
		change(b)
		if err := b.writeRecipes(); err != nil {
			t.Fatal(err)
		}
		run, err := b.plan(&r.Variations[0], seed)
		if err != nil {
			t.Fatal(err)
		}
		return run.key
	}
	same := func(*session) {}
	first := key(same, 0)
	if key(func(b *session) { b.Threads, b.Engine, b.Train = 2, "go", "moved" }, 0) != first {
		t.Error("threads, engine or the folder of the same data change a key")
	}
	for name, other := range map[string]string{
		"seed": key(same, 1), "data": key(func(b *session) { b.data = "b" }, 0), "steps": key(func(b *session) { b.scale.Steps++ }, 0),
		"settings": key(func(b *session) { b.scale.Set = map[string]string{"optimizer.clip": "3"} }, 0),
	} {
		if other == first {
			t.Errorf("%s does not change the key", name)
		}
	}
}

func TestBadRecipes(t *testing.T) {
	const scales = "{tiny: {base: a, seeds: [0], needs: x}, small: {base: a, seeds: [0], needs: x}, full: {base: a, seeds: [0], needs: x}}"
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "name: [", "recipe"},
		{"unknown key", "nome: x", "nome"},
		{"unknown kind", "kind: dance", "dance"},
		{"no scales", "kind: table", "scale tiny"},
		{"no data", "kind: table\nscales: {tiny: {base: a, seeds: [0]}}", "scenes to draw"},
		{"no variations", "kind: table\nscales: " + scales, "no variations"},
		{"equal names", "kind: table\nvariations: [{name: a}, {name: a}]\nscales: " + scales, "must differ"},
		{"unknown method", "kind: table\nvariations: [{name: a, method: magic}]\nscales: " + scales, "magic"},
		{"of nothing", "kind: table\nvariations: [{name: a, of: b}]\nscales: " + scales, `of "b"`},
		{"no clusters", "kind: table\nvariations: [{name: a, method: kmeans}]\nscales: " + scales, "clusters"},
		{"claim of nothing", "kind: table\nvariations: [{name: a}]\nclaims: [{text: x, above: a, below: b}]\nscales: " + scales, "names no variations"},
	} {
		if _, err := parse([]byte(c.text)); !errors.Is(err, ErrRecipe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What is missing is told before anything is written.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name, want string
		o          Options
	}{
		{"unknown experiment", "table1", Options{Name: "table99", Scale: Small, Output: "x"}},
		{"unknown scale", "small, full", Options{Name: "table1", Scale: "huge", Output: "x"}},
		{"unknown row", `"two stages"`, Options{Name: "table3", Scale: Small, Output: "x", Rows: []string{"three stages"}}},
		{"no folder", "folder", Options{Name: "table1", Scale: Small}},
		{"no training data", "CC12M", Options{Name: "table1", Scale: Full, Output: "x"}},
		{"no photos", "segmentation set", Options{Name: "transfer", Scale: Full, Output: "x", Model: "default"}},
	} {
		c.o.Progress = io.Discard
		if _, _, err := Run(context.Background(), c.o); !errors.Is(err, ErrRequest) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
