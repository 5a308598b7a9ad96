package synth

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrOptions is wrapped by every error about [Options].
var ErrOptions = errors.New("bad scene options")

// words of the classes, in the order of the mask values.
var words = [...]string{
	"ball", "box", "tent", "wheel", "cross", "star", "fish", "kite",
	"grass", "sand", "water", "brick",
}

// The numbers of kinds of objects, of grounds, and of all classes.
const (
	Kinds   = 8
	Grounds = 4
	Classes = Kinds + Grounds
)

// Words returns the twelve class words in the order of the mask values: the
// eight kinds of objects, then the four grounds.
func Words() []string { return slices.Clone(words[:]) }

// IsGround says whether mask value class is a ground.
func IsGround(class int) bool { return class >= Kinds && class < Classes }

// Options say what scenes to draw. The zero value is the standard scene.
type Options struct {
	// Size is the side of the square picture in pixels, 16 to 1024; 0 is 64.
	Size int
	// MinObjects and MaxObjects bound the number of objects (uniform), 0 to 64;
	// both 0 is 1 to 4. An object that finds no place is left out.
	MinObjects, MaxObjects int
	// MinRadius and MaxRadius bound the objects' radius in pixels (uniform);
	// both 0 is 10 to 18.
	MinRadius, MaxRadius float64
	// Distinct draws kinds without replacement, at most [Kinds] objects.
	Distinct bool
	// Grounds is the number of different grounds, 1 to 4 (0 is 1): bands of equal
	// height, one below the other. A scene has up to 12 classes then.
	Grounds int
}

// Validate checks the options; the error says which one to mend.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Size < 16 || o.Size > 1024:
		return fmt.Errorf("%w: size %d: it must be 16 to 1024 pixels", ErrOptions, o.Size)
	case o.MinObjects < 0 || o.MaxObjects < o.MinObjects || o.MaxObjects > 64:
		return fmt.Errorf("%w: %d to %d objects: it must be a range within 0 to 64, smaller end first", ErrOptions, o.MinObjects, o.MaxObjects)
	case o.Distinct && o.MaxObjects > Kinds:
		return fmt.Errorf("%w: %d distinct objects: there are %d kinds", ErrOptions, o.MaxObjects, Kinds)
	case o.Grounds < 1 || o.Grounds > Grounds:
		return fmt.Errorf("%w: %d grounds: it must be 1 to %d", ErrOptions, o.Grounds, Grounds)
	case !(o.MinRadius >= 2 && o.MinRadius <= o.MaxRadius && o.MaxRadius <= float64(o.Size)/1.2):
		return fmt.Errorf("%w: radius %v to %v: it must be a range within 2 to %.0f pixels, smaller end first", ErrOptions, o.MinRadius, o.MaxRadius, float64(o.Size)/1.2)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Size == 0 {
		o.Size = 64
	}
	if o.MinObjects == 0 && o.MaxObjects == 0 {
		o.MinObjects, o.MaxObjects = 1, 4
	}
	if o.Grounds == 0 {
		o.Grounds = 1
	}
	if o.MinRadius == 0 && o.MaxRadius == 0 {
		o.MinRadius, o.MaxRadius = 10, 18
	}
	return o
}

// Scene is one picture with its truth.
type Scene struct {
	// Size is the side in pixels.
	Size int
	// RGB holds 3·Size² bytes: red, green, blue of each pixel, row by row.
	RGB []uint8
	// Mask holds Size² class values, 0 to [Classes]−1: every pixel has a class.
	Mask []uint8
	// Caption names most of what is there.
	Caption string
	// Nouns are the class words of the caption, in its order.
	Nouns []string
	// Objects are the classes of the objects in the order they were painted.
	Objects []int
	// Ground is the class of the ground, the topmost of several.
	Ground int
}

// palette is shared by objects and grounds, so that colour says nothing.
var palette = [...][3]float64{
	{200, 60, 60}, {70, 160, 70}, {70, 90, 200}, {210, 180, 60}, {160, 80, 180}, {70, 180, 190},
}

// placementTries is how often a place is sought for an object.
const placementTries = 10

// noise is the deviation of the noise in levels of 0 to 255.
const noise = 8

