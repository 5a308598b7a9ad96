package weights

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights/torchfile/torchtest"
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

// A file whose tensors all lie in the same bytes claims a model many times its
// size: it is refused before any tensor is read.
func TestSharedStorage(t *testing.T) {
	tensors := official(model(tiny()))
	largest := 0
	for _, x := range tensors {
		largest = max(largest, len(x.Values))
	}
	tensors[0].Values = append(slices.Clone(tensors[0].Values), make([]float32, largest)...)
	file := torchtest.File(tensors, torchtest.Options{Under: "model", Share: true})
	path := filepath.Join(t.TempDir(), "shared.pth")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrWeights) || !strings.Contains(err.Error(), "share their bytes") {
		t.Errorf("got %v", err)
	}
}

// Refusing a hostile file takes memory in proportion to it, whatever it claims.
func TestRefusalsAllocateLittle(t *testing.T) {
	claims := func(header string, data int) []byte {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		return append(append(b, header...), make([]byte, data)...)
	}
	files := map[string][]byte{
		"header of 2^63 bytes": append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...),
		"2^30 elements":        claims(`{"vision_model.a":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296]}}`, 8),
		"2^62 elements":        claims(`{"vision_model.a":{"dtype":"F32","shape":[2147483648,2147483648],"data_offsets":[0,8]}}`, 8),
	}
	for _, name := range []string{"hostile_call.pth", "hostile_huge.pth", "hostile_stride.pth"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	for name, b := range files {
		fsys := fstest.MapFS{"model.safetensors": &fstest.MapFile{Data: b}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := OpenFS(fsys, ".")
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > 1<<20 {
			t.Errorf("%s: %d bytes allocated, %v", name, n, err)
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
