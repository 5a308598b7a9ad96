package mask

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkPolygons holds the polygons of a label to what Polygon promises. numbers and
// regions come from a flood fill.
func checkPolygons(m *Map, label uint16) error {
	numbers, regions := m.components(label)
	polygons := m.Polygons(label)
	if len(polygons) != regions {
		return fmt.Errorf("%d polygons of %d regions", len(polygons), regions)
	}
	alone := &Map{m.Width, m.Height, make([]uint16, len(m.Labels))}
	for i, p := range polygons {
		clear(alone.Labels)
		p.Draw(alone, 1)
		area := 0
		for at, n := range numbers {
			inside := int(n) == i+1
			if inside {
				area++
			}
			if inside != (alone.Labels[at] == 1) {
				return fmt.Errorf("polygon %d, pixel %d: in the region is %v: %v", i, at, inside, p)
			}
		}
		if p.Area() != area {
			return fmt.Errorf("polygon %d has area %d, its region %d: %v", i, p.Area(), area, p)
		}
		for k, ring := range append([][]image.Point{p.Outer}, p.Holes...) {
			if err := checkRing(ring); err != nil {
				return fmt.Errorf("polygon %d, ring %d: %w: %v", i, k, err, ring)
			}
			if clockwise(ring) != (k == 0) {
				return fmt.Errorf("polygon %d, ring %d runs the wrong way: %v", i, k, ring)
			}
		}
	}
	return nil
}

// checkRing: only corners where the ring turns, none of them twice.
func checkRing(ring []image.Point) error {
	if len(ring) < 4 {
		return fmt.Errorf("%d points", len(ring))
	}
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		if d := q.Sub(p); (d.X == 0) == (d.Y == 0) || (d.X == 0) == (ring[(i+2)%len(ring)].X == q.X) {
			return fmt.Errorf("no turn at %v", q)
		}
		if slices.Contains(ring[:i], p) {
			return fmt.Errorf("%v twice", p)
		}
	}
	return nil
}

// numbered is the map whose pixels are the bits of v.
func numbered(width, height int, v uint64) *Map {
	m := &Map{width, height, make([]uint16, width*height)}
	for i := range m.Labels {
		m.Labels[i] = uint16(v >> i & 1)
	}
	return m
}

func TestPolygons(t *testing.T) {
	m := draw(
		"111..1",
		"1.1.1.",
		"111...",
	)
	got := m.Polygons(1)
	if len(got) != 3 {
		t.Fatalf("%d regions, want 3: %v", len(got), got)
	}
	if want := []image.Point{image.Pt(0, 0), image.Pt(3, 0), image.Pt(3, 3), image.Pt(0, 3)}; !slices.Equal(got[0].Outer, want) {
		t.Errorf("outer ring %v, want %v", got[0].Outer, want)
	}
	if len(got[0].Holes) != 1 || len(got[0].Holes[0]) != 4 || got[0].Area() != 8 {
		t.Errorf("hole %v, area %d", got[0].Holes, got[0].Area())
	}
}

