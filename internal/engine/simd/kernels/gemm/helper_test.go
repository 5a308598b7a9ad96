package gemm

import (
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Products in one line, for the tests.

func multiply(p *work.Pool, m, n, k int, a, b tile.Matrix, c []float32, ldc int, e Epilogue) {
	Product{M: m, N: n, K: k, A: a, B: b, C: c, LDC: ldc, Epilogue: e}.Run(p)
}

func multiplyPacked(p *work.Pool, m int, a tile.Matrix, b *PackedB, c []float32, ldc int, e Epilogue) {
	Product{M: m, A: a, Packed: b, C: c, LDC: ldc, Epilogue: e}.Run(p)
}

func multiplyRounded(p *work.Pool, m, n, k int, a, b tile.Matrix, c []float32, ldc int, e Epilogue) {
	Product{M: m, N: n, K: k, A: a, B: b, C: c, LDC: ldc, Epilogue: e}.RunRounded(p)
}
