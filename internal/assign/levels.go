package assign

import (
	"math"
	"slices"
)

// joining is a cut in which regions are joined, two by two.
type joining struct {
	spots []spot
	// parent is the region that each was joined to; its own where it stands.
	parent []int32
	// beside are the neighbours of those that stand.
	beside []map[int32]struct{}
	// nearest is, for each, the neighbour whose union with it costs least, or −1.
	nearest []int32
	cost    []float32
	left    int
}

// levels joins regions, always the two neighbours whose union loses least of their
// colours (Ward, 1963), and returns, each time that a half of them is left, which
// joined region each belongs to: the first of its regions.
func (s *Superpixels) levels(halvings int) [][]int32 {
	j := s.joining()
	var out [][]int32
	for n := range halvings {
		for count := len(s.spots) >> (n + 1); j.left > count && j.step(); {
		}
		out = append(out, j.roots())
	}
	return out
}

func (s *Superpixels) joining() *joining {
	n := len(s.spots)
	j := &joining{
		spots: slices.Clone(s.spots), parent: make([]int32, n), beside: make([]map[int32]struct{}, n),
		nearest: make([]int32, n), cost: make([]float32, n),
	}
	for i := range j.parent {
		j.parent[i], j.beside[i] = int32(i), map[int32]struct{}{}
	}
	touch := func(a, b int32) {
		if a != b {
			j.beside[a][b], j.beside[b][a] = struct{}{}, struct{}{}
		}
	}
	for i, k := range s.Of {
		if (i+1)%s.Width > 0 {
			touch(k, s.Of[i+1])
		}
		if i+s.Width < len(s.Of) {
			touch(k, s.Of[i+s.Width])
		}
	}
	for k := range n {
		j.search(int32(k))
		if j.spots[k].size > 0 {
			j.left++
		}
	}
	return j
}

// loss is by how much the squares of colours' distances from their mean grow if two
// regions become one.
func (j *joining) loss(a, b int32) float32 {
	x, y := &j.spots[a], &j.spots[b]
	r, g, l := x.r-y.r, x.g-y.g, x.b-y.b
	return x.size * y.size / (x.size + y.size) * (r*r + g*g + l*l)
}

// search finds the nearest neighbour of a region, the first on ties.
func (j *joining) search(a int32) {
	j.cost[a], j.nearest[a] = math.MaxFloat32, -1
	for b := range j.beside[a] {
		if c := j.loss(a, b); c < j.cost[a] || c == j.cost[a] && b < j.nearest[a] {
			j.cost[a], j.nearest[a] = c, b
		}
	}
}

// step joins the two nearest regions, and says whether there were two.
func (j *joining) step() bool {
	a := int32(-1)
	for k, b := range j.nearest {
		if b >= 0 && (a < 0 || j.cost[k] < j.cost[a]) {
			a = int32(k)
		}
	}
	if a < 0 {
		return false
	}
	b := j.nearest[a]
	j.spots[a] = j.spots[a].with(j.spots[b])
	j.parent[b], j.nearest[b], j.cost[b] = a, -1, math.MaxFloat32
	for k := range j.beside[b] {
		delete(j.beside[k], b)
		if k != a {
			j.beside[k][a], j.beside[a][k] = struct{}{}, struct{}{}
		}
	}
	j.beside[b] = nil
	j.left--
	j.search(a)
	for k := range j.beside[a] {
		j.search(k)
	}
	return true
}

// with is the middle of two regions.
func (a spot) with(b spot) spot {
	m := a.size + b.size
	mean := func(x, y float32) float32 { return (x*a.size + y*b.size) / m }
	return spot{mean(a.r, b.r), mean(a.g, b.g), mean(a.b, b.b), mean(a.x, b.x), mean(a.y, b.y), m}
}

// roots are the regions that each belongs to now.
func (j *joining) roots() []int32 {
	out := make([]int32, len(j.parent))
	for k := range out {
		r := int32(k)
		for j.parent[r] != r {
			r = j.parent[r]
		}
		out[k] = r
	}
	return out
}
