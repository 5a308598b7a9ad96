package jpeg

import (
	"bytes"
	"unicode/utf8"
)

// scan is what a scan's header says, and where it has got to.
type scan struct {
	im *Image
	bits
	components []scanComponent
	// from and to are the coefficients, high and low the bits of them that a
	// progressive scan holds.
	from, to, high, low int
	// endOfBand is for how many more blocks nothing comes.
	endOfBand int
	// expected is the number of the next restart mark, 0 to 7; complete reports whether
	// all marks are there.
	expected int
	complete bool
}

type scanComponent struct {
	*component
	dc, ac    *table
	predicted int32
}

// scan reads a scan's header and data, and returns where the data ends.
func (im *Image) scan(_ byte, body []byte, at int) (int, error) {
	if len(im.components) == 0 {
		return 0, damaged("a scan before its size")
	}
	if im.scans++; im.scans > scansMost {
		return 0, damaged("more than %d scans", scansMost)
	}
	s := &scan{im: im, bits: bits{b: im.b, at: at}, to: 63}
	if err := s.header(body); err != nil {
		return 0, err
	}
	for i := range s.components {
		if c := s.components[i].component; c.coefficients == nil {
			c.coefficients = make([]int16, 64*c.across*c.down)
		}
	}
	blocks, lost := s.run()
	if s.high == 0 {
		im.blocks += blocks
		im.lost += lost
		for i := range s.components {
			for k := s.from; k <= s.to; k++ {
				s.components[i].first |= 1 << k
			}
		}
	}
	return s.bits.at, nil
}

// scansMost is the largest number of scans; callers may allow fewer.
const scansMost = 1000

func (s *scan) header(b []byte) error {
	if len(b) < 1 || len(b) < 4+2*int(b[0]) {
		return damaged("a scan's header is cut")
	}
	n := int(b[0])
	for i := range n {
		id, tables := int(b[1+2*i]), b[2+2*i]
		var c *component
		for k := range s.im.components {
			if s.im.components[k].id == id {
				c = &s.im.components[k]
			}
		}
		if c == nil && n == len(s.im.components) { // numbers that do not agree: by their order
			c = &s.im.components[i]
		}
		if c == nil || tables>>4 > 3 || tables&15 > 3 {
			return damaged("a scan of component %d, which it has not", id)
		}
		s.components = append(s.components, scanComponent{component: c, dc: s.im.table(0, tables>>4), ac: s.im.table(1, tables&15)})
	}
	if n == 0 || n > 4 {
		return damaged("a scan of %d components", n)
	}
	if s.im.progressive {
		b = b[1+2*n:]
		s.from, s.to, s.high, s.low = int(b[0]), int(b[1]), int(b[2]>>4), int(b[2]&15)
		if s.to > 63 || s.from > s.to || s.from == 0 && s.to != 0 || s.from > 0 && n > 1 || s.low > 13 {
			return damaged("a scan of coefficients %d to %d, bit %d", s.from, s.to, s.low)
		}
	}
	return nil
}

// table is the one that a scan names, or the standard's where the file has none.
func (im *Image) table(class int, id byte) *table {
	if t := im.huffman[class][id]; t != nil {
		return t
	}
	return standardTables()[class][min(id, 1)]
}

// run decodes the scan's blocks: of one component row by row, of several unit by unit.
// It returns how many there are, and how many of them the data ended before.
func (s *scan) run() (blocks, lost int) {
	alone := len(s.components) == 1
	across, down := s.im.components[0].across/s.im.components[0].h, s.im.components[0].down/s.im.components[0].v
	if alone {
		across, down = s.components[0].width, s.components[0].height
	}
	left := s.im.restart
	s.complete = s.restartsComplete(across * down)
	for unit := range across * down {
		if s.im.restart > 0 && left == 0 {
			s.nextRestart()
			left = s.im.restart
		}
		left--
		x, y := unit%across, unit/across
		for i := range s.components {
			c := &s.components[i]
			if alone {
				blocks, lost = blocks+1, lost+s.place(c, x, y)
				continue
			}
			for k := range c.h * c.v {
				blocks, lost = blocks+1, lost+s.place(c, x*c.h+k%c.h, y*c.v+k/c.h)
			}
		}
	}
	s.end()
	return blocks, lost
}

