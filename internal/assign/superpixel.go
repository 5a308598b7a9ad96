package assign

import "math"

// Superpixels are regions of like colour that a picture is cut into.
type Superpixels struct {
	// Width and Height are the picture's.
	Width, Height int
	// Of [Height·Width] is the region of each place.
	Of []int32
	// spots are the regions' middles, in rows of columns as the first grid had them.
	spots   []spot
	columns int
	// side is the first grid's step, in places.
	side float64
}

// spot is the middle of a region, in colour (levels of 0 to 255) and place, and how
// many places it has.
type spot struct{ r, g, b, x, y, size float32 }

// Count is the number of regions.
func (s *Superpixels) Count() int { return len(s.spots) }

// SLIC cuts a picture into compact regions of like colour (Achanta et al., "SLIC
// Superpixels", TPAMI 2012): k-means in colour and place, each centre looking only
// around itself.
type SLIC struct {
	// Count is about how many regions there are.
	Count int
	// Compactness weighs distance against colour (levels of 0 to 255): 10 keeps to
	// edges, 40 to squares.
	Compactness float64
	// Rounds of k-means.
	Rounds int
}

// Cut cuts a picture [3, height·width].
func (o SLIC) Cut(picture []float32, width, height int) *Superpixels {
	n := width * height
	side := math.Sqrt(float64(n) / float64(max(1, o.Count)))
	nx, ny := max(1, int(float64(width)/side+0.5)), max(1, int(float64(height)/side+0.5))
	s := &Superpixels{Width: width, Height: height, Of: make([]int32, n), spots: make([]spot, nx*ny), columns: nx, side: side}
	for j := range ny {
		for i := range nx {
			x, y := (float64(i)+0.5)*float64(width)/float64(nx), (float64(j)+0.5)*float64(height)/float64(ny)
			at := int(y)*width + int(x)
			s.spots[j*nx+i] = spot{picture[at], picture[n+at], picture[2*n+at], float32(x), float32(y), 0}
		}
	}
	weight, reach := float32(o.Compactness*o.Compactness/(side*side)), int(math.Ceil(1.5*side))
	distance := make([]float32, n)
	for range max(1, o.Rounds) {
		s.assign(picture, distance, weight, reach)
		s.measure(picture)
	}
	return s
}

// assign gives each place the nearest of the centres within reach.
func (s *Superpixels) assign(picture, distance []float32, weight float32, reach int) {
	n := len(s.Of)
	for i := range distance {
		distance[i], s.Of[i] = math.MaxFloat32, -1
	}
	for k, c := range s.spots {
		x0, x1 := max(0, int(c.x)-reach), min(s.Width, int(c.x)+reach+1)
		for y := max(0, int(c.y)-reach); y < min(s.Height, int(c.y)+reach+1); y++ {
			from, to := y*s.Width+x0, y*s.Width+x1
			red, green, blue := picture[from:to], picture[n+from:n+to], picture[2*n+from:2*n+to]
			near, of := distance[from:to], s.Of[from:to]
			v := float32(y) + 0.5 - c.y
			v *= v * weight
			u := float32(x0) + 0.5 - c.x
			for i, r := range red {
				r, g, b := r-c.r, green[i]-c.g, blue[i]-c.b
				if d := r*r + g*g + b*b + weight*u*u + v; d < near[i] {
					near[i], of[i] = d, int32(k)
				}
				u++
			}
		}
	}
	for at, k := range s.Of {
		if k < 0 { // out of every centre's reach: its neighbour's
			s.Of[at] = max(s.Of[max(at-1, 0)], 0)
		}
	}
}

// measure puts each region's middle where its places are; an empty one stays.
func (s *Superpixels) measure(picture []float32) {
	n := len(s.Of)
	sums := make([]spot, len(s.spots))
	for at, k := range s.Of {
		m := &sums[k]
		m.r, m.g, m.b = m.r+picture[at], m.g+picture[n+at], m.b+picture[2*n+at]
		m.x, m.y = m.x+float32(at%s.Width)+0.5, m.y+float32(at/s.Width)+0.5
		m.size++
	}
	for k, m := range sums {
		if c := m.size; c > 0 {
			s.spots[k] = spot{m.r / c, m.g / c, m.b / c, m.x / c, m.y / c, c}
		} else {
			s.spots[k].size = 0
		}
	}
}
