package jpeg

// block decodes a block's coefficients, or what of them the scan holds.
func (s *scan) block(c *scanComponent, to []int16) {
	switch {
	case !s.im.progressive:
		s.baseline(c, to)
	case s.from == 0 && s.high == 0:
		s.predict(c)
		to[0] = int16(c.predicted << s.low)
	case s.from == 0:
		if s.take(1) == 1 {
			to[0] |= 1 << s.low
		}
	case s.high == 0:
		s.firstAC(c, to)
	default:
		s.refineAC(c, to)
	}
}

// predict reads the difference of a mean to the one before.
func (s *scan) predict(c *scanComponent) {
	c.predicted += s.signed(min(s.code(c.dc), 15))
}

// baseline reads all coefficients (T.81, F.2.2).
func (s *scan) baseline(c *scanComponent, to []int16) {
	s.predict(c)
	to[0] = int16(c.predicted)
	for k := 1; k < 64 && !s.empty; k++ {
		v := s.code(c.ac)
		run, size := v>>4, v&15
		if size == 0 {
			if run != 15 {
				return
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return
		}
		to[zigzag[k]] = int16(s.signed(size))
	}
}

// firstAC reads the first pass over coefficients (T.81, G.1.2.2).
func (s *scan) firstAC(c *scanComponent, to []int16) {
	if s.endOfBand > 0 {
		s.endOfBand--
		return
	}
	for k := s.from; k <= s.to && !s.empty; k++ {
		v := s.code(c.ac)
		run, size := v>>4, v&15
		if size == 0 {
			if run == 15 {
				k += 15
				continue
			}
			s.endOfBand = 1<<run + int(s.take(run)) - 1
			return
		}
		if k += run; k > 63 {
			return
		}
		to[zigzag[k]] = int16(s.signed(size) << s.low)
	}
}

// refineAC reads one more bit of coefficients (T.81, G.1.2.3): of those that are there
// already, and which ones come up now.
func (s *scan) refineAC(c *scanComponent, to []int16) {
	bit := int16(1) << s.low
	k := s.from
	if s.endOfBand == 0 {
		for k <= s.to && !s.empty {
			v := s.code(c.ac)
			run, size := v>>4, v&15
			var value int16
			if size == 0 {
				if run != 15 {
					s.endOfBand = 1<<run + int(s.take(run))
					break
				}
			} else if value = -bit; s.take(1) == 1 {
				value = bit
			}
			k = s.refine(to, k, run, bit)
			if value != 0 && k <= s.to {
				to[zigzag[k]] = value
			}
			k++
		}
	}
	if s.endOfBand > 0 {
		s.endOfBand--
		s.refine(to, k, 64, bit)
	}
}

// refine passes run coefficients that are zero, reading a bit for each that is not, and
// returns where the next zero is.
func (s *scan) refine(to []int16, k, run int, bit int16) int {
	for ; k <= s.to; k++ {
		p := &to[zigzag[k]]
		if *p == 0 {
			if run == 0 {
				return k
			}
			run--
			continue
		}
		if s.take(1) == 1 && *p&bit == 0 {
			if *p > 0 {
				*p += bit
			} else {
				*p -= bit
			}
		}
	}
	return k
}
