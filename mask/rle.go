package mask

import (
	"encoding/json"
	"fmt"
	"math"
)

// RLE is a binary mask as COCO's run lengths: pixels column by column from the
// top left, Counts alternating between runs of 0 and runs of 1, beginning with
// 0 (the first count may be 0). In JSON it is COCO's object with size
// [height, width] and compressed counts; both forms of counts are read.
type RLE struct {
	Width, Height int
	Counts        []uint32
}

// RLE returns the run lengths of the pixels that have the label.
func (m *Map) RLE(label uint16) RLE {
	out := RLE{Width: m.Width, Height: m.Height}
	inside, run := false, uint32(0)
	for x := range m.Width {
		for at := x; at < len(m.Labels); at += m.Width {
			if (m.Labels[at] == label) != inside {
				out.Counts = append(out.Counts, run)
				inside, run = !inside, 0
			}
			run++
		}
	}
	out.Counts = append(out.Counts, run)
	return out
}

// RLEs returns [Map.RLE] of every label from 1 to labels in one pass over the map.
func (m *Map) RLEs(labels int) []RLE {
	out := make([]RLE, labels)
	ends := make([]int, labels) // where each label's last run ended, column by column
	for i := range out {
		out[i] = RLE{Width: m.Width, Height: m.Height}
	}
	for x := range m.Width {
		for y := 0; y < m.Height; {
			l, first := m.Labels[y*m.Width+x], y
			for y < m.Height && m.Labels[y*m.Width+x] == l {
				y++
			}
			if l == 0 || int(l) > labels {
				continue
			}
			r, from := &out[l-1], x*m.Height+first
			if before := ends[l-1]; from == before && len(r.Counts) > 0 {
				r.Counts[len(r.Counts)-1] += uint32(y - first)
			} else {
				r.Counts = append(r.Counts, uint32(from-before), uint32(y-first))
			}
			ends[l-1] = x*m.Height + y
		}
	}
	for i, end := range ends {
		if rest := m.Width*m.Height - end; rest > 0 {
			out[i].Counts = append(out[i].Counts, uint32(rest))
		}
	}
	return out
}

// Validate says whether the counts fill the size exactly.
func (r RLE) Validate() error {
	if err := checkSize(r.Width, r.Height); err != nil {
		return err
	}
	var sum uint64
	for _, n := range r.Counts {
		sum += uint64(n)
	}
	if want := uint64(r.Width) * uint64(r.Height); sum != want {
		return fmt.Errorf("run lengths: %w: they cover %d pixels of %d×%d = %d", ErrFormat, sum, r.Width, r.Height, want)
	}
	return nil
}

// Area returns the number of pixels of the mask.
func (r RLE) Area() int {
	var n int
	for i := 1; i < len(r.Counts); i += 2 {
		n += int(r.Counts[i])
	}
	return n
}

// Draw gives the mask's pixels the label. The map must have the mask's size.
func (r RLE) Draw(m *Map, label uint16) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := m.Fits(r.Width, r.Height); err != nil {
		return err
	}
	at := 0
	for i, n := range r.Counts {
		if i%2 == 1 {
			for k := at; k < at+int(n); k++ {
				m.Labels[k%r.Height*r.Width+k/r.Height] = label
			}
		}
		at += int(n)
	}
	return nil
}

// Compressed returns the counts as COCO's string: from the fourth count on the
// difference to the count two before, in groups of 5 bits, lowest first, with
// bit 5 marking that more follow, plus 48 to be printable.
func (r RLE) Compressed() string {
	var out []byte
	for i, n := range r.Counts {
		v := int64(n)
		if i > 2 {
			v -= int64(r.Counts[i-2])
		}
		for more := true; more; {
			c := byte(v & 0x1f)
			v >>= 5
			more = v != 0
			if c&0x10 != 0 {
				more = v != -1
			}
			if more {
				c |= 0x20
			}
			out = append(out, c+48)
		}
	}
	return string(out)
}

// ParseRLE reads COCO's compressed counts of a mask of the given size.
// Errors wrap ErrFormat, ErrSize or ErrTooLarge.
func ParseRLE(counts string, width, height int) (RLE, error) {
	r := RLE{Width: width, Height: height}
	if err := checkSize(width, height); err != nil {
		return RLE{}, err
	}
	var v int64
	shift := 0
	for at := range len(counts) {
		c := int64(counts[at]) - 48
		if c < 0 || c > 0x3f || shift > 35 {
			return RLE{}, fmt.Errorf("run lengths: %w: character %q at %d", ErrFormat, counts[at], at)
		}
		v |= (c & 0x1f) << shift
		shift += 5
		if c&0x20 != 0 {
			continue
		}
		if c&0x10 != 0 {
			v |= -1 << shift
		}
		if n := len(r.Counts); n > 2 {
			v += int64(r.Counts[n-2])
		}
		if v < 0 || v > math.MaxUint32 {
			return RLE{}, fmt.Errorf("run lengths: %w: count %d is %d", ErrFormat, len(r.Counts), v)
		}
		r.Counts = append(r.Counts, uint32(v))
		v, shift = 0, 0
	}
	if shift != 0 {
		return RLE{}, fmt.Errorf("run lengths: %w: they end inside a count", ErrFormat)
	}
	return r, r.Validate()
}

// cocoRLE is the JSON form.
type cocoRLE struct {
	Size   [2]int          `json:"size"`
	Counts json.RawMessage `json:"counts"`
}

// MarshalJSON writes {"size":[height,width],"counts":"…"}.
func (r RLE) MarshalJSON() ([]byte, error) {
	counts, err := json.Marshal(r.Compressed())
	if err != nil {
		return nil, err
	}
	return json.Marshal(cocoRLE{[2]int{r.Height, r.Width}, counts})
}

// UnmarshalJSON reads compressed and plain counts.
func (r *RLE) UnmarshalJSON(b []byte) error {
	var raw cocoRLE
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("run lengths: %w: %w", ErrFormat, err)
	}
	var text string
	if json.Unmarshal(raw.Counts, &text) == nil {
		parsed, err := ParseRLE(text, raw.Size[1], raw.Size[0])
		if err == nil {
			*r = parsed
		}
		return err
	}
	out := RLE{Width: raw.Size[1], Height: raw.Size[0]}
	if err := json.Unmarshal(raw.Counts, &out.Counts); err != nil {
		return fmt.Errorf("run lengths: %w: counts are neither a string nor numbers: %w", ErrFormat, err)
	}
	if err := out.Validate(); err != nil {
		return err
	}
	*r = out
	return nil
}
