package groupvit

import (
	"fmt"
	"testing"
)

// BenchmarkEncode looks at a photo of 500 × 375 with the published size: two
// windows of 448.
func BenchmarkEncode(b *testing.B) {
	m := formulaOpen(b)
	photo := formulaPhoto(500, 375)
	for b.Loop() {
		if _, err := m.Encode(b.Context(), photo, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWords asks an encoded photo, in words that the model has not met and
// in words that it has.
func BenchmarkWords(b *testing.B) {
	m := formulaOpen(b)
	for _, size := range [][2]int{{500, 375}, {4000, 3000}} {
		e, err := m.Encode(b.Context(), formulaPhoto(size[0], size[1]), nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, count := range []int{2, 20} {
			for _, known := range []bool{false, true} {
				b.Run(fmt.Sprintf("%dx%d, %d words, known %v", size[0], size[1], count, known), func(b *testing.B) {
					round := 0
					for b.Loop() {
						if !known {
							round++
						}
						labels := make([]string, count)
						for i := range labels {
							labels[i] = fmt.Sprintf("dog %d of kind %d", round, i)
						}
						if _, err := e.Segment(b.Context(), labels, nil); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

func formulaOpen(b *testing.B) *Model {
	b.Helper()
	m, err := openModel("formula", formulaModel(), &Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}
