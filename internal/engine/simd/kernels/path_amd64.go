package kernels

import "golang.org/x/sys/cpu"

// firstLevel is the name of the lowest level above Off.
const firstLevel = "avx2"

// int8Level is the lowest level with products of bytes.
const int8Level = AVX2

// best is what the CPU and the operating system offer (x/sys/cpu checks both).
var best = func() Level {
	x := cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA || !x.HasBMI2:
		return Off
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && sound(AVX512):
		switch {
		case !x.HasAVX512VNNI || !soundInt8():
			return AVX512
		case !x.HasAVX512BF16 || !soundBF16():
			return AVX512VNNI
		case !amxOffered():
			return AVX512BF16
		}
		return AMX
	}
	return AVX2
}()

// sound compares a small product with the AVX2 kernels, which are tested wherever this is: a wrong
// result would be worse than a slower one. It takes microseconds.
func sound(l Level) bool {
	const m, n, k = 29, 56, 9 // full and partial blocks, both widths
	var a [m * k]float32
	var b [k * n]float32
	for i := range a {
		a[i] = float32(i*7%13) - 6
	}
	for i := range b {
		b[i] = float32(i*5%11) - 5
	}
	var c, want [m * n]float32
	x, y := Matrix{Data: a[:], Stride: k}, Matrix{Data: b[:], Stride: n}
	vectorGemm(nil, l, 1, m, n, k, x, 0, y, 0, nil, c[:], n, 0, Epilogue{})
	vectorGemm(nil, AVX2, 1, m, n, k, x, 0, y, 0, nil, want[:], n, 0, Epilogue{})
	return c == want
}

// soundBF16 does the same with bfloat16, in numbers that it holds exactly.
func soundBF16() bool {
	return soundNarrow(BFloat16, vectorBF16, func(i int) float32 { return float32(i*7%13) - 6 }, func(i int) float32 { return float32(i*5%11) - 5 })
}

// soundInt8 does it with bytes: each row goes from 0 to 255, each column to ±127, so that every scale is 1.
func soundInt8() bool {
	return soundNarrow(Int8, vectorInt8, func(i int) float32 { return float32(i * 51 % 306) }, func(i int) float32 { return float32(i*127%381) - 127 })
}

// soundNarrow compares a product of a format, whose numbers hold the operands exactly, with that of float32.
func soundNarrow(f Format, gemm func(*Pool, int, Matrix, *PackedB, []float32, int, Epilogue), fillA, fillB func(i int) float32) bool {
	const m, n, k = 29, 56, 67 // also a partial block of terms
	var a [m * k]float32
	var b [k * n]float32
	for i := range a {
		a[i] = fillA(i)
	}
	for i := range b {
		b[i] = fillB(i)
	}
	var c, want [m * n]float32
	x, y := Matrix{Data: a[:], Stride: k}, Matrix{Data: b[:], Stride: n}
	w := Pack(nil, f, k, n, y)
	if w.format != f {
		return false
	}
	gemm(nil, m, x, w, c[:], n, Epilogue{})
	vectorGemm(nil, AVX2, 1, m, n, k, x, 0, y, 0, nil, want[:], n, 0, Epilogue{})
	return c == want
}