// Draw draws scene number index of a seed. The options must be valid.
func Draw(seed, index uint64, o Options) Scene {
	o = o.withDefaults()
	n := o.Size * o.Size
	c := canvas{
		size: o.Size, random: newRandom(seed, index), picture: make([]float64, 3*n),
		mask: make([]uint8, n), owner: make([]uint8, n),
	}
	s := Scene{Size: o.Size, Mask: c.mask, Ground: c.paintGround()}
	if o.Grounds > 1 {
		c.paintBands(s.Ground, o.Grounds)
	}
	count := o.MinObjects + c.random.below(o.MaxObjects-o.MinObjects+1)
	kinds := []int{0, 1, 2, 3, 4, 5, 6, 7}
	if o.Distinct {
		c.shuffle(kinds)
	}
	for i := range count {
		kind := c.random.below(Kinds)
		if o.Distinct {
			kind = kinds[i]
		}
		if c.place(kind, o) {
			s.Objects = append(s.Objects, kind)
		}
	}
	s.RGB = c.expose()
	s.Caption, s.Nouns = c.caption(s.Objects, s.Ground)
	return s
}

// canvas is a scene that is being painted.
type canvas struct {
	size    int
	random  *random
	picture []float64 // 3·size², before exposure and noise
	mask    []uint8   // class of each pixel
	owner   []uint8   // number of the object (from 1) that is seen there, 0 is the ground
	painted []int     // per object: pixels it covered when it was painted
	seen    []int     // per object: pixels of it that are seen now
	covered []covered // scratch: the pixels of the object that is being placed
}

// covered is a pixel of an object and its texture there.
type covered struct {
	at      int
	texture float64
}

func (c *canvas) shuffle(list []int) {
	for i := len(list) - 1; i > 0; i-- {
		j := c.random.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

// colour draws a palette colour and scales it by a factor from low to high.
func (c *canvas) colour(low, high float64) [3]float64 {
	colour := palette[c.random.below(len(palette))]
	factor := c.random.between(low, high)
	for i := range colour {
		colour[i] *= factor
	}
	return colour
}

// place finds a place for an object and paints it. It fails where ten random
// placements would each hide more than half of an earlier object.
func (c *canvas) place(kind int, o Options) bool {
	for range placementTries {
		r := c.random.between(o.MinRadius, o.MaxRadius)
		p := pose{radius: r}
		edge := float64(0.6 * r)
		p.x = c.random.between(edge, float64(c.size)-edge)
		p.y = c.random.between(edge, float64(c.size)-edge)
		turn := c.random.between(-0.35, 0.35) / (2 * math.Pi)
		p.sin, p.cos = sinTurns(turn), cosTurns(turn)
		c.cover(kind, p)
		if c.leavesHalf() {
			c.paint(kind)
			return true
		}
	}
	return false
}

// leavesHalf says whether the covered pixels leave every earlier object at
// least half of what it covered when it was painted.
func (c *canvas) leavesHalf() bool {
	if len(c.covered) == 0 {
		return false
	}
	hidden := make([]int, len(c.seen)+1)
	for _, p := range c.covered {
		hidden[c.owner[p.at]]++
	}
	for i, seen := range c.seen {
		if 2*(seen-hidden[i+1]) < c.painted[i] {
			return false
		}
	}
	return true
}

// paint puts the covered pixels on the canvas.
func (c *canvas) paint(kind int) {
	colour := c.colour(0.8, 1.15)
	var dark, span [3]float64
	for i, v := range colour {
		dark[i] = float64(0.35 * v)
		span[i] = min(float64(0.7*v)+80, 255) - dark[i]
	}
	c.painted = append(c.painted, len(c.covered))
	c.seen = append(c.seen, 0)
	number := len(c.seen)
	for _, p := range c.covered {
		if before := c.owner[p.at]; before > 0 {
			c.seen[before-1]--
		}
		c.owner[p.at], c.mask[p.at] = uint8(number), uint8(kind)
		pixel := c.picture[3*p.at:][:3]
		for i := range pixel {
			pixel[i] = dark[i] + float64(span[i]*p.texture)
		}
	}
	c.seen[number-1] = len(c.covered)
}

// expose scales the picture by a common factor, adds noise and rounds.
func (c *canvas) expose() []uint8 {
	gain := c.random.between(0.8, 1.15)
	quantiles := normals()
	rgb := make([]uint8, len(c.picture))
	var bits uint64
	for i, v := range c.picture {
		if i%(64/normalBits) == 0 {
			bits = c.random.pcg.Uint64()
		}
		z := float64(quantiles[bits&(1<<normalBits-1)])
		bits >>= normalBits
		level := float64(v*gain) + float64(noise*z)
		rgb[i] = uint8(min(max(level, 0), 255) + 0.5)
	}
	return rgb
}
