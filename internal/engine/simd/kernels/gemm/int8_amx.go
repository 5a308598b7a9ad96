package gemm

import (
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/amx"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// multiplyBytes is a microkernel of bytes by tiles: 32 columns of one block of terms, for all rows. The operands lie as
// they do for VNNI; the two words at a block's end, which are no terms, are left to what makes float32 numbers of the
// sums. The sums are whole numbers and that is done in the same order, so the results have the bits of VNNI.
func multiplyBytes(run amx.Runner, x *tile.Call, rows int) {
	const row = 4 * amx.Wide // bytes of a row of sums
	words := x.Inner - 2
	buf := work.Scratch(rows * amx.Wide)
	defer buf.Release()
	t := amx.Call{A: x.A, B: x.B, C: unsafe.Pointer(&buf.Data[0]),
		RowA: x.RowA, Row16A: amx.Rows * x.RowA, BlockA: 2 * amx.Rows * x.RowA,
		RowC: row, Row16C: amx.Rows * row, BlockC: 2 * amx.Rows * row}
	whole := rows / (2 * amx.Rows) * (2 * amx.Rows)
	if whole > 0 {
		t.Blocks = whole / (2 * amx.Rows)
		t.Sum(run, amx.Bytes2x2, 2*amx.Rows, words)
	}
	if rest := rows - whole; rest > 0 {
		kind := amx.Bytes1x2
		if rest > amx.Rows {
			kind = amx.Bytes2x2
		}
		t.A, t.C, t.Blocks = unsafe.Add(x.A, whole*x.RowA), unsafe.Pointer(&buf.Data[whole*amx.Wide]), 1
		t.Sum(run, kind, rest, words)
	}
	f := tile.Fold{Sums: unsafe.Pointer(&buf.Data[0]), A: unsafe.Add(x.A, 4*words), B: unsafe.Add(x.B, row*words), C: x.C, Bias: x.Bias,
		Rows: rows, RowA: x.RowA, RowC: x.RowC, Flags: x.Flags, Alpha: x.Alpha}
	f.Run()
}
