package labelstudio

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

// brush is a mask as Label Studio's brush stores it: the pixels as RGBA, row by
// row, each channel 0 or 255, packed by the run lengths of thi.ng/rle-pack:
//
//	32 bits  number of words
//	 5 bits  size of a word − 1
//	 4×4     sizes of run lengths − 1
//	then, for each run:
//	 1 bit   1: one word, repeated; 0: as many words as the run is long
//	 2 bits  which size the run length has
//	 n bits  run length − 1
//	         the word or words
//
// All numbers have their highest bit first. In JSON it is a list of numbers.
type brush []byte

// Sizes of the run lengths, in bits: the ones that Label Studio itself writes.
var brushSizes = [4]int{3, 4, 8, 16}

const (
	brushWord     = 8
	brushChannels = 4
)

// newBrush packs the pixels that have a label.
func newBrush(m *mask.Map, label uint16) brush {
	w := &bitWriter{}
	w.write(uint32(len(m.Labels)*brushChannels), 32)
	w.write(brushWord-1, 5)
	for _, s := range brushSizes {
		w.write(uint32(s-1), 4)
	}
	for i := 0; i < len(m.Labels); {
		inside, start := m.Labels[i] == label, i
		for i < len(m.Labels) && (m.Labels[i] == label) == inside {
			i++
		}
		w.run((i-start)*brushChannels, inside)
	}
	return w.bytes
}

// run writes n equal words, in parts where they are more than the longest run.
func (w *bitWriter) run(n int, inside bool) {
	value := uint32(0)
	if inside {
		value = 255
	}
	for n > 0 {
		k := 0
		for k < len(brushSizes)-1 && n > 1<<brushSizes[k] {
			k++
		}
		length := min(n, 1<<brushSizes[k])
		w.write(1, 1)
		w.write(uint32(k), 2)
		w.write(uint32(length-1), brushSizes[k])
		w.write(value, brushWord)
		n -= length
	}
}

// errBrush is wrapped by errors about bytes that are no brush.
var errBrush = errors.New("not a brush of Label Studio")

// draw gives the brush's pixels a label. A pixel is the brush's where its first
// channel is above 127.
func (b brush) draw(m *mask.Map, label uint16) error {
	r := &bitReader{bytes: b}
	n := int(r.read(32))
	if n != len(m.Labels)*brushChannels || n > limits.ImagePixels*brushChannels {
		return fmt.Errorf("%w: it has %d values, a mask of %d×%d needs %d", errBrush, n, m.Width, m.Height, len(m.Labels)*brushChannels)
	}
	word := int(r.read(5)) + 1
	var sizes [4]int
	for i := range sizes {
		sizes[i] = int(r.read(4)) + 1
	}
	for at := 0; at < n; {
		repeat := r.read(1) == 1
		end := at + int(r.read(sizes[r.read(2)])) + 1
		if r.ended || end > n {
			return fmt.Errorf("%w: its runs do not fit", errBrush)
		}
		var v uint32
		for first := true; at < end; at++ {
			if first || !repeat {
				v, first = r.read(word), false
			}
			if at%brushChannels == 0 && v > 127 {
				m.Labels[at/brushChannels] = label
			}
		}
		if r.ended {
			return fmt.Errorf("%w: it ends inside a run", errBrush)
		}
	}
	return nil
}

// MarshalJSON writes a list of numbers.
func (b brush) MarshalJSON() ([]byte, error) {
	out := make([]byte, 0, 4*len(b)+2)
	out = append(out, '[')
	for i, v := range b {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendUint(out, uint64(v), 10)
	}
	return append(out, ']'), nil
}

// bitWriter writes numbers, their highest bit first.
type bitWriter struct {
	bytes []byte
	used  int // bits of the last byte
}

func (w *bitWriter) write(v uint32, bits int) {
	for bits > 0 {
		if w.used == 0 {
			w.bytes = append(w.bytes, 0)
		}
		n := min(bits, 8-w.used)
		part := byte(v >> (bits - n) & (1<<n - 1))
		w.bytes[len(w.bytes)-1] |= part << (8 - w.used - n)
		w.used = (w.used + n) % 8
		bits -= n
	}
}

// bitReader reads numbers; beyond the end it reads zeros and notes it.
type bitReader struct {
	bytes []byte
	at    int // in bits
	ended bool
}

func (r *bitReader) read(bits int) uint32 {
	var v uint32
	for bits > 0 {
		if r.at/8 >= len(r.bytes) {
			r.ended = true
			return 0
		}
		n := min(bits, 8-r.at%8)
		part := r.bytes[r.at/8] >> (8 - r.at%8 - n) & (1<<n - 1)
		v = v<<n | uint32(part)
		r.at += n
		bits -= n
	}
	return v
}
