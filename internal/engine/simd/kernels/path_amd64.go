package kernels

import "golang.org/x/sys/cpu"

// best is what the CPU and the operating system offer (x/sys/cpu checks both).
var best = func() Level {
	x := cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA || !x.HasBMI2:
		return Off
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && sound(AVX512):
		if x.HasAVX512BF16 && soundBF16() {
			return AVX512BF16
		}
		return AVX512
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
	const m, n, k = 29, 56, 67 // also a partial block of terms
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
	vectorBF16(nil, m, x, Pack(nil, BFloat16, k, n, y), c[:], n, Epilogue{})
	vectorGemm(nil, AVX2, 1, m, n, k, x, 0, y, 0, nil, want[:], n, 0, Epilogue{})
	return c == want
}
