package kernels

import (
	"fmt"
	"testing"
)

func TestWidePack(t *testing.T) {
	if Path() < AVX512 {
		t.Skip("no AVX-512 here")
	}
	r := generator(81)
	for rows := 1; rows < 40; rows++ {
		stride := 32 + r.IntN(9)
		src := draw(r, (rows-1)*stride+32)
		dst := draw(r, rows*32+1)
		last := dst[rows*32]
		widePack(&dst[0], &src[0], 4*stride, rows)
		for i := range rows {
			sameBits(t, fmt.Sprintf("row %d of %d", i, rows), src[i*stride:][:32], dst[i*32:][:32])
		}
		if dst[rows*32] != last {
			t.Fatal("written behind the last row")
		}
	}
}
