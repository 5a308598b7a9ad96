package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTileEncoding has binutils read the bytes of every instruction of tiles, and of moves with each register, and compares
// what it reads with the name that stands above the bytes.
func TestTileEncoding(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("no objdump to compare with: ", err)
	}
	var text strings.Builder
	c := tileCode{&text}
	for base := range gp {
		for stride := range gp {
			c.load(3, base, stride, 0)
			c.load(7, base, stride, 64)
			c.store(5, base, stride, -128)
			c.pass(1, base, stride)
		}
	}
	for d := range byte(8) {
		for a := range byte(8) {
			for b := range byte(8) {
				if d != a && d != b && a != b {
					c.dot(d, a, b)
					c.dotBytes(d, a, b)
				}
			}
		}
		c.bytes(tileZero(d), "TILEZERO T%d", d)
	}
	generated, err := os.ReadFile("../amx/amx_linux_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	text.Write(generated)
	var code []byte
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^\t// (\w.*)\n\t(BYTE.*)$`).FindAllStringSubmatch(text.String(), -1) {
		for _, b := range regexp.MustCompile(`0x(..)`).FindAllStringSubmatch(m[2], -1) {
			v, err := strconv.ParseUint(b[1], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			code = append(code, byte(v))
		}
		want = append(want, inATT(m[1]))
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "i386:x86-64", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := regexp.MustCompile(`(?m)^ +[0-9a-f]+:\t[0-9a-f ]+\t(\w+) *(.*?)\s*$`).FindAllStringSubmatch(string(out), -1)
	if len(lines) != len(want) {
		t.Fatalf("the disassembler reads %d instructions, not %d:\n%.2000s", len(lines), len(want), out)
	}
	for i, l := range lines {
		if got := strings.TrimSpace(l[1] + " " + l[2]); got != want[i] {
			t.Errorf("instruction %d reads %s, not %s", i, got, want[i])
		}
	}
}

// inATT writes "TILELOADD 64(R12)(R9*1), T7" as binutils does.
func inATT(s string) string {
	op, rest, _ := strings.Cut(s, " ")
	var operands []string
	for _, x := range strings.Split(rest, ", ") {
		switch m := regexp.MustCompile(`^(-?\d*)\((\w+)\)(?:\((\w+)\*1\))?$`).FindStringSubmatch(x); {
		case m != nil:
			disp := ""
			if v, _ := strconv.Atoi(m[1]); v > 0 {
				disp = fmt.Sprintf("%#x", v)
			} else if v < 0 {
				disp = fmt.Sprintf("-%#x", -v)
			}
			index := ""
			if m[3] != "" {
				index = "," + register(m[3]) + ",1"
			}
			operands = append(operands, disp+"("+register(m[2])+index+")")
		case strings.HasPrefix(x, "T"):
			operands = append(operands, "%tmm"+x[1:])
		}
	}
	return strings.TrimSpace(strings.ToLower(op) + " " + strings.Join(operands, ","))
}

func register(name string) string {
	if strings.HasPrefix(name, "R") {
		return "%" + strings.ToLower(name)
	}
	return "%r" + strings.ToLower(name)
}
