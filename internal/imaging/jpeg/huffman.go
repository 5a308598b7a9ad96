package jpeg

import "sync"

// table decodes the codes of T.81's annex C: for the next 16 bits, the value and the
// code's length, 0 for none. Short codes are found by their first eight bits.
type table struct {
	fast [1 << 8]struct{ value, length uint8 }
	// For codes of n bits: the first code beyond them, on 16 bits, and what is added to
	// a code for its place among values.
	beyond [17]int32
	shift  [17]int32
	values []uint8
}

func newTable(counts, values []byte) (*table, error) {
	t := &table{values: values}
	code, at := int32(0), int32(0)
	for n := 1; n <= 16; n++ {
		t.shift[n] = at - code
		for range counts[n-1] {
			if n <= 8 {
				for rest := range 1 << (8 - n) {
					if i := int(code)<<(8-n) + rest; i < len(t.fast) {
						t.fast[i].value, t.fast[i].length = values[at], uint8(n)
					}
				}
			}
			code++
			at++
		}
		if code > 1<<n {
			return nil, damaged("its table of codes has too many of %d bits", n)
		}
		t.beyond[n] = code << (16 - n)
		code <<= 1
	}
	return t, nil
}

// bits reads a scan's bits: after a byte 255 a 0 is left out, and a mark ends them.
type bits struct {
	b      []byte
	at     int
	buffer uint32
	count  int
	// ended: a mark or the end has been reached; padding counts the zeros behind it in
	// the buffer, and empty says that one of them was used.
	ended, empty bool
	padding      int
}

// fill makes 16 bits or more available, zeros beyond the end.
func (r *bits) fill() {
	for r.count <= 24 {
		var v byte
		if !r.ended {
			switch {
			case r.at >= len(r.b):
				r.ended = true
			case r.b[r.at] != 0xff:
				v = r.b[r.at]
				r.at++
			case r.at+1 < len(r.b) && r.b[r.at+1] == 0:
				v = 0xff
				r.at += 2
			case r.at+1 < len(r.b) && r.b[r.at+1] == 0xff: // fill bytes before a mark
				r.at++
				continue
			case strayEnd(r.b[r.at:]):
				r.at += 2
				continue
			default:
				r.ended = true
			}
		}
		if r.ended {
			// Zeros from here on; using one of them is noticed in take.
			r.buffer <<= 8
			r.count += 8
			r.padding += 8
			continue
		}
		r.buffer = r.buffer<<8 | uint32(v)
		r.count += 8
	}
}

// peek returns the next n bits, 16 at most.
func (r *bits) peek(n int) int32 {
	if r.count < n {
		r.fill()
	}
	return int32(r.buffer >> (r.count - n) & (1<<n - 1))
}

func (r *bits) drop(n int) {
	r.count -= n
	if r.count < r.padding {
		r.padding, r.empty = r.count, true
	}
}

func (r *bits) take(n int) int32 {
	if n == 0 {
		return 0
	}
	v := r.peek(n)
	r.drop(n)
	return v
}

// signed reads a value of n bits, the lower half of which is negative (T.81, F.12).
func (r *bits) signed(n int) int32 {
	v := r.take(n)
	if n > 0 && v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v
}

// code reads a code's value; 0 for none, after which nothing makes sense up to the next
// mark.
func (r *bits) code(t *table) int {
	next := r.peek(16)
	if e := t.fast[next>>8]; e.length > 0 {
		r.drop(int(e.length))
		return int(e.value)
	}
	for n := 9; n <= 16; n++ {
		if next < t.beyond[n] {
			r.drop(n)
			if i := next>>(16-n) + t.shift[n]; i >= 0 && int(i) < len(t.values) {
				return int(t.values[i])
			}
			return 0
		}
	}
	r.drop(16)
	return 0
}

// position is where the first byte lies of which no bit has been used.
func (r *bits) position() int {
	at := r.at
	for range (r.count - r.padding) / 8 {
		if at >= 2 && r.b[at-1] == 0 && r.b[at-2] == 0xff {
			at--
		}
		at--
	}
	return at
}

// reset begins anew behind a mark.
func (r *bits) reset(at int) {
	*r = bits{b: r.b, at: at}
}

// standardTables are those of T.81's annex K.3, which cameras of moving pictures leave
// out of every frame.
var standardTables = sync.OnceValue(func() [2][2]*table {
	var out [2][2]*table
	for class := range standard {
		for id, s := range standard[class] {
			t, err := newTable(s.counts, s.values)
			if err != nil {
				panic(err) // a constant
			}
			out[class][id] = t
		}
	}
	return out
})
