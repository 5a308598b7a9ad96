package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// disassemble gives what binutils reads in words of arm64 code, one line each.
func disassemble(t *testing.T, words []uint32) []string {
	t.Helper()
	objdump, err := exec.LookPath("aarch64-linux-gnu-objdump")
	if err != nil {
		t.Skip("no disassembler of arm64 to compare with: ", err)
	}
	var code []byte
	for _, w := range words {
		code = binary.LittleEndian.AppendUint32(code, w)
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "aarch64", "-M", "no-aliases", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var lines []string
	for _, m := range regexp.MustCompile(`(?m)^ *[0-9a-f]+:\t[0-9a-f]{8} \t(.*)$`).FindAllStringSubmatch(string(out), -1) {
		lines = append(lines, strings.Join(strings.Fields(m[1]), " "))
	}
	if len(lines) != len(words) {
		t.Fatalf("%d lines for %d words: %s", len(lines), len(words), out)
	}
	return lines
}

// TestNEONEncoding has binutils read every instruction that goes out as a word, with registers from all over.
func TestNEONEncoding(t *testing.T) {
	var words []uint32
	var want []string
	for _, e := range encodings {
		if e.goes != "" {
			continue // Go's assembler encodes it
		}
		for _, registers := range [][]uint32{{0, 1, 2}, {31, 30, 29}, {7, 16, 21}, {18, 8, 15}} {
			var operands []any
			for _, form := range e.forms {
				if !strings.HasPrefix(form, "#") {
					operands = append(operands, registers[len(operands)])
				}
			}
			words = append(words, e.bits(registers[:len(operands)]))
			text := fmt.Sprintf(e.text(), operands...)
			if e.name == "mvn" { // the manual's other name for not
				text = strings.Replace(text, "mvn", "not", 1)
			}
			want = append(want, strings.Replace(text, "#0", "#0x0", 1))
		}
	}
	for i, got := range disassemble(t, words) {
		got = strings.Replace(got, "#0x0", "#0", 1)
		if w := strings.Replace(want[i], "#0x0", "#0", 1); got != w {
			t.Errorf("%08x reads %q, not %q", words[i], got, w)
		}
	}
}

// TestNEONRegisters: values that are alive at once have registers of their own, also around loops.
func TestNEONRegisters(t *testing.T) {
	f := &file{at: map[uint32]int{}}
	r := f.function("f", "", "func(x *float32)")
	kept, sum := r.vector(), r.vector()
	r.line("SET %d", kept)
	r.line("SET %d", sum)
	r.place("again")
	for range 3 {
		r.do("add", sum, sum, r.op("mul", kept, kept))
	}
	r.repeat("BNE", "again")
	late := r.vector() // may have any register but sum's
	r.line("SET %d", late)
	r.do("add", sum, sum, late)
	numbers, err := r.allocate()
	if err != nil {
		t.Fatal(err)
	}
	for v := 2; v < r.vectors; v++ {
		if numbers[v] == numbers[sum] || v != int(late) && numbers[v] == numbers[kept] {
			t.Errorf("value %d has register %d, which is taken: %v", v, numbers[v], numbers)
		}
	}
	for range 40 {
		r.line("SET %d", r.vector())
	}
	all := make([]vector, 33)
	for i := range all {
		all[i] = r.vector()
	}
	for range 2 {
		for _, v := range all {
			r.line("SET %d", v)
		}
	}
	if _, err := r.allocate(); err == nil {
		t.Error("33 values at once found registers")
	}
}
