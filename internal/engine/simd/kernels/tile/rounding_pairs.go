package tile

import "math"

// RoundPairBlock is roundBlock to numbers of 16 bits.
func RoundPairBlock(dst []uint32, x []float32) {
	groups, whole := (len(x)+3)/4, len(x)/16
	var r [3]float32
	if whole > 0 {
		pairsRange(&r, &x[0], whole)
	}
	s := stepsOf(r, x[whole*16:])
	if s.inverse == 0 {
		clear(dst[:2*groups])
	} else {
		if whole > 0 {
			_ = dst[whole*8-1]
			pairsRound(&dst[0], &x[0], whole, s.inverse, s.zero)
		}
		var rest [4]uint32
		s.round(rest[:groups-whole*4], x[whole*16:])
		for g, w := range rest[:groups-whole*4] {
			dst[2*(whole*4+g)], dst[2*(whole*4+g)+1] = w&0x00ff00ff, w>>8&0x00ff00ff
		}
	}
	dst[2*groups], dst[2*groups+2] = math.Float32bits(s.scale), uint32(int32(s.zero))
}
