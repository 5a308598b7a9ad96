package kernels

import "testing"

func TestProtectedPageNarrow(t *testing.T) {
	onEachNarrow(t, func(t *testing.T, format Format) {
		g := guarded{t, generator(74)}
		for range 150 {
			p := randomNarrow(g.r, format)
			p.run(t, g.slice, nil)
		}
	})
}

func TestProtectedPageRoundedAttention(t *testing.T) {
	onBF16(t)
	g := guarded{t, generator(75)}
	for range 60 {
		checkRounded(t, randomAttention(g.r), g.slice, nil)
	}
}
