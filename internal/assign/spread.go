package assign

import "math"

// Spread lets superpixels that look alike speak for each other: Rounds times the
// value of each becomes a mean of its own and, with Weight, of those around it,
// weighted by their sizes and by Gaussians of colour and place. It is a random walk
// with restart, after DenseCRF (Krähenbühl and Koltun, 2011), whose kernel of colour
// and place this is, over regions instead of pixels.
type Spread struct {
	// Weight of the others, 0 to 1.
	Weight float64
	// Colour is the Gaussian's deviation in levels of 0 to 255, Place that in places
	// of the picture.
	Colour, Place float64
	// Rounds of the walk.
	Rounds int
}

// neighbour is a region and what it weighs for another.
type neighbour struct {
	region int32
	weight float32
}

// Where neighbours are left out: beyond so many deviations along an axis, and below
// e^−9 of a weight.
const (
	spreadReach    = 3
	spreadExponent = 9
)

// neighbours lists, for each region, those that weigh for it, itself among them. Their
// weights sum to 1.
func (o Spread) neighbours(s *Superpixels) [][]neighbour {
	out := make([][]neighbour, len(s.spots))
	reach := float32(spreadReach * o.Place)
	colour, place := float32(1/(2*o.Colour*o.Colour)), float32(1/(2*o.Place*o.Place))
	// A middle is at most a reach of SLIC from where it was, in the first grid.
	rows := int(math.Ceil((float64(reach)+4*s.side)/s.side)) + 1
	for i, x := range s.spots {
		row, sum := i/s.columns, float32(0)
		for j := max(row-rows, 0) * s.columns; j < min((row+rows+1)*s.columns, len(s.spots)); j++ {
			y := &s.spots[j]
			u, v := x.x-y.x, x.y-y.y
			if u > reach || u < -reach || v > reach || v < -reach {
				continue
			}
			r, g, b := x.r-y.r, x.g-y.g, x.b-y.b
			e := (r*r+g*g+b*b)*colour + (u*u+v*v)*place
			if e > spreadExponent {
				continue
			}
			w := y.size * float32(exp(-float64(e)))
			sum += w
			out[i] = append(out[i], neighbour{int32(j), w})
		}
		for k := range out[i] {
			out[i][k].weight /= max(sum, math.SmallestNonzeroFloat32)
		}
	}
	return out
}

// walk returns the values after all rounds.
func (o Spread) walk(own []float32, around [][]neighbour) []float32 {
	from, weight := own, float32(o.Weight)
	for range o.Rounds {
		to := make([]float32, len(own))
		for i, list := range around {
			var sum float32
			for _, n := range list {
				sum += n.weight * from[n.region]
			}
			to[i] = (1-weight)*own[i] + weight*sum
		}
		from = to
	}
	return from
}
