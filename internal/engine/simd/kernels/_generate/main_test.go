package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCommittedFiles writes the assembly again and compares it with the files of the packages.
func TestCommittedFiles(t *testing.T) {
	// The first line names the command, and with it the folder.
	body := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := bytes.Cut(b, []byte("\n"))
		return rest
	}
	dir := t.TempDir()
	for _, pkg := range []string{"tile", "vector", "amx"} {
		if err := os.Mkdir(filepath.Join(dir, pkg), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range [][2]string{{"tile", "product"}, {"tile", "narrow"}, {"vector", "wide"}, {"vector", "vector"}} {
		pkg, what := x[0], x[1]
		source, stubs := filepath.Join(pkg, what+"_amd64.s"), filepath.Join(pkg, what+"_amd64.go")
		cmd := exec.Command("go", "run", ".", "-what", what, "-out", filepath.Join(dir, source), "-stubs", filepath.Join(dir, stubs), "-pkg", pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, name := range []string{source, stubs} {
			if !bytes.Equal(body(filepath.Join(dir, name)), body(filepath.Join("..", name))) {
				t.Errorf("%s is not what this program writes: run the commands in main.go", name)
			}
		}
	}
	if err := writeNEON(dir); err != nil {
		t.Fatal(err)
	}
	if err := writeAMX(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"amx/amx_linux_amd64.s", "amx/amx_stubs_linux_amd64.go", "tile/product_arm64.s", "tile/product_arm64.go", "vector/vector_arm64.s", "vector/vector_arm64.go"} {
		if !bytes.Equal(body(filepath.Join(dir, name)), body(filepath.Join("..", name))) {
			t.Errorf("%s is not what this program writes: run the commands in main.go", name)
		}
	}
	var out bytes.Buffer
	if err := others(&out, filepath.Join("..", "vector", "vector_amd64.go")); err != nil {
		t.Fatal(err)
	}
	if _, rest, _ := bytes.Cut(out.Bytes(), []byte("\n")); !bytes.Equal(rest, body(filepath.Join("..", "vector", "vector_other.go"))) {
		t.Error("vector_other.go is not what this program writes: run the commands in main.go")
	}
}
