package assign

import "math"

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

// Regions returns the region of each place of a picture [3, height·width].
func (o SLIC) Regions(picture []float32, width, height int) []int {
	n := width * height
	side := math.Sqrt(float64(n) / float64(max(1, o.Count)))
	nx, ny := max(1, int(float64(width)/side+0.5)), max(1, int(float64(height)/side+0.5))
	type centre struct{ r, g, b, x, y float64 }
	centres := make([]centre, 0, nx*ny)
	red, green, blue := picture[:n], picture[n:2*n], picture[2*n:]
	for j := range ny {
		for i := range nx {
			x, y := (float64(i)+0.5)*float64(width)/float64(nx), (float64(j)+0.5)*float64(height)/float64(ny)
			at := int(y)*width + int(x)
			centres = append(centres, centre{float64(red[at]), float64(green[at]), float64(blue[at]), x, y})
		}
	}
	label, distance := make([]int, n), make([]float64, n)
	weight := o.Compactness * o.Compactness / (side * side)
	reach := int(math.Ceil(1.5 * side))
	for range max(1, o.Rounds) {
		for i := range distance {
			distance[i], label[i] = math.Inf(1), -1
		}
		for k, c := range centres {
			for y := max(0, int(c.y)-reach); y < min(height, int(c.y)+reach+1); y++ {
				for x := max(0, int(c.x)-reach); x < min(width, int(c.x)+reach+1); x++ {
					at := y*width + x
					r, g, b := float64(red[at])-c.r, float64(green[at])-c.g, float64(blue[at])-c.b
					u, v := float64(x)+0.5-c.x, float64(y)+0.5-c.y
					if d := r*r + g*g + b*b + weight*(u*u+v*v); d < distance[at] {
						distance[at], label[at] = d, k
					}
				}
			}
		}
		sums, counts := make([]centre, len(centres)), make([]float64, len(centres))
		for at, k := range label {
			if k < 0 { // out of every centre's reach: its neighbour's
				label[at] = label[max(at-1, 0)]
				if k = label[at]; k < 0 {
					label[at], k = 0, 0
				}
			}
			s := &sums[k]
			s.r, s.g, s.b = s.r+float64(red[at]), s.g+float64(green[at]), s.b+float64(blue[at])
			s.x, s.y = s.x+float64(at%width)+0.5, s.y+float64(at/width)+0.5
			counts[k]++
		}
		for k, s := range sums {
			if c := counts[k]; c > 0 {
				centres[k] = centre{s.r / c, s.g / c, s.b / c, s.x / c, s.y / c}
			}
		}
	}
	return label
}

// Vote gives all places of a region the region's mean probabilities.
func (p *Planes) Vote(regions []int) {
	count := 0
	for _, r := range regions {
		count = max(count, r+1)
	}
	size := make([]float32, count)
	for _, r := range regions {
		size[r]++
	}
	planes := p.all()
	out := make([][]float32, len(planes))
	for k, plane := range planes {
		sum := make([]float32, count)
		for i, v := range plane {
			sum[regions[i]] += v
		}
		out[k] = make([]float32, len(plane))
		for i, r := range regions {
			out[k][i] = sum[r] / size[r]
		}
	}
	p.set(out)
}