// place decodes the block at (x, y); 1 if there is no data for it.
func (s *scan) place(c *scanComponent, x, y int) int {
	if s.empty {
		return 1 // grey, as libjpeg leaves it
	}
	s.block(c, c.coefficients[64*(y*c.across+x):][:64])
	return 0
}

// findMark returns where the next mark is, behind the data; len(b) if there is none.
func (s *scan) findMark(at int) int {
	for ; at+1 < len(s.b); at++ {
		if s.b[at] == 0xff && s.b[at+1] != 0 && s.b[at+1] != 0xff && !strayEnd(s.b[at:]) {
			return at
		}
	}
	return len(s.b)
}

// strayEnd reports whether b begins with the mark of the end although data follows: more
// of it than of anything that programs put behind a picture without a mark.
func strayEnd(b []byte) bool {
	const data = 64
	if len(b) < 2+data || b[0] != 0xff || b[1] != endOfImage {
		return false
	}
	for i := 2; i+1 < 2+data; i++ {
		if b[i] == 0xff && b[i+1] != 0 {
			return false // a mark: another picture, as in MPO, or the end
		}
	}
	// Text and zeros are no coded data, whose bytes are of all kinds.
	var seen [256]bool
	kinds := 0
	for _, v := range b[2 : 2+data] {
		if !seen[v] {
			seen[v] = true
			kinds++
		}
	}
	return kinds > data/2 && bytes.ContainsFunc(b[2:2+data], func(r rune) bool { return r == utf8.RuneError })
}

// nextRestart finds the restart mark that is due, and begins anew behind it.
//
// Where all marks are there, their numbers do not matter, wrong as they may be. Else, if
// a later one comes next, this one was lost: what lies before that is its part of the
// picture, if anything does (libjpeg leaves it grey). One that has been is passed over,
// and any other is taken for the one that is due.
func (s *scan) nextRestart() {
	here := s.position()
	at := s.findMark(here)
	for {
		mark := -1
		if at+1 < len(s.b) {
			mark = int(s.b[at+1]) - restart0
		}
		isRestart := mark >= 0 && mark <= 7
		ahead := (mark - s.expected) & 7
		if isRestart && !s.complete && ahead >= 6 {
			if next := s.findMark(at + 2); next < len(s.b) {
				at = next
				continue
			}
		}
		switch {
		case isRestart && (s.complete || ahead != 1 && ahead != 2):
			s.reset(at + 2)
		case at-here >= leastInterval:
			s.reset(here)
		default:
			s.reset(at)
			s.ended, s.empty = true, true
		}
		break
	}
	s.expected = (s.expected + 1) & 7
	s.endOfBand = 0
	for i := range s.components {
		s.components[i].predicted = 0
	}
}

// leastInterval is how many bytes before a later mark are taken for a part of the
// picture whose own mark was lost; fewer are what is left of the part before.
const leastInterval = 4

// restartsComplete reports whether a scan of so many units has all its restart marks.
func (s *scan) restartsComplete(units int) bool {
	if s.im.restart == 0 {
		return false
	}
	n, want := 0, (units-1)/s.im.restart
	for at := s.findMark(s.bits.at); at+1 < len(s.b) && s.b[at+1] >= restart0 && s.b[at+1] < restart0+8; at = s.findMark(at + 2) {
		n++
	}
	return n == want
}

// end goes to the mark behind the data, past restart marks that are too many.
func (s *scan) end() {
	at := s.findMark(s.bits.at)
	for at+1 < len(s.b) && s.b[at+1] >= restart0 && s.b[at+1] < restart0+8 {
		at = s.findMark(at + 2)
	}
	s.bits.at = at
}
