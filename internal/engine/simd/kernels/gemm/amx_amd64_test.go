package gemm

import (
	"testing"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

// The generated microkernels of tiles, interpreted, drive products.
func TestGemmAMXInterpreted(t *testing.T) {
	all := kerneltest.RoutinesOf(t, "../amx/amx_linux_amd64.s")
	onTiles(t, func(kind amx.Kind, x *amx.Call) { kerneltest.RunRoutine(t, all[kind.String()], unsafe.Pointer(x)) })
	r := kerneltest.Generator(95)
	for range 10 {
		randomNarrow(r, tile.Int8).run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, nil)
		randomNarrow(r, tile.BFloat16).run(t, func(n int) []float32 { return kerneltest.Draw(r, n) }, nil)
	}
}
