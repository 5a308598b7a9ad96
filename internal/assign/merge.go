package assign

// merge joins regions of overlapping windows that are the same thing: they have the
// same best word, and share at least half of the smaller one's part of the overlap.
// What is joined has one score, the mean of its regions' weighted by their areas.
func (v *View) merge(cut []*regions, width, height int) {
	first := make([]int, len(cut)+1) // number of each window's first region
	for i, c := range cut {
		first[i+1] = first[i] + c.count
	}
	parent := make([]int, first[len(cut)])
	for i := range parent {
		parent[i] = i
	}
	at := make([][]int, len(cut)) // by window and place of the canvas: region, or −1
	area := make([]float64, len(parent))
	for i, c := range cut {
		at[i] = make([]int, width*height)
		for n := range at[i] {
			at[i][n] = -1
		}
		p := v.placement(&v.Windows[i], width, height)
		for y, vy := range p.v {
			for x, ux := range p.u {
				cell := min(int(vy*float64(c.height)), c.height-1)*c.width + min(int(ux*float64(c.width)), c.width-1)
				r := first[i] + int(c.where[cell])
				at[i][(p.y0+y)*width+p.x0+x] = r
				area[r]++
			}
		}
	}
	for i := range cut {
		for j := range i {
			joinWindows(cut, first, at, parent, i, j)
		}
	}
	shareScores(cut, first, parent, area)
}

// joinWindows joins regions of windows i and j.
func joinWindows(cut []*regions, first []int, at [][]int, parent []int, i, j int) {
	common := map[[2]int]float64{}
	inI, inJ := map[int]float64{}, map[int]float64{}
	for n, a := range at[i] {
		if b := at[j][n]; a >= 0 && b >= 0 {
			common[[2]int{a, b}]++
			inI[a]++
			inJ[b]++
		}
	}
	for pair, shared := range common {
		a, b := pair[0], pair[1]
		if 2*shared >= min(inI[a], inJ[b]) && cut[i].best(a-first[i]) == cut[j].best(b-first[j]) {
			parent[root(parent, a)] = root(parent, b)
		}
	}
}

// best is the plane with a region's largest score, the first on ties.
func (r *regions) best(region int) int {
	best := 0
	for p := 1; p < len(r.scores)/r.count; p++ {
		if r.scores[p*r.count+region] > r.scores[best*r.count+region] {
			best = p
		}
	}
	return best
}

// root is the region that stands for all that region i was joined with.
func root(parent []int, i int) int {
	for parent[i] != i {
		parent[i] = parent[parent[i]]
		i = parent[i]
	}
	return i
}

// shareScores gives joined regions their mean scores.
func shareScores(cut []*regions, first, parent []int, area []float64) {
	if len(cut) == 0 {
		return
	}
	planes := len(cut[0].scores) / cut[0].count
	sum, mass := make([]float64, planes*len(parent)), make([]float64, len(parent))
	for i, c := range cut {
		for r := range c.count {
			a, to := area[first[i]+r], root(parent, first[i]+r)
			mass[to] += a
			for p := range planes {
				sum[to*planes+p] += a * float64(c.scores[p*c.count+r])
			}
		}
	}
	for i, c := range cut {
		for r := range c.count {
			to := root(parent, first[i]+r)
			if mass[to] == 0 {
				continue
			}
			for p := range planes {
				c.scores[p*c.count+r] = float32(sum[to*planes+p] / mass[to])
			}
		}
	}
}
