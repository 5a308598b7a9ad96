package pairs

import "math"

// Fillings of an erased box.
const (
	ErasePixel = "pixel" // each value N(0, 1), as in the paper
	EraseRand  = "rand"  // one colour, N(0, 1) a channel
	EraseConst = "const" // 0, the mean colour
)

// erase fills random boxes of a normalised picture [3, S, S] (Random Erasing:
// Zhong et al., AAAI 2020): 1 to EraseCount of them.
func (a Augment) erase(d *rng, pixels []float32, size int) {
	boxes := 1
	if a.EraseCount > 1 {
		boxes += d.intn(a.EraseCount)
	}
	for range boxes {
		if box, ok := erasedBox(d, size, boxes); ok {
			a.fill(d, pixels, size, box)
		}
	}
}

// erasedBox draws one of some boxes: an area of 2 % to a third of the picture's,
// divided by their number, an aspect of 0.3 to 1/0.3, up to ten tries.
func erasedBox(d *rng, size, boxes int) (rectangle, bool) {
	for range 10 {
		area := d.between(0.02, 1./3) * float64(size*size) / float64(boxes)
		aspect := d.logBetween(0.3, 1/0.3)
		h := int(math.RoundToEven(math.Sqrt(area * aspect)))
		w := int(math.RoundToEven(math.Sqrt(area / aspect)))
		if w < 1 || h < 1 || w >= size || h >= size {
			continue
		}
		top, left := d.intn(size-h+1), d.intn(size-w+1)
		return rectangle{left, top, w, h}, true
	}
	return rectangle{}, false
}

// fill fills a box.
func (a Augment) fill(d *rng, pixels []float32, size int, box rectangle) {
	for c := range 3 {
		colour := float32(0)
		if a.EraseMode == EraseRand {
			colour = float32(d.normal())
		}
		for y := box.y; y < box.y+box.height; y++ {
			row := pixels[(c*size+y)*size:][box.x : box.x+box.width]
			for x := range row {
				if row[x] = colour; a.EraseMode == ErasePixel {
					row[x] = float32(d.normal())
				}
			}
		}
	}
}
