// Package kernels is the floor of the compute engine: float32 slices in, slices out, fast on one machine's cores. It
// knows no framework and no network; package simd above it calls its rooms. It holds no code itself. From the bottom up:
//
//	level      which instructions are used (GROUPVIT_SIMD), what the machine has, the permission for AMX
//	work       worker goroutines (Pool) and working memory (Scratch)
//	vector     elementwise operations and chains of them, reductions, norms, softmax, transpositions
//	tile       the microkernels of products; packing and rounding of their operands (bfloat16, bytes)
//	amx        microkernels by tiles of AMX, their model in Go, and the check before first use
//	gemm       products of matrices: blocking, threads, epilogues, packed operands in every format
//	conv       convolutions and their gradients, walking over a padded image
//	attention  scaled dot-product attention and its gradient
//	kerneltest what tests share: drawing, comparing, protected pages, an interpreter of the assembly
//
// Each room imports only rooms above it in this list. Operations are the rooms, not instruction sets, because drivers,
// packing and epilogues are shared by all levels; what differs is the microkernels, and these lie in vector, tile and
// amx. Files that end in _amd64 or _arm64 are declarations and assembly, written by the program in _generate.
//
// Every function has two ways: vector instructions (on amd64 AVX2 with FMA, for products also AVX-512; on arm64 NEON) and
// a plain Go twin, which is also the way on machines without them. [level.Current] says which is in use, [level.Force]
// and the environment variable GROUPVIT_SIMD (amx, avx512bf16, avx512vnni, avx512, avx2, neon or off) change it. A
// product may also have its packed operand in a narrow [tile.Format], which rounds both operands: bfloat16 by
// AVX512-BF16 or by the tiles of AMX, bytes by AVX2, AVX-512 or AVX512-VNNI.
//
// Rules that hold for all of them:
//   - A result does not depend on the number of threads: work is split so that no sum changes its order.
//   - A *[work.Pool] may be nil: then the caller's goroutine does all the work.
//   - dst may be the same slice as an operand of the same shape unless the comment says no; it must not overlap one partly.
//   - Slices need no alignment. Nothing is read or written past a slice's length.
//   - NaN and infinity behave as in Go's own arithmetic, max, min and package math.
//   - A slice that is too short is the caller's mistake and panics with a message that names the function.
package kernels
