package synth

import "math"

// pose is where an object lies: centre and radius in pixels, rotation by sine
// and cosine.
type pose struct{ x, y, radius, sin, cos float64 }

// paintGround fills the canvas with one of the grounds and returns its class.
func (c *canvas) paintGround() int {
	ground := c.random.below(Grounds)
	c.paintBand(ground, 0, c.size)
	return Kinds + ground
}

// paintBands paints other grounds over all but the first of so many bands.
func (c *canvas) paintBands(first, bands int) {
	others := []int{}
	for g := range Grounds {
		if Kinds+g != first {
			others = append(others, g)
		}
	}
	c.shuffle(others)
	for i := 1; i < bands; i++ {
		c.paintBand(others[i-1], i*c.size/bands, (i+1)*c.size/bands)
	}
}

// paintBand paints a ground on rows from to to.
func (c *canvas) paintBand(ground, from, to int) {
	colour := c.colour(0.6, 1)
	texture := c.groundTexture(ground)
	for y := range to {
		for x := range c.size {
			at := y*c.size + x
			light := 0.45 + float64(0.55*texture(x, y)) // textures are asked for row by row
			if y < from {
				continue
			}
			for i, v := range colour {
				c.picture[3*at+i] = v * light
			}
			c.mask[at] = uint8(Kinds + ground)
		}
	}
}

// groundTexture draws a ground's random parts and returns its texture, 0 to 1,
// to be asked for row by row.
func (c *canvas) groundTexture(ground int) func(x, y int) float64 {
	r := c.random
	switch words[Kinds+ground] {
	case "grass": // upright streaks of 1×8 pixels
		const length = 8
		offsets, current := make([]int, c.size), make([]float64, c.size)
		for x := range offsets {
			offsets[x] = r.below(length)
		}
		return func(x, y int) float64 {
			if y == 0 || (y+offsets[x])%length == 0 {
				current[x] = r.float()
			}
			return current[x]
		}
	case "sand": // every pixel by itself
		return func(int, int) float64 { return r.float() }
	case "water": // wavy stripes of 6 pixels
		phase1, phase2 := r.float(), r.float()
		wave := make([]float64, c.size)
		for x := range wave {
			wave[x] = float64(1.5 * sinTurns(float64(x)/16+phase2))
		}
		return func(x, y int) float64 {
			return 0.5 + float64(0.5*sinTurns((float64(y)+wave[x])/6+phase1))
		}
	default: // brick: 12×6 pixels with joints of one pixel
		const width, height = 12, 6
		dx, dy := r.below(width), r.below(2*height)
		return func(x, y int) float64 {
			row := (y + dy) / height
			if (y+dy)%height == 0 || (x+dx+row%2*width/2)%width == 0 {
				return 0
			}
			return 0.9
		}
	}
}

// cover collects the pixels that an object covers at a pose.
func (c *canvas) cover(kind int, p pose) {
	c.covered = c.covered[:0]
	reach := float64(1.25 * p.radius) // the box's corner is at 0.85·√2 of the radius
	x0, x1 := c.clip(p.x-reach), c.clip(p.x+reach+1)
	y0, y1 := c.clip(p.y-reach), c.clip(p.y+reach+1)
	for py := y0; py < y1; py++ {
		for px := x0; px < x1; px++ {
			dx, dy := float64(px)-p.x, float64(py)-p.y
			x := float64(p.cos*dx) + float64(p.sin*dy)
			y := float64(p.cos*dy) - float64(p.sin*dx)
			if t, in := objectTexture(kind, x, y, x/p.radius, y/p.radius); in {
				c.covered = append(c.covered, covered{at: py*c.size + px, texture: t})
			}
		}
	}
}

func (c *canvas) clip(v float64) int { return int(min(max(v, 0), float64(c.size))) }

// objectTexture says whether an object covers a point and how light it is
// there, 0 to 1. (x, y) is the point from the object's centre in pixels, (u, v)
// in radii; y and v point down.
func objectTexture(kind int, x, y, u, v float64) (float64, bool) {
	au, av := math.Abs(u), math.Abs(v)
	d2 := float64(u*u) + float64(v*v)
	switch words[kind] {
	case "ball": // a light spot at the upper left
		if d2 >= 1 {
			return 0, false
		}
		su, sv := u+0.3, v+0.3
		spot := math.Sqrt(float64(su*su) + float64(sv*sv))
		return min(max(1.1-float64(0.9*spot), 0), 1), true
	case "box": // a checker of 4 pixels
		return band(math.Floor(x/4) + math.Floor(y/4)), max(au, av) < 0.85
	case "tent": // level stripes of 3 pixels
		return band(math.Floor(y / 3)), v > -1 && v < 0.8 && au < 0.55*(v+1)
	case "wheel":
		return 0.85, d2 > 0.45*0.45 && d2 < 1
	case "cross":
		return 0.3, min(au, av) < 0.33 && max(au, av) < 1
	case "star":
		d := math.Sqrt(d2)
		rim := 1.0 // of the ray upwards from the centre itself
		if d > 0 {
			// cos 5θ is the real part of ((u + iv)/d)⁵.
			a, b := u/d, v/d
			a2, b2 := a*a, b*b
			cos5 := a * (float64(a2*a2) - float64(10*float64(a2*b2)) + float64(5*float64(b2*b2)))
			rim = max(0.3, 0.55+float64(0.45*cos5))
		}
		return min(max(1-d, 0), 1), d < rim
	case "fish": // dots of 2.5 pixels on a grid of 5
		inX := x-float64(5*math.Floor(x/5)) < 2.5
		inY := y-float64(5*math.Floor(y/5)) < 2.5
		t := 0.0
		if inX && inY {
			t = 1
		}
		return t, float64(u*u)+float64(4*float64(v*v)) < 1
	default: // kite: slanting stripes of 3.5 pixels
		return band(math.Floor((x + y) / 3.5)), float64(1.4*au)+av < 1
	}
}

// band is 1 for even n, 0 for odd n.
func band(n float64) float64 {
	if int(n)&1 == 0 {
		return 1
	}
	return 0
}
