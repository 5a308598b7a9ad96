package kernels

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// This file runs the text of the generated microkernels in an interpreter, so that the AVX-512 ones
// are checked on machines without AVX-512. What it cannot check is Go's encoding of the instructions.

// routine is the instructions of one function.
type routine struct {
	code   [][]string // mnemonic and operands
	labels map[string]int
}

// routines parses the microkernels of float32.
func routines(t *testing.T) map[string]*routine { return routinesOf(t, "product_amd64.s") }

func routinesOf(t *testing.T, file string) map[string]*routine {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^TEXT ·(\w+)\(SB\)`)
	all := map[string]*routine{}
	var r *routine
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch m := name.FindStringSubmatch(line); {
		case m != nil:
			r = &routine{labels: map[string]int{}}
			all[m[1]] = r
		case line == "" || strings.HasPrefix(line, "//") || strings.HasPrefix(line, "#"):
		case strings.HasSuffix(line, ":"):
			r.labels[line[:len(line)-1]] = len(r.code)
		default:
			op, rest, _ := strings.Cut(line, " ")
			one := []string{op}
			for _, x := range strings.Split(rest, ",") {
				if x = strings.TrimSpace(x); x != "" {
					one = append(one, x)
				}
			}
			r.code = append(r.code, one)
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

var memory = regexp.MustCompile(`^(-?\d*)\((\w+)\)(?:\((\w+)\*(\d)\))?$`)

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

// run interprets the routine with the address of a tile as its argument.
func (m *machine) run(r *routine, t unsafe.Pointer) {
	m.word, m.vector = map[string]uint64{}, map[string][]float32{}
	for pc := 0; ; pc++ {
		c := r.code[pc]
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

// tileCase is a tile over its own memory, with small whole numbers: every order of sums is exact.
type tileCase struct {
	tile
	c []float32
}

func newTileCase(r *rand.Rand, rows, width int) *tileCase {
	whole := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.IntN(9) - 4)
		}
		return x
	}
	x := &tileCase{}
	x.blocks, x.inner, x.outer = 1+r.IntN(3), 1+r.IntN(9), 1+r.IntN(3)
	if r.IntN(8) == 0 {
		x.inner = 185 + r.IntN(20) // about where C is asked for later
	}
	x.colA = 4 * (1 + r.IntN(3))
	x.rowA, x.outerA = 4*r.IntN(30), 4*r.IntN(30)
	x.blockA = rows * x.rowA
	x.rowB = 4 * (width + r.IntN(5))
	x.outerB = x.inner * x.rowB
	x.rowC = 4 * (width + r.IntN(5))
	x.blockC = rows * x.rowC
	x.flags, x.alpha = r.IntN(4), float32(1+r.IntN(2))
	a := whole(1 + ((x.blocks*rows)*x.rowA+x.outer*x.outerA+x.inner*x.colA)/4)
	b := whole(x.outer * x.inner * x.rowB / 4)
	x.c = whole(x.blocks * rows * x.rowC / 4)
	x.a, x.b, x.tile.c = unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&x.c[0])
	if r.IntN(2) == 0 {
		x.bias = unsafe.Pointer(&whole(width)[0])
	}
	return x
}

func TestMicrokernels(t *testing.T) {
	all, r := routines(t), generator(61)
	for l := AVX2; l <= AVX512; l++ {
		s := tileShape(l)
		for _, width := range []int{s.wide / 2, s.wide} {
			for rows := 1; rows <= s.rows; rows++ {
				name := fmt.Sprintf("%vTile%dx%d", l, rows, width)
				code := all[name]
				if code == nil {
					t.Fatalf("%s is missing", name)
				}
				for range 6 {
					x := newTileCase(r, rows, width)
					before, blocks := append([]float32(nil), x.c...), x.blocks
					plainTile(rows, width, &x.tile)
					want := append([]float32(nil), x.c...)
					copy(x.c, before)
					(&machine{t: t}).run(code, unsafe.Pointer(&x.tile))
					sameNumbers(t, name+" interpreted", x.c, want)
					if l > Best() {
						continue
					}
					copy(x.c, before)
					x.blocks = blocks
					tileCall(l, rows, width, &x.tile)
					sameNumbers(t, name, x.c, want)
				}
			}
		}
	}
}

func sameNumbers(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: element %d is %v, not %v", what, i, got[i], want[i])
		}
	}
}

// TestBlockingOfEveryLevel drives the products, convolutions and attention of each level over
// microkernels in plain Go.
func TestBlockingOfEveryLevel(t *testing.T) {
	if Best() == Off {
		t.Skip("needs AVX2 around the microkernels")
	}
	defer func(b Level) { plainTiles, best = false, b }(best)
	plainTiles = true
	best = AVX512
	for l := AVX2; l <= AVX512; l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer Force(l)()
			r := generator(62)
			for i := range 60 {
				p := productCase{batch: 1 + r.IntN(2), m: 1 + r.IntN(60), n: 1 + r.IntN(80), k: 1 + r.IntN(30), ta: r.IntN(2) == 0, tb: r.IntN(2) == 0,
					extra: r.IntN(4), accumulate: r.IntN(2) == 0, bias: r.IntN(2) == 0, residual: r.IntN(2) == 0, act: Activation(r.IntN(4)), packed: r.IntN(2) == 0}
				if i == 0 {
					p.k = 400
				}
				p.run(t, r, nil)
			}
			for range 20 {
				checkConv(t, randomConv(r), r, nil)
			}
			for range 20 {
				checkAttention(t, Attention{Batch: 1, Heads: 2, Queries: 1 + r.IntN(40), Keys: 1 + r.IntN(40), Width: 1 + r.IntN(40), Layout: BSHD}, r, nil)
			}
		})
	}
}
