package kernels

import "testing"

func TestProtectedPageAMX(t *testing.T) {
	onTiles(t, amxModel)
	g := guarded{t, generator(94)}
	for range 100 {
		randomNarrow(g.r, BFloat16).run(t, g.slice, nil)
	}
}
