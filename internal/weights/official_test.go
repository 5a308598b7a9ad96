package weights

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A model becomes an official file and comes back the same; in half precision,
// the same but for the rounding.
func TestSaveOfficial(t *testing.T) {
	want, err := Open("testdata/official.pth")
	if err != nil {
		t.Fatal(err)
	}
	for _, half := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "saved.pth")
		if err := SaveOfficial(path, want, half); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(got.Config, want.Config) || len(got.Tensors) != len(want.Tensors) {
			t.Errorf("half %v: %d tensors, want %d; %s", half, len(got.Tensors), len(want.Tensors), cmp.Diff(got.Config, want.Config))
		}
		for name, values := range want.Tensors {
			for i, v := range values {
				tolerance := 0.0
				if half {
					tolerance = 1e-3*math.Abs(float64(v)) + 1e-7
				}
				if math.Abs(float64(got.Tensors[name][i]-v)) > tolerance {
					t.Fatalf("half %v: %s[%d] is %g, want %g", half, name, i, got.Tensors[name][i], v)
				}
			}
		}
		if err := SaveOfficial(path, want, half); err == nil {
			t.Error("a file that is there was replaced")
		}
	}
}

// A network with variants has no place in the official code.
func TestSaveOfficialVariant(t *testing.T) {
	m, err := Open("../../models/default")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := SaveOfficial(filepath.Join(dir, "x.pth"), m, false); !errors.Is(err, ErrWeights) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// PyTorch's safe loader reads the file: names, shapes and types are those of a
// file that the official layout had. Like TestPortLoadsWhatWeSave it needs
// GROUPVIT_PYTHON.
func TestTorchLoadsWhatWeSave(t *testing.T) {
	python := os.Getenv("GROUPVIT_PYTHON")
	if python == "" {
		t.Skip("GROUPVIT_PYTHON names no Python with torch")
	}
	m, err := Open("testdata/official.pth")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "saved.pth")
	if err := SaveOfficial(path, m, false); err != nil {
		t.Fatal(err)
	}
	// The fixture holds its settings too, of a class that need not be there.
	const program = `
import pickle, sys, types, torch
class Settings(dict):
    def __setstate__(self, state): pass
class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        return Settings if module.startswith("omegaconf") else super().find_class(module, name)
own = types.ModuleType("own")
own.Unpickler, own.load = Unpickler, pickle.load
a = torch.load(sys.argv[1], weights_only=False, pickle_module=own)["model"]
b = torch.load(sys.argv[2], weights_only=True)["model"]
assert set(a) == set(b), set(a) ^ set(b)
for k in a:
    assert a[k].shape == b[k].shape and a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]), k
print(len(a), "tensors agree")
`
	out, err := exec.Command(python, "-c", program, "testdata/official.pth", path).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
