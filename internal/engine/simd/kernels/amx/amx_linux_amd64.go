package amx

import "github.com/groupvit/groupvit/internal/engine/simd/kernels/level"

// request asks for the permission to use tiles.
func request() (Runner, string) {
	if why := level.RequestTiles(); why != "" {
		return nil, why
	}
	return run, ""
}

// run calls a microkernel. Each configures the tiles and releases them: nothing of them is left between calls.
func run(kind Kind, t *Call) {
	switch kind {
	case Kernel2x2:
		amxTile2x2(t)
	case Kernel1x4:
		amxTile1x4(t)
	case Kernel1x2:
		amxTile1x2(t)
	case Bytes2x2:
		amxBytes2x2(t)
	default:
		amxBytes1x2(t)
	}
}
