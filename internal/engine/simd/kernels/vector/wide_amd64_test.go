package vector

import (
	"fmt"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

func TestWidePack(t *testing.T) {
	if level.Current() < level.AVX512 {
		t.Skip("no AVX-512 here")
	}
	r := kerneltest.Generator(81)
	for rows := 1; rows < 40; rows++ {
		stride := 32 + r.IntN(9)
		src := kerneltest.Draw(r, (rows-1)*stride+32)
		dst := kerneltest.Draw(r, rows*32+1)
		last := dst[rows*32]
		widePack(&dst[0], &src[0], 4*stride, rows)
		for i := range rows {
			kerneltest.SameBits(t, fmt.Sprintf("row %d of %d", i, rows), src[i*stride:][:32], dst[i*32:][:32])
		}
		if dst[rows*32] != last {
			t.Fatal("written behind the last row")
		}
	}
}
