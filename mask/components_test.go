package mask

import (
	"image"
	"reflect"
	"slices"
	"testing"
)

func TestComponents(t *testing.T) {
	parts, numbers := draw("11.2", "1.22", "..2.").Components()
	want := []Component{
		{1, 3, image.Rect(0, 0, 2, 2)}, {0, 1, image.Rect(2, 0, 3, 1)}, {2, 4, image.Rect(2, 0, 4, 3)},
		{0, 3, image.Rect(0, 1, 2, 3)}, {0, 1, image.Rect(3, 2, 4, 3)},
	}
	if !slices.Equal(parts, want) {
		t.Errorf("parts %v, want %v", parts, want)
	}
	if want := []int32{0, 0, 1, 2, 0, 3, 2, 2, 3, 3, 2, 4}; !slices.Equal(numbers, want) {
		t.Errorf("numbers %v, want %v", numbers, want)
	}
	for seed := range uint64(20) {
		m := random(1+int(seed*3)%17, 1+int(seed*5)%13, 3, seed)
		parts, numbers := m.Components()
		counts := make([]int, len(parts))
		for at, n := range numbers {
			counts[n]++
			if parts[n].Label != m.Labels[at] || !image.Pt(at%m.Width, at/m.Width).In(parts[n].Box) {
				t.Fatalf("seed %d: pixel %d is of part %+v", seed, at, parts[n])
			}
		}
		for n, part := range parts {
			if part.Pixels != counts[n] {
				t.Errorf("seed %d: part %d has %d pixels, says %d", seed, n, counts[n], part.Pixels)
			}
		}
		for label := range uint16(3) { // as polygons count them
			of := 0
			for _, part := range parts {
				if part.Label == label {
					of++
				}
			}
			if got := len(m.Polygons(label)); got != of {
				t.Errorf("seed %d: %d parts of label %d, %d polygons", seed, of, label, got)
			}
		}
	}
}

func TestRemoveSmall(t *testing.T) {
	for name, c := range map[string]struct {
		m, want *Map
		pixels  int
	}{
		"a speck in a region":    {draw("1111", "1121", "1111"), draw("1111", "1111", "1111"), 2},
		"just large enough":      {draw("1111", "1221", "1111"), draw("1111", "1221", "1111"), 2},
		"one pixel more":         {draw("1111", "1221", "1111"), draw("1111", "1111", "1111"), 3},
		"a hole of background":   {draw("1111", "1..1", "1111"), draw("1111", "1111", "1111"), 3},
		"most sides":             {draw("1113", "1123", "1113"), draw("1113", "1113", "1113"), 2},
		"the lowest on ties":     {draw("331", "321", "311"), draw("331", "311", "311"), 2},
		"only small ones":        {draw("12", "21"), draw("..", ".."), 2},
		"none to remove":         {draw("12", "21"), draw("12", "21"), 1},
		"small beside small":     {draw("11112311", "11111111"), draw("11111111", "11111111"), 2},
		"corners do not connect": {draw("1...", ".1..", "...."), draw("....", "....", "...."), 2},
	} {
		if got := c.m.RemoveSmall(c.pixels); !slices.Equal(got.Labels, c.want.Labels) {
			t.Errorf("%s: %v, want %v", name, got.Labels, c.want.Labels)
		}
	}
	for seed := range uint64(20) {
		m := random(20, 15, 3, seed)
		for _, part := range must(m.RemoveSmall(5).Components()) {
			if part.Pixels < 5 && part.Label != 0 {
				t.Errorf("seed %d: a part of label %d of %d pixels is left", seed, part.Label, part.Pixels)
			}
		}
	}
}

func must(parts []Component, _ []int32) []Component { return parts }

// One pass gives the run lengths of each label, a box its polygons.
func TestManyLabels(t *testing.T) {
	for seed := range uint64(30) {
		m := random(1+int(seed*7)%19, 1+int(seed*5)%13, 4, seed)
		all := m.RLEs(4)
		for i, s := range m.Stats(4)[1:] {
			if got, want := all[i], m.RLE(s.Label); !slices.Equal(got.Counts, want.Counts) || got.Width != want.Width || got.Height != want.Height {
				t.Errorf("seed %d, label %d: %v, want %v", seed, s.Label, got, want)
			}
			if got, want := m.PolygonsIn(s.Box, s.Label), m.Polygons(s.Label); !reflect.DeepEqual(got, want) {
				t.Errorf("seed %d, label %d: %v, want %v", seed, s.Label, got, want)
			}
		}
	}
	if got := draw("11").PolygonsIn(image.Rect(5, 5, 9, 9), 1); len(got) != 0 {
		t.Errorf("a box beside the map has %v", got)
	}
}
