package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEncoding has binutils read the bytes of both instructions with registers from all four eights at each place.
func TestEncoding(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("no objdump to compare with: ", err)
	}
	var code []byte
	var want []string
	for name, form := range unknown {
		for rm := byte(0); rm < 32; rm += 5 {
			for v := byte(1); v < 32; v += 6 {
				for r := byte(2); r < 32; r += 7 {
					b := evex(form.prefix, form.opcode, rm, v, r)
					code = append(code, b[:]...)
					want = append(want, fmt.Sprintf("%s %%zmm%d,%%zmm%d,%%zmm%d", strings.ToLower(name), rm, v, r))
				}
			}
		}
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "i386:x86-64", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := regexp.MustCompile(`(?m)\t(v\w+) +(%zmm\S+)\s*$`).FindAllStringSubmatch(string(out), -1)
	if len(lines) != len(want) {
		t.Fatalf("%d instructions of %d are known to the disassembler:\n%.2000s", len(lines), len(want), out)
	}
	for i, l := range lines {
		if got := l[1] + " " + l[2]; got != want[i] {
			t.Errorf("instruction %d reads %s, not %s", i, got, want[i])
		}
	}
}
