package layering

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

type listed struct {
	ImportPath        string
	Imports, CgoFiles []string
	Deps              []string
	Standard, DepOnly bool
	GoFiles           []string
}

// list runs go list in the module's root.
func list(t *testing.T, patterns ...string) map[string]listed {
	t.Helper()
	args := append([]string{"list", "-e", "-deps", "-json=ImportPath,Imports,CgoFiles,Deps,Standard,DepOnly,GoFiles"}, patterns...)
	c := exec.Command("go", args...)
	c.Dir = "../.."
	out, err := c.Output()
	if err != nil {
		t.Skipf("go list does not run here: %v", err)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

func TestImportsPointDown(t *testing.T) {
	for path, p := range list(t, "./...") {
		if p.DepOnly || !strings.HasPrefix(path, Module) || len(p.GoFiles) == 0 {
			continue
		}
		if path == Module+"/internal/layering" || strings.HasPrefix(path, Module+"/tools/") || strings.HasPrefix(path, Module+"/examples/") {
			continue // outside the layers
		}
		if _, _, known := Of(path); !known {
			t.Errorf("%s has no layer: name it in internal/layering", path)
			continue
		}
		for _, to := range p.Imports {
			if (to == Module || strings.HasPrefix(to, Module+"/")) && !Allowed(path, to) {
				a, _, _ := Of(path)
				b, _, _ := Of(to)
				t.Errorf("%s (layer %d) imports %s (layer %d): imports point down only", path, a, to, b)
			}
		}
	}
}

// A Go program that imports the root package gets no C, no drawing of plots, no
// part-of-speech tagger and nothing that talks to a terminal.
func TestTheRootStaysLight(t *testing.T) {
	packages := list(t, ".")
	root, ok := packages[Module]
	if !ok || len(root.GoFiles) == 0 {
		t.Skip("the root package has no files")
	}
	heavy := []string{
		"gonum.org/v1/plot", "github.com/schollz/progressbar", "golang.org/x/term",
		"github.com/spf13/cobra", "github.com/jdkato/prose", Module + "/internal/nouns/tagger", "github.com/gomlx/go-xla", "github.com/gomlx/gomlx/backends/default",
	}
	for _, path := range root.Deps {
		for _, h := range heavy {
			if path == h || strings.HasPrefix(path, h+"/") {
				t.Errorf("the root package reaches %s", path)
			}
		}
		if p := packages[path]; !p.Standard && len(p.CgoFiles) > 0 {
			t.Errorf("the root package reaches cgo through %s", path)
		}
	}
}

func TestAllowed(t *testing.T) {
	tests := []struct {
		from, to string
		want     bool
	}{
		{"internal/imaging", "internal/limits", true},
		{"internal/render", "mask", true},
		{"mask", "internal/imaging", false},
		{"internal/render", "internal/assign", false}, // neighbours
		{"internal/engine", "internal/engine/simd", true},
		{"internal/engine/simd/kernels", "internal/engine", true}, // one part; Go refuses the cycle
		{"internal/train", "internal/evaluate/speed", true},
		{"internal/evaluate", "internal/train", false},
		{"internal/cli", "internal/nowhere", false},
	}
	for _, test := range tests {
		if got := Allowed(Module+"/"+test.from, Module+"/"+test.to); got != test.want {
			t.Errorf("%s may import %s: %v, want %v", test.from, test.to, got, test.want)
		}
	}
	if !Allowed(Module, Module+"/mask") || Allowed(Module+"/mask", Module) {
		t.Error("the root package is not on layer 3")
	}
}
