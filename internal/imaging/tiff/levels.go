package tiff

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// levels turns samples into 8 bits.
type levels struct {
	// scale and offset: level = sample·scale + offset, cut to 0 … 255; whole cuts the
	// fraction off, as a shift of bits does, instead of rounding.
	scale, offset float64
	whole         bool
	// note says what was done where that is not what the file's numbers mean.
	note string
}

func (l levels) of(v float32) uint8 {
	f := float64(v)*l.scale + l.offset
	if !l.whole {
		f += 0.5
	}
	switch {
	case f >= 255:
		return 255
	case f > 0:
		return uint8(f)
	}
	return 0 // also what is no number
}

// fixedLevels are those that the numbers of bits alone give; ok is false where the
// samples' values must be seen first.
func (h *Header) fixedLevels() (l levels, ok bool) {
	switch {
	case h.photometric == palette:
		return levels{scale: 1}, true
	case h.format == unsigned && h.bits <= 8:
		return levels{scale: 255 / float64(int(1)<<h.bits-1)}, true
	case h.format == unsigned && h.bits < 16:
		return levels{scale: 1 / float64(int(1)<<(h.bits-8)), whole: true}, true
	case h.format == unsigned && h.bits == 16 && h.photometric > rgbColor && h.photometric != maskColor:
		return levels{scale: 1. / 256, whole: true}, true
	}
	return levels{}, false
}

// alphaLevels are those of opacity, whose full scale is opaque.
func (h *Header) alphaLevels() levels {
	switch {
	case h.format == unsigned && h.bits > 8:
		return levels{scale: 1 / float64(uint64(1)<<(h.bits-8)), whole: true}
	case h.format == unsigned:
		return levels{scale: 255 / float64(uint64(1)<<h.bits-1)}
	case h.format == floating:
		return levels{scale: 255}
	}
	return levels{scale: 1}
}

// survey sees the values of a picture.
type survey struct {
	low, high float32
	seen      bool
	// some are every step-th value.
	some    []float32
	step, n int
}

// surveyed is how many values are kept to find percentiles in.
const surveyed = 1 << 18

func (s *survey) add(v float32, noData float64) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) || float64(v) == noData || v == float32(noData) {
		return
	}
	if !s.seen || v < s.low {
		s.low = v
	}
	if !s.seen || v > s.high {
		s.high = v
	}
	s.seen = true
	if s.n++; s.n%s.step == 0 {
		s.some = append(s.some, v)
	}
}

// levels chooses those of a picture from its values.
func (s *survey) levels(h *Header) levels {
	switch {
	case !s.seen:
		return levels{}
	case h.format == unsigned && h.bits == 16:
		return depth16(uint16(s.high), h.maxSample)
	case s.low >= 0 && s.high <= 1 && h.format == floating:
		return levels{scale: 255}
	case s.low >= 0 && s.high <= 255:
		return levels{scale: 1}
	}
	low, high := s.percentiles()
	l := levels{scale: 255 / max(float64(high)-float64(low), 1e-30)}
	l.offset = -float64(low) * l.scale
	l.note = fmt.Sprintf("its values run from %.4g to %.4g (%s, %d bits): %.4g is shown black, %.4g white",
		s.low, s.high, formatName(h.format), h.bits, low, high)
	return l
}

// percentiles are those between which 99 % of the values lie, so that a few pixels
// without data or in the sun do not leave the rest without contrast.
func (s *survey) percentiles() (low, high float32) {
	slices.Sort(s.some)
	n := len(s.some)
	if n == 0 {
		return s.low, s.high
	}
	if low, high = s.some[n/200], s.some[n-1-n/200]; low == high {
		return s.low, s.high
	}
	return low, high
}

// Depth16 returns by how many bits unsigned 16-bit samples are shifted to 8, given their
// largest value, and what should be said of it: high bytes as a rule, but lower ones
// where not even the second highest bit is used by any, as in the files of cameras and
// microscopes of 10, 12 or 14 bits, whose high bytes are nearly black.
func Depth16(largest uint16) (shift int, note string) {
	used := bits.Len16(largest)
	if used > 14 || largest == 0 {
		return 8, ""
	}
	shift = max(used-8, 0)
	return shift, fmt.Sprintf("its samples use %d of 16 bits (up to %d): they are shown brighter by %d times", used, largest, 1<<(8-shift))
}

func depth16(largest uint16, stated uint64) levels {
	if stated >= 1<<15-1 && stated < 1<<16 || largest > 1<<14-1 {
		return levels{scale: 1. / 256, whole: true}
	}
	if stated >= uint64(largest) && stated > 0 && stated < 1<<15-1 {
		largest = uint16(stated)
	}
	shift, note := Depth16(largest)
	return levels{scale: 1 / float64(int(1)<<shift), whole: true, note: note}
}
