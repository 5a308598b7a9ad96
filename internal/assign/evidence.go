package assign

import (
	"context"
	"math"
)

// Evidence is what all views of a photo say of each word, on one canvas over the
// whole photo: a plane of cosines for each label and for each background word.
type Evidence struct {
	// Width and Height are the canvas's.
	Width, Height int
	// Labels is the number of labels: planes 0 to Labels−1 are theirs, those after
	// them belong to background words.
	Labels int
	// Planes are [Height·Width] each.
	Planes [][]float32
}

// Reading says how words are read from a view.
type Reading struct {
	// From is the source of the map.
	From Source
	// Segments says how pixels follow groups.
	Segments Segments
	// Width and Height are the canvas's.
	Width, Height int
}

// Gather reads words from views of one photo, each view counting the same, and
// each window of a view where it lies. A label's score is the largest of its
// names'.
func Gather(ctx context.Context, views []*View, words Words, r Reading) (*Evidence, error) {
	planes, of := words.planes()
	e := &Evidence{Width: r.Width, Height: r.Height, Labels: words.Labels, Planes: newPlanes(planes, r.Width*r.Height)}
	for _, v := range views {
		if err := v.check(r.From != FromPatches, r.From != FromGroups); err != nil {
			return nil, err
		}
		one := newPlanes(planes, r.Width*r.Height)
		visits := make([]float32, r.Width*r.Height)
		maps, err := v.maps(ctx, words, of, r)
		if err != nil {
			return nil, err
		}
		for i := range v.Windows {
			p := v.placement(&v.Windows[i], r.Width, r.Height)
			for plane, grid := range maps[i] {
				p.add(one[plane], grid)
			}
			p.addConstant(visits)
		}
		share := 1 / float32(len(views))
		for k, plane := range e.Planes {
			for n, sum := range one[k] {
				if visits[n] > 0 {
					plane[n] += share * sum / visits[n]
				}
			}
		}
	}
	return e, nil
}

// planes numbers the planes of words: labels first, then background words. of gives
// each row its plane.
func (w Words) planes() (count int, of []int) {
	of, count = make([]int, len(w.Owner)), w.Labels
	for row, owner := range w.Owner {
		if owner > 0 {
			of[row] = int(owner) - 1
			continue
		}
		of[row] = count
		count++
	}
	return count, of
}

// maps returns, by window and plane, the map on the window's grid, or on a finer
// one where segments are hard.
func (v *View) maps(ctx context.Context, words Words, of []int, r Reading) ([][]grid, error) {
	all := make([][]grid, len(v.Windows))
	for i := range v.Windows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := &v.Windows[i]
		if r.From == FromGroups && r.Segments != SoftSegments {
			all[i] = findRegions(w, words, of, r.Segments).maps()
			continue
		}
		all[i] = windowMaps(w, words, of, r.From)
	}
	return all, nil
}

// windowMaps returns, by plane, the cosines of a window's tokens: the largest of a
// label's names.
func windowMaps(w *Window, words Words, of []int, from Source) []grid {
	var maps []grid
	for row, values := range cosineMaps(w, words, from) {
		p := of[row]
		if p == len(maps) {
			maps = append(maps, grid{w.GridW, w.GridH, values})
			continue
		}
		for n, x := range values {
			maps[p].values[n] = max(maps[p].values[n], x)
		}
	}
	return maps
}

// grid is a map of height × width cells over a window.
type grid struct {
	width, height int
	values        []float32
}

func newPlanes(count, size int) [][]float32 {
	planes := make([][]float32, count)
	for i := range planes {
		planes[i] = make([]float32, size)
	}
	return planes
}

// placement says where a window lies on a canvas: columns x0 to x1 and rows y0 to
// y1, which have their centres in the window.
type placement struct {
	width, height  int // of the canvas
	x0, x1, y0, y1 int
	u, v           []float64 // places in the window, 0 to 1, by column and row
}

// placement of a window of the view on a canvas.
func (v *View) placement(w *Window, width, height int) placement {
	p := placement{width: width, height: height}
	p.x0, p.x1, p.u = span(w.X, w.Width, v.SeenWidth, width)
	p.y0, p.y1, p.v = span(w.Y, w.Height, v.SeenHeight, height)
	return p
}

func span(at, size, seen, canvas int) (from, to int, places []float64) {
	from = -1
	for c := range canvas {
		s := (float64(c) + 0.5) * float64(seen) / float64(canvas)
		u := (s - float64(at)) / float64(size)
		if u < 0 || u > 1 {
			if from >= 0 {
				break
			}
			continue
		}
		if from < 0 {
			from = c
		}
		to, places = c+1, append(places, u)
	}
	return max(from, 0), to, places
}

// add adds a window's map, bilinearly, to a plane of the canvas.
func (p *placement) add(plane []float32, g grid) {
	across := make([]taps, len(p.u))
	for i, u := range p.u {
		across[i] = tapsAt(u, g.width)
	}
	for i, v := range p.v {
		t := tapsAt(v, g.height)
		top, bottom := g.values[t.a*g.width:][:g.width], g.values[t.b*g.width:][:g.width]
		to := plane[(p.y0+i)*p.width+p.x0:]
		for k, x := range across {
			a := top[x.a] + x.w*(top[x.b]-top[x.a])
			b := bottom[x.a] + x.w*(bottom[x.b]-bottom[x.a])
			to[k] += a + t.w*(b-a)
		}
	}
}

func (p *placement) addConstant(plane []float32) {
	for y := p.y0; y < p.y1; y++ {
		row := plane[y*p.width : (y+1)*p.width]
		for x := p.x0; x < p.x1; x++ {
			row[x]++
		}
	}
}

// tapsAt are the cells beside place u, 0 to 1, of n cells.
func tapsAt(u float64, n int) taps {
	c := min(max(u*float64(n)-0.5, 0), float64(n-1))
	a := int(math.Floor(c))
	return taps{a, min(a+1, n-1), float32(c - float64(a))}
}
