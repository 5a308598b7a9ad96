package pairs

import (
	"context"
	"math"
)

// cells are the label map of one picture of a batch.
type cells struct {
	// side is the number of cells of a row and of a column.
	side int
	// value holds what a cell shows, as its sample's label map has it; from is the
	// sample's place in samples. A sample without a label map is nil there.
	value, from []uint8
	samples     []*loaded
	// mixed reports that the picture is made of several samples.
	mixed bool
}

func newCells(side int) *cells {
	c := &cells{side: side, value: make([]uint8, side*side), from: make([]uint8, side*side)}
	for i := range c.value {
		c.value[i] = LabelUnknown
	}
	return c
}

// put copies the cells of a sample, n a row, of which those from x, y on are taken,
// to a rectangle of the map.
func (c *cells) put(s *loaded, values []uint8, n, x, y int, to rectangle) {
	number := uint8(len(c.samples))
	c.samples = append(c.samples, s.text())
	for i := range to.height {
		for j := range to.width {
			at := (to.y+i)*c.side + to.x + j
			c.from[at], c.value[at] = number, LabelUnknown
			if values != nil {
				c.value[at] = values[(y+i)*n+x+j]
			}
		}
	}
}

// Kinds of mixed pictures.
const (
	plain = iota
	mosaic
	cutmix
)

// mix draws how an image of a batch is made.
func (a Augment) mix(d *rng) int {
	if a.Mosaic == 0 && a.Cutmix == 0 {
		return plain
	}
	switch r := d.float(); {
	case r < a.Mosaic:
		return mosaic
	case r < a.Mosaic+a.Cutmix:
		return cutmix
	}
	return plain
}

// compose makes image [3, S, S] of index i in a step's batch from sample s, and from
// others where it is a mixed one. It returns its label map, nil where the options ask
// for none.
func (b *batchBuilder) compose(ctx context.Context, pixels []float32, s *loaded, step, i int) (*cells, error) {
	o, at := b.options, b.streamIndex(step, i)
	d := newRNG(o.Seed, forPicture, at)
	if !o.Labels {
		_, err := b.picture(pixels, o.ImageSize, s, d, b.crop)
		return nil, err
	}
	side := o.ImageSize / o.LabelCell
	c := newCells(side)
	whole := rectangle{0, 0, side, side}
	mixing := newRNG(o.Seed, forMix, at)
	switch o.Augment.mix(mixing) {
	case mosaic:
		c.mixed = true
		return c, b.mosaic(ctx, pixels, c, s, mixing, at)
	case cutmix:
		c.mixed = true
		values, err := b.picture(pixels, o.ImageSize, s, d, b.crop)
		if err != nil {
			return nil, err
		}
		c.put(s, values, side, 0, 0, whole)
		return c, b.cutmix(ctx, pixels, c, mixing, at)
	}
	values, err := b.picture(pixels, o.ImageSize, s, d, b.crop)
	c.put(s, values, side, 0, 0, whole)
	return c, err
}

// mosaic makes a picture of four at half the size: s is the first.
func (b *batchBuilder) mosaic(ctx context.Context, pixels []float32, c *cells, s *loaded, mixing *rng, at uint64) error {
	o := b.options
	half, cell := o.ImageSize/2, c.side/2
	part := make([]float32, 3*half*half)
	for k := range 4 {
		if k > 0 {
			var err error
			if s, err = b.another(ctx, mixing); err != nil {
				return err
			}
		}
		values, err := b.picture(part, half, s, newRNG(o.Seed, forPicture, at, uint64(k)), b.crop)
		if err != nil {
			return err
		}
		x, y := k%2, k/2
		copyPart(pixels, o.ImageSize, x*half, y*half, part, half, 0, 0, half, half)
		c.put(s, values, cell, 0, 0, rectangle{x * cell, y * cell, cell, cell})
	}
	return nil
}

// Cutmix takes from 0.3 to 0.6 of a picture's cells each way.
const leastCut, mostCut = 0.3, 0.6

// cutmix puts a rectangle of another sample's picture into one, where it lies in its
// own.
func (b *batchBuilder) cutmix(ctx context.Context, pixels []float32, c *cells, mixing *rng, at uint64) error {
	o := b.options
	s, err := b.another(ctx, mixing)
	if err != nil {
		return err
	}
	other := make([]float32, 3*o.ImageSize*o.ImageSize)
	values, err := b.picture(other, o.ImageSize, s, newRNG(o.Seed, forPicture, at, 1), b.crop)
	if err != nil {
		return err
	}
	length := func() int {
		return min(max(1, int(math.Round(mixing.between(leastCut, mostCut)*float64(c.side)))), c.side)
	}
	r := rectangle{width: length(), height: length()}
	r.x, r.y = mixing.intn(c.side-r.width+1), mixing.intn(c.side-r.height+1)
	k := o.LabelCell
	copyPart(pixels, o.ImageSize, r.x*k, r.y*k, other, o.ImageSize, r.x*k, r.y*k, r.width*k, r.height*k)
	c.put(s, values, c.side, r.x, r.y, r)
	return nil
}

// copyPart copies width × height pixels of an image [3, n, n] to another [3, size,
// size].
func copyPart(to []float32, size, x, y int, from []float32, n, fromX, fromY, width, height int) {
	for c := range 3 {
		for i := range height {
			source := from[c*n*n+(fromY+i)*n+fromX:]
			copy(to[c*size*size+(y+i)*size+x:][:width], source[:width])
		}
	}
}

// another draws a further sample for a mixed picture, balanced as a batch is.
func (b *batchBuilder) another(ctx context.Context, d *rng) (*loaded, error) {
	i := d.intn(b.index.Len())
	if len(b.groups) > 0 && d.float() < b.options.Balance.Share {
		group := b.groups[d.intn(len(b.groups))]
		i = int(group[d.intn(len(group))])
	}
	s, _, err := b.usable(ctx, i, d)
	return s, err
}
