package tiff

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Fax compression (ITU-T T.4 and T.6) of rows of black and white runs: one-dimensional
// with and without marks at the ends of lines, two-dimensional by changes against the
// row above. golang.org/x/image/ccitt reads Group 4, and Group 3 where it begins with
// such a mark; TIFF has all of them.

// runTable finds the length of a run from the next 13 bits: length and number of bits.
type runTable [1 << 13]struct{ length, bits uint16 }

var runTables = sync.OnceValue(func() *[2]runTable {
	var t [2]runTable
	for color, codes := range [2]string{whiteCodes, blackCodes} {
		for i, code := range strings.Fields(codes) {
			length := i
			if i >= 64 {
				length = 64 * (i - 63)
			}
			value, free := 0, 13-len(code)
			for _, bit := range code {
				value = value<<1 | int(bit-'0')
			}
			for rest := range 1 << free {
				e := &t[color][value<<free|rest]
				e.length, e.bits = uint16(length), uint16(len(code))
			}
		}
	}
	return &t
})

// fax reads rows of packed bits, 1 for black.
type fax struct {
	in    []byte
	at    int // in bits
	width int
	// plain has rows without marks, wordAligned rows that begin at 16 bits, flat only
	// one-dimensional rows (T.4), aligned marks that end at bytes.
	kind    int
	flat    bool
	rows    int
	changes []int // of the row above: where colours change, white first
	out     []byte
}

func openCCITT(h *Header, raw []byte, rows int) (io.Reader, error) {
	if h.reversed {
		raw = reverse(raw)
	}
	return &fax{in: raw, width: h.across, kind: h.compression, flat: h.t4Options&1 == 0, rows: rows}, nil
}

func (f *fax) Read(p []byte) (int, error) {
	if len(f.out) == 0 {
		if f.rows == 0 {
			return 0, io.EOF
		}
		f.rows--
		if err := f.row(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.out)
	f.out = f.out[n:]
	return n, nil
}

// peek returns the next n bits, zeros beyond the end.
func (f *fax) peek(n int) int {
	v, at := 0, f.at>>3
	for i := range 4 {
		v <<= 8
		if at+i < len(f.in) {
			v |= int(f.in[at+i])
		}
	}
	return v >> (32 - n - f.at&7) & (1<<n - 1)
}

func (f *fax) ended() bool { return f.at >= 8*len(f.in) }

// row decodes the next row into out.
func (f *fax) row() error {
	twoDimensional := f.kind == compressionT6
	switch f.kind {
	case compressionRLE:
		f.at = (f.at + 7) &^ 7
	case compressionRLEW:
		f.at = (f.at + 15) &^ 15
	case compressionT4:
		twoDimensional = f.mark()
	}
	if f.ended() {
		return io.EOF
	}
	changes := make([]int, 0, len(f.changes)+2)
	var err error
	if twoDimensional {
		changes, err = f.twoDimensional(changes)
	} else {
		changes, err = f.oneDimensional(changes)
	}
	if err != nil {
		return err
	}
	f.changes = changes
	f.out = make([]byte, (f.width+7)/8)
	for i := 0; i < len(changes); i += 2 {
		end := f.width
		if i+1 < len(changes) {
			end = changes[i+1]
		}
		for x := changes[i]; x < end; x++ {
			f.out[x>>3] |= 0x80 >> (x & 7)
		}
	}
	return nil
}

// mark passes the mark at the end of a line, if one is there: eleven zeros or more, a
// one, and in two-dimensional data a bit that says how the next row is coded.
func (f *fax) mark() (twoDimensional bool) {
	begin := f.at
	for !f.ended() && f.peek(1) == 0 {
		f.at++
	}
	if f.at-begin < 11 || f.ended() {
		f.at = begin
		return false
	}
	f.at++
	if f.flat {
		return false
	}
	f.at++
	return f.in[(f.at-1)>>3]>>(7-(f.at-1)&7)&1 == 0
}

// run reads a run of a colour: make-up codes, then a terminating one.
func (f *fax) run(color int) (int, error) {
	table, total := &runTables()[color], 0
	for {
		e := table[f.peek(13)]
		if e.bits == 0 || f.ended() {
			return 0, fmt.Errorf("no fax code at bit %d", f.at)
		}
		f.at += int(e.bits)
		total += int(e.length)
		if e.length < 64 {
			return total, nil
		}
		if total > f.width {
			return total, nil
		}
	}
}

func (f *fax) oneDimensional(changes []int) ([]int, error) {
	for x, color := 0, 0; x < f.width; color ^= 1 {
		n, err := f.run(color)
		if err != nil {
			return nil, err
		}
		if x += n; x < f.width {
			changes = append(changes, x)
		}
	}
	return changes, nil
}

// twoDimensional decodes a row against the one above. a0 is where it has got to, b1 the
// first change above to the right of it towards the other colour, b2 the next.
func (f *fax) twoDimensional(changes []int) ([]int, error) {
	a0, color, above := -1, 0, 0
	put := func(x int) {
		if x = max(x, a0, 0); x < f.width {
			changes = append(changes, x)
		}
		a0, color = x, color^1
	}
	reference := func(i int) int {
		if i < len(f.changes) {
			return f.changes[i]
		}
		return f.width
	}
	for a0 < f.width {
		// Changes of even number go to black. A row may step back, but not far.
		for above > 0 && reference(above-1) > a0 {
			above--
		}
		for above < len(f.changes) && (f.changes[above] <= a0 || above&1 != color) {
			above++
		}
		b1 := reference(above)
		bits := f.peek(7)
		switch {
		case bits>>6 == 1: // vertical, straight below
			f.at++
			put(b1)
		case bits>>4 == 3:
			f.at += 3
			put(b1 + 1)
		case bits>>4 == 2:
			f.at += 3
			put(b1 - 1)
		case bits>>4 == 1: // horizontal: two runs
			f.at += 3
			begin := max(a0, 0)
			for range 2 {
				n, err := f.run(color)
				if err != nil {
					return nil, err
				}
				begin += n
				put(begin)
			}
		case bits>>3 == 1: // pass: the colour goes on below a run above
			f.at += 4
			a0 = reference(above + 1)
		case bits>>1 == 3:
			f.at += 6
			put(b1 + 2)
		case bits>>1 == 2:
			f.at += 6
			put(b1 - 2)
		case bits == 3:
			f.at += 7
			put(b1 + 3)
		case bits == 2:
			f.at += 7
			put(b1 - 3)
		default:
			return nil, fmt.Errorf("no fax code at bit %d", f.at)
		}
		if f.ended() && a0 < f.width {
			return nil, io.ErrUnexpectedEOF
		}
	}
	return changes, nil
}
