package weights

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/network"
)

const tinyDir = "../network/testdata/tiny"

// Files that torch itself has written, in the official layout and in the
// port's, hold the same network as the port's safetensors file.
func TestTorchFixtures(t *testing.T) {
	want, err := Open(tinyDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"official.pth", "pytorch_model.bin"} {
		t.Run(file, func(t *testing.T) {
			got, err := Open(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range want.Tensors {
				if name == network.NounLogitScale {
					continue // the port has none
				}
				if !cmp.Equal(got.Tensors[name], values) {
					t.Errorf("%s differs", name)
				}
			}
			if file != "official.pth" {
				return
			}
			if s := got.Tensors[network.NounLogitScale]; len(s) != 1 || s[0] != 2 || !got.Config.NounLoss {
				t.Errorf("the noun loss's temperature is %v, want 2", s)
			}
		})
	}
}

// The table of names agrees with the one that the reference scripts wrote by
// building both networks.
func TestNamesAgree(t *testing.T) {
	data, err := os.ReadFile("testdata/names.json")
	if err != nil {
		t.Fatal(err)
	}
	var table map[string][2]json.RawMessage
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		var shape []int
		var want []string
		if err := errors.Join(json.Unmarshal(table[name][0], &shape), json.Unmarshal(table[name][1], &want)); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ignored[0]) {
			continue
		}
		r, port, ok := match(name)
		views := map[string]view{}
		if ok {
			err = r.apply(views, port, view{name: name, parts: 1, shape: shape})
		}
		got := slices.SortedFunc(maps.Keys(views), func(a, b string) int { return views[a].part - views[b].part })
		if !ok || err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s became %v (%v), want %v", name, got, err, want)
		}
	}
}

// Hostile files that Python has written are refused, and nothing runs.
func TestHostileFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/hostile_*.pth")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if _, err := Open(file); !errors.Is(err, ErrWeights) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := os.Stat("/tmp/groupvit-pwned"); err == nil {
		t.Error("something ran")
	}
	if _, err := Open("testdata/official_legacy.pth"); !errors.Is(err, ErrWeights) || !strings.Contains(err.Error(), "before 1.6") {
		t.Errorf("the old format: %v", err)
	}
}
