package assign

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"
)

// TestPixels: every pixel decided by interpolating every plane, with and without
// a plane of hidden words; larger and smaller than the canvas.
func TestPixels(t *testing.T) {
	for _, size := range [][2]int{{53, 37}, {9, 6}, {4, 3}, {1, 1}} {
		for _, c := range []struct {
			name       string
			background bool
			labels     int
		}{{"one label", true, 1}, {"labels", false, 5}, {"hidden words", true, 5}} {
			p := drawPlanes(3, c.labels, 9, 6, c.background)
			got, err := p.Pixels(context.Background(), size[0], size[1], true)
			if err != nil {
				t.Fatal(err)
			}
			alone, err := p.Pixels(context.Background(), size[0], size[1], false)
			if err != nil || alone.Second != nil || !slices.Equal(alone.Best, got.Best) || !slices.Equal(alone.Confidence, got.Confidence) {
				t.Errorf("%s: without the second it is another answer (%v)", c.name, err)
			}
			scores, err := p.Scores(context.Background(), size[0], size[1])
			if err != nil {
				t.Fatal(err)
			}
			for y := range size[1] {
				for x := range size[0] {
					i := y*size[0] + x
					values := plainPixel(p, x, y, size[0], size[1])
					order := make([]int, c.labels)
					for k := range order {
						order[k] = k
					}
					slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
					best := order[0]
					if int(got.Best[i]) != best+1 && values[best]-values[got.Best[i]-1] > 1e-5 {
						t.Fatalf("%s, %v: pixel %d,%d is %d, want %d of %v", c.name, size, x, y, got.Best[i], best+1, values)
					}
					want := math.Min(math.Max(values[best], 0), 1)
					if math.Abs(math.Abs(float64(got.Confidence[i]))-want) > 1e-5 {
						t.Fatalf("%s: confidence %g, want %g", c.name, got.Confidence[i], want)
					}
					if c.background {
						hidden := values[c.labels]
						if d := hidden - values[best]; math.Abs(d) > 1e-5 && (d > 0) != (got.Confidence[i] < 0) {
							t.Fatalf("%s: hidden word %g, label %g, confidence %g", c.name, hidden, values[best], got.Confidence[i])
						}
					}
					switch second := int(got.Second[i]); {
					case c.labels == 1:
						if second != 0 {
							t.Fatalf("a second label of one")
						}
					case second != order[1]+1 && math.Abs(values[order[1]]-values[second-1]) > 1e-5:
						t.Fatalf("%s: the second is %d, want %d of %v", c.name, second, order[1]+1, values)
					}
					for k := range c.labels {
						if v := float64(scores[(k*size[1]+y)*size[0]+x]); math.Abs(v-math.Min(math.Max(values[k], 0), 1)) > 1e-5 {
							t.Fatalf("%s: score %g, want %g", c.name, v, values[k])
						}
					}
				}
			}
		}
	}
}

func plainPixel(p *Planes, x, y, width, height int) []float64 {
	u, v := (float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height)
	var values []float64
	for _, plane := range p.all() {
		values = append(values, sample(doubles(plane), p.Width, p.Height, u, v))
	}
	return values
}

// TestPixelsMap: thresholds on confidence, and what hidden words take.
func TestPixelsMap(t *testing.T) {
	p := &Pixels{Width: 4, Height: 1, Best: []uint16{1, 2, 1, 2}, Confidence: []float32{0.2, 0.5, -0.9, 0.8}}
	if m := p.Map(0.5); !slices.Equal(m.Labels, []uint16{0, 2, 0, 2}) {
		t.Errorf("the map is %v", m.Labels)
	}
	if m := p.Map(0); !slices.Equal(m.Labels, []uint16{1, 2, 0, 2}) || !slices.Equal(p.Best, []uint16{1, 2, 1, 2}) {
		t.Errorf("the map without a threshold is %v", m.Labels)
	}
	if means := p.Means(p.Map(0), 2); math.Abs(means[0]-0.2) > 1e-6 || math.Abs(means[1]-0.65) > 1e-6 {
		t.Errorf("the means are %v", means)
	}
}

// TestSegments: hard segments have the scores of their groups, first ones those of
// the last groups mixed by how much of each falls into them.
func TestSegments(t *testing.T) {
	const embed = 4
	w := drawWindow(70, 5, 4, 6, 3, embed)
	words := drawWords(71, embed, 1, 1, 2, 0)
	_, of := words.planes()
	n := w.GridW * w.GridH
	cosine := func(g, plane int) float64 {
		best := math.Inf(-1)
		for r, p := range of {
			if p == plane {
				best = math.Max(best, dot(w.Groups[g*embed:(g+1)*embed], words.Vectors[r*embed:(r+1)*embed]))
			}
		}
		return best
	}
	for _, kind := range []Segments{HardSegments, FirstSegments} {
		r := findRegions(&w, words, of, kind)
		soft := w.Stages[1]
		if kind == FirstSegments {
			soft = w.Stages[0]
		}
		count := len(soft) / n
		if r.count != count {
			t.Fatalf("%d regions, want %d", r.count, count)
		}
		for plane, m := range r.maps() {
			for i, got := range m.values {
				u, v := (float64(i%m.width)+0.5)/float64(m.width), (float64(i/m.width)+0.5)/float64(m.height)
				region, best := 0, math.Inf(-1)
				for g := range count {
					column := make([]float64, n)
					for k := range column {
						column[k] = float64(soft[k*count+g])
					}
					if s := sample(column, w.GridW, w.GridH, u, v); s > best+1e-7 {
						region, best = g, s
					}
				}
				want := 0.0
				if kind == HardSegments {
					want = cosine(region, plane)
				} else {
					want = plainRegion(&w, words, of, soft, count, region, plane)
				}
				if math.Abs(float64(got)-want) > 1e-5 {
					t.Fatalf("kind %d, plane %d, place %d: %g, want %g", kind, plane, i, got, want)
				}
			}
		}
	}
}

// plainRegion is the best name's cosine with a first-stage region.
func plainRegion(w *Window, words Words, of []int, soft []float32, count, region, plane int) float64 {
	best := math.Inf(-1)
	for r, p := range of {
		if p != plane {
			continue
		}
		var sum, mass float64
		for k := range w.GridW * w.GridH {
			a := float64(soft[k*count+region])
			mass += a
			for g := range 3 {
				sum += a * float64(w.Assign[k*3+g]) * dot(w.Groups[g*words.Width:(g+1)*words.Width], words.Vectors[r*words.Width:(r+1)*words.Width])
			}
		}
		best = math.Max(best, sum/mass)
	}
	return best
}
