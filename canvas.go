package groupvit

import (
	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
)

// canvas is what later steps need of the photo itself: small, and its brightness at
// full size for a guided filter.
type canvas struct {
	// width and height are a quarter of the photo's, within bounds.
	width, height int
	// picture [3, height·width] holds levels of 0 to 255.
	picture []float32
	// gray is the picture's brightness.
	gray  []float32
	guide *assign.Guide
}

// The long side of the canvas: a quarter of the photo's, but not below leastCanvas
// (or the photo's own) nor above mostCanvas, so that no photo costs more than one of
// under a megapixel.
const (
	leastCanvas = 128
	mostCanvas  = 192
)

// newCanvas draws a photo on its canvas; guided keeps its brightness.
func newCanvas(im *imaging.Image, guided bool) (*canvas, error) {
	long := max(im.Width, im.Height)
	side := min(max(long/4, min(long, leastCanvas)), mostCanvas)
	scale := func(v int) int { return max(1, (2*v*side+long)/(2*long)) }
	c := &canvas{width: scale(im.Width), height: scale(im.Height)}
	small, err := imaging.ResizePIL(im, c.width, c.height, imaging.Bilinear)
	if err != nil {
		return nil, err
	}
	n := c.width * c.height
	c.picture, c.gray = make([]float32, 3*n), make([]float32, n)
	for i := range n {
		p := small.Pix[3*i : 3*i+3]
		c.picture[i], c.picture[n+i], c.picture[2*n+i] = float32(p[0]), float32(p[1]), float32(p[2])
		c.gray[i] = float32(luminance(p))
	}
	if guided {
		c.guide = &assign.Guide{Width: im.Width, Height: im.Height, Gray: make([]uint8, im.Width*im.Height)}
		for i := range c.guide.Gray {
			c.guide.Gray[i] = luminance(im.Pix[3*i : 3*i+3])
		}
	}
	return c, nil
}

// luminance is that of JPEG (BT.601), rounded.
func luminance(p []uint8) uint8 {
	return uint8((299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000)
}

func (c *canvas) bytes() int64 {
	if c == nil {
		return 0
	}
	n := 4 * int64(len(c.picture)+len(c.gray))
	if c.guide != nil {
		n += int64(len(c.guide.Gray))
	}
	return n
}