// A border that begins at a corner where another one passes.
func TestPolygonsThatTouch(t *testing.T) {
	pixel := func(x, y int) []image.Point {
		return []image.Point{{X: x, Y: y}, {X: x + 1, Y: y}, {X: x + 1, Y: y + 1}, {X: x, Y: y + 1}}
	}
	hole := func(x, y int) []image.Point {
		return []image.Point{{X: x, Y: y}, {X: x, Y: y + 1}, {X: x + 1, Y: y + 1}, {X: x + 1, Y: y}}
	}
	for name, test := range map[string]struct {
		m            *Map
		areas, holes []int
	}{
		"a pixel in a hole's corner":    {draw("11111", "11..1", "1.1.1", "1...1", "11111"), []int{17, 1}, []int{1, 0}},
		"a hole at the outer corner":    {draw("111.", "1.1.", "11..", "...."), []int{7}, []int{1}},
		"two holes at a corner":         {draw("1111", "1.11", "11.1", "1111"), []int{14}, []int{2}},
		"a chain of pixels":             {draw("1..", ".1.", "..1"), []int{1, 1, 1}, []int{0, 0, 0}},
		"a ring around a chain of them": {draw("11111", "1.1.1", "11.11", "1.1.1", "11111"), []int{20}, []int{5}},
	} {
		var areas, holes []int
		for _, p := range test.m.Polygons(1) {
			areas, holes = append(areas, p.Area()), append(holes, len(p.Holes))
		}
		if !slices.Equal(areas, test.areas) || !slices.Equal(holes, test.holes) {
			t.Errorf("%s: areas %v and holes %v, want %v and %v", name, areas, holes, test.areas, test.holes)
		}
		if err := checkPolygons(test.m, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := draw("1111", "1.11", "11.1", "1111").Polygons(1)[0]
	if !slices.ContainsFunc(p.Holes, func(r []image.Point) bool { return sameRing(r, hole(1, 1)) }) {
		t.Errorf("the first hole is none of %v", p.Holes)
	}
	if got := draw("1.", ".1").Polygons(1); !slices.Equal(got[0].Outer, pixel(0, 0)) || !slices.Equal(got[1].Outer, pixel(1, 1)) {
		t.Errorf("two pixels: %v", got)
	}
}

// sameRing reports whether two rings are one, wherever they begin.
func sameRing(a, b []image.Point) bool {
	for i := range a {
		if slices.Equal(slices.Concat(a[i:], a[:i]), b) {
			return true
		}
	}
	return false
}

func TestPolygonsOfRandomMaps(t *testing.T) {
	for seed := range uint64(30) {
		m := random(1+int(seed)%13, 1+int(seed*7)%11, 2+int(seed)%3, seed)
		for label := uint16(1); label <= m.Max(); label++ {
			if err := checkPolygons(m, label); err != nil {
				t.Errorf("seed %d label %d: %v", seed, label, err)
			}
		}
	}
}

// Every map of two labels of up to 4×4 pixels, and many of 5×5.
func TestPolygonsOfAllSmallMaps(t *testing.T) {
	for _, size := range []image.Point{{X: 1, Y: 1}, {X: 1, Y: 5}, {X: 5, Y: 1}, {X: 3, Y: 3}, {X: 4, Y: 3}, {X: 3, Y: 4}, {X: 4, Y: 4}} {
		for v := range uint64(1) << (size.X * size.Y) {
			if err := checkPolygons(numbered(size.X, size.Y, v), 1); err != nil {
				t.Fatalf("map %d of %v: %v", v, size, err)
			}
		}
	}
	r := rand.New(rand.NewPCG(5, 5))
	for range 50_000 {
		v := r.Uint64()
		if err := checkPolygons(numbered(5, 5, v), 1); err != nil {
			t.Fatalf("map %d of 5×5: %v", v, err)
		}
	}
}

// Every map of two labels of 3×3 pixels, and many of 5×5, through every format.
func TestAllSmallMapsThroughFormats(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for format, trip := range roundTrips {
		check := func(m *Map) {
			t.Helper()
			for range 2 { // and the other way about, where no pixel is background
				back, err := trip(m)
				if err != nil || !slices.Equal(back.Labels, m.Labels) {
					t.Fatalf("%s: %v became %v, %v", format, m, back, err)
				}
				m = &Map{m.Width, m.Height, slices.Clone(m.Labels)}
				for i := range m.Labels {
					m.Labels[i]++
				}
			}
		}
		for v := range uint64(1 << 9) {
			check(numbered(3, 3, v))
		}
		for range 2000 {
			check(numbered(5, 5, r.Uint64()))
		}
	}
}

func FuzzPolygons(f *testing.F) {
	f.Add([]byte{1, 1, 0, 1, 0, 1}, 3)
	f.Add(slices.Repeat([]byte{1, 0}, 500), 25)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		if width < 1 || width > 64 || len(b) > 1024 || len(b) < width {
			return
		}
		m, _ := New(width, len(b)/width)
		for i := range m.Labels {
			m.Labels[i] = uint16(b[i] & 1)
		}
		if err := checkPolygons(m, 1); err != nil {
			t.Error(err)
		}
	})
}
