package kernels

import "testing"

func TestProtectedPageNarrow(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		g := guarded{t, generator(74)}
		for range 150 {
			p := randomNarrow(g.r, BFloat16)
			p.run(t, g.slice, nil)
		}
	})
}
