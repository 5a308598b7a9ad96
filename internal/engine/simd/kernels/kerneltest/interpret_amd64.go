package kerneltest

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// This file runs the text of generated microkernels in an interpreter, so that those of AVX-512 and AMX are checked on
// machines without them. What it cannot check is the encoding of the instructions.

var memory = regexp.MustCompile(`^(-?\d*)\((\w+)\)(?:\((\w+)\*(\d)\))?$`)

// Routine is the instructions of one function.
type Routine struct {
	Code   [][]string // mnemonic and operands
	labels map[string]int
}

// RoutinesOf parses the functions of a file of assembly.
func RoutinesOf(t *testing.T, file string) map[string]*Routine {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	all := map[string]*Routine{}
	var r *Routine
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch m := name.FindStringSubmatch(line); {
		case m != nil:
			r = &Routine{labels: map[string]int{}}
			all[m[1]] = r
		case line == "" || strings.HasPrefix(line, "//") || strings.HasPrefix(line, "#"):
		case strings.HasSuffix(line, ":"):
			r.labels[line[:len(line)-1]] = len(r.Code)
		default:
			op, rest, _ := strings.Cut(line, " ")
			one := []string{op}
			for _, x := range strings.Split(rest, ",") {
				if x = strings.TrimSpace(x); x != "" {
					one = append(one, x)
				}
			}
			r.Code = append(r.Code, one)
		}
	}
	return all
}

// machine is the state of the interpreter.
type machine struct {
	t      *testing.T
	word   map[string]uint64
	vector map[string][]float32 // by number: Y3 and Z3 are one register
	flags  int64                // result of the last arithmetic
	tiles  tiles
}

// address computes where an operand lies; ok is false for registers and constants.
func (m *machine) address(x string) (at uint64, ok bool) {
	g := memory.FindStringSubmatch(x)
	if g == nil {
		return 0, false
	}
	shift, _ := strconv.Atoi("0" + g[1])
	at = m.word[g[2]] + uint64(shift)
	if g[3] != "" {
		scale, _ := strconv.Atoi(g[4])
		at += m.word[g[3]] * uint64(scale)
	}
	return at, true
}

func (m *machine) get(x string) uint64 {
	if c, ok := strings.CutPrefix(x, "$"); ok {
		v, err := strconv.ParseUint(c, 0, 64)
		if err != nil {
			m.t.Fatal(err)
		}
		return v
	}
	if at, ok := m.address(x); ok {
		return *(*uint64)(pointer(at))
	}
	return m.word[x]
}

func (m *machine) set(x string, v uint64) {
	if at, ok := m.address(x); ok {
		*(*uint64)(pointer(at)) = v
		return
	}
	m.word[x] = v
}

// pointer makes an address one; the memory is held by the test.
func pointer(at uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }

func lanes(x string) int {
	if x[0] == 'Z' {
		return 16
	}
	return 8
}

// floats gives a copy of a vector operand of n lanes.
func (m *machine) floats(x string, n int) []float32 {
	if at, ok := m.address(x); ok {
		return append([]float32(nil), unsafe.Slice((*float32)(pointer(at)), n)...)
	}
	v := make([]float32, n)
	copy(v, m.vector[x[1:]])
	return v
}

// RunRoutine interprets a routine whose argument is a pointer.
func RunRoutine(t *testing.T, r *Routine, argument unsafe.Pointer) {
	t.Helper()
	(&machine{t: t}).run(r, argument)
}

// run interprets the routine with the address of a tile as its argument.
func (m *machine) run(r *Routine, t unsafe.Pointer) {
	m.word, m.vector = map[string]uint64{}, map[string][]float32{}
	for pc := 0; ; pc++ {
		c := r.Code[pc]
		last := c[len(c)-1]
		jump := func(condition bool) {
			if condition {
				pc = r.labels[last] - 1
			}
		}
		arithmetic := func(v uint64) { m.set(last, v); m.flags = int64(v) }
		each := func(f func(a, b, d float32) float32) {
			n := lanes(last)
			a, b, d := m.floats(c[1], n), m.floats(c[2], n), m.floats(last, n)
			for i := range d {
				d[i] = f(a[i], b[i], d[i])
			}
			m.vector[last[1:]] = d
		}
		switch c[0] {
		case "MOVL":
			if at, ok := m.address(last); ok {
				*(*uint32)(pointer(at)) = uint32(m.get(c[1]))
			} else if at, ok := m.address(c[1]); ok {
				m.word[last] = uint64(*(*uint32)(pointer(at)))
			}
		case "CMPL": // only ever of memory with zero
			at, _ := m.address(c[1])
			m.flags = int64(*(*uint32)(pointer(at)))
		case "CMPQ":
			m.flags = int64(m.get(c[1]) - m.get(c[2]))
		case "JMP":
			jump(true)
		case "MOVQ":
			if strings.Contains(c[1], "(FP)") {
				m.word[last] = uint64(uintptr(t))
			} else {
				m.set(last, m.get(c[1]))
			}
		case "LEAQ":
			at, _ := m.address(c[1])
			m.set(last, at)
		case "ADDQ":
			arithmetic(m.get(last) + m.get(c[1]))
		case "SUBQ":
			arithmetic(m.get(last) - m.get(c[1]))
		case "DECQ":
			arithmetic(m.get(last) - 1)
		case "TESTQ":
			m.flags = int64(m.get(c[1]) & m.get(c[2]))
		case "JL":
			jump(m.flags < 0)
		case "JGE":
			jump(m.flags >= 0)
		case "JE":
			jump(m.flags == 0)
		case "JNE":
			jump(m.flags != 0)
		case "VPXORD", "VXORPS": // only ever of a register with itself
			if c[1] != c[2] || c[2] != c[3] {
				m.t.Fatalf("%v is more than clearing", c)
			}
			m.vector[last[1:]] = make([]float32, lanes(last))
		case "VMOVUPS":
			if at, ok := m.address(last); ok {
				copy(unsafe.Slice((*float32)(pointer(at)), lanes(c[1])), m.vector[c[1][1:]])
			} else {
				m.vector[last[1:]] = m.floats(c[1], lanes(last))
			}
		case "VBROADCASTSS":
			v, x := make([]float32, lanes(last)), m.floats(c[1], 1)[0]
			for i := range v {
				v[i] = x
			}
			m.vector[last[1:]] = v
		case "VFMADD231PS":
			each(func(a, b, d float32) float32 { return d + a*b })
		case "VMULPS":
			each(func(a, b, _ float32) float32 { return a * b })
		case "VADDPS":
			each(func(a, b, _ float32) float32 { return a + b })
		case "VMAXPS":
			each(func(a, b, _ float32) float32 { return max(a, b) })
		case "VZEROUPPER", "PREFETCHT0", "PREFETCHT1": // change nothing that counts
		case "BYTE":
			m.tiles.do(m, c)
		case "RET":
			return
		default:
			m.t.Fatalf("the interpreter does not know %v", c)
		}
	}
}

func SameNumbers(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: element %d is %v, not %v", what, i, got[i], want[i])
		}
	}
}
