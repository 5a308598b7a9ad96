package assign

import "context"

// Regions are superpixels that vote: all that no words change is made once.
type Regions struct {
	*Superpixels
	spread Spread
	around [][]neighbour // nil without spread
	levels [][]int32     // by level, by region
}

// NewRegions prepares a vote. Spread is none where its Weight is 0; halvings is over
// how many coarser cuts, each with half of the regions of the one before, means are
// taken too.
func NewRegions(s *Superpixels, o Spread, halvings int) *Regions {
	r := &Regions{Superpixels: s, spread: o}
	if o.Weight > 0 {
		r.around = o.neighbours(s)
	}
	if halvings > 0 {
		r.levels = s.levels(halvings)
	}
	return r
}

// Bytes is about how much memory they need.
func (r *Regions) Bytes() int64 {
	n := 4*int64(len(r.Of)) + int64(len(r.spots))*int64(24+24+4*len(r.levels))
	for _, list := range r.around {
		n += 8 * int64(cap(list))
	}
	return n
}

// Vote gives all places of a region the region's mean probabilities, spread and joined
// as the regions say. Regions lie on the planes' canvas.
func (p *Planes) Vote(ctx context.Context, r *Regions) error {
	planes := p.all()
	out := make([][]float32, len(planes))
	return sideBySide(ctx, len(planes), func(k int) {
		out[k] = r.vote(planes[k])
	}, func() { p.set(out) })
}

// Mean returns one plane [Height·Width] after the vote, as [Planes.Vote] makes it.
func (r *Regions) Mean(plane []float32) []float32 { return r.vote(plane) }

// vote returns one plane after the vote.
func (r *Regions) vote(plane []float32) []float32 {
	values := make([]float32, len(r.spots))
	for i, v := range plane {
		values[r.Of[i]] += v
	}
	for k := range values {
		values[k] /= max(r.spots[k].size, 1)
	}
	if r.around != nil && largest(values) > pamrFloor {
		values = r.spread.walk(values, r.around)
	}
	values = r.overLevels(values)
	out := make([]float32, len(plane))
	for i, k := range r.Of {
		out[i] = values[k]
	}
	return out
}

// overLevels is the mean of the values and of their means over the joined regions of
// each level.
func (r *Regions) overLevels(values []float32) []float32 {
	if len(r.levels) == 0 {
		return values
	}
	out := append([]float32(nil), values...)
	for _, of := range r.levels {
		sum, mass := make([]float32, len(of)), make([]float32, len(of))
		for k, v := range values {
			sum[of[k]] += v * r.spots[k].size
			mass[of[k]] += r.spots[k].size
		}
		for k := range out {
			out[k] += sum[of[k]] / max(mass[of[k]], 1)
		}
	}
	share := 1 / float32(1+len(r.levels))
	for k := range out {
		out[k] *= share
	}
	return out
}
