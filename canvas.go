package groupvit

import (
	"sync"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
)

// canvas is what later steps need of the photo itself, small.
type canvas struct {
	// width and height are a quarter of the photo's, within bounds.
	width, height int
	// picture [3, height·width] holds levels of 0 to 255.
	picture []float32
	// patches is how many of the model's patches the photo was cut into.
	patches float64

	mutex sync.Mutex
	// regions are the superpixels that were last asked for, votes what they are.
	regions *assign.Regions
	votes   assign.VoteOptions
}

// superpixels cuts the picture as techniques say. No words change that, so what was
// asked for last is kept.
func (c *canvas) superpixels(t Techniques) *assign.Regions {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	v := assign.VoteOptions{Patches: c.patches, Superpixels: t.Superpixels, Spread: t.Spread, Levels: t.Levels}
	if c.regions == nil || c.votes != v {
		c.regions, c.votes = v.Regions(c.picture, c.width, c.height), v
	}
	return c.regions
}

// The long side of the canvas: a quarter of the photo's, but not below leastCanvas
// (or the photo's own) nor above mostCanvas, so that no photo costs more than one of
// under a megapixel.
const (
	leastCanvas = 128
	mostCanvas  = 192
)

// newCanvas draws a photo, which was cut into so many patches, on its canvas.
func newCanvas(im *imaging.Image, patches float64) (*canvas, error) {
	long := max(im.Width, im.Height)
	side := min(max(long/4, min(long, leastCanvas)), mostCanvas)
	scale := func(v int) int { return max(1, (2*v*side+long)/(2*long)) }
	c := &canvas{width: scale(im.Width), height: scale(im.Height), patches: max(patches, 1)}
	small, err := imaging.ResizePIL(im, c.width, c.height, imaging.Bilinear)
	if err != nil {
		return nil, err
	}
	n := c.width * c.height
	c.picture = make([]float32, 3*n)
	for i := range n {
		p := small.Pix[3*i : 3*i+3]
		c.picture[i], c.picture[n+i], c.picture[2*n+i] = float32(p[0]), float32(p[1]), float32(p[2])
	}
	return c, nil
}

func (c *canvas) bytes() int64 {
	if c == nil {
		return 0
	}
	// Superpixels come with the first question: their map, and what is between those
	// near each other.
	return 4*int64(len(c.picture)) + 4*int64(c.width*c.height) + 1024*int64(c.patches)
}
