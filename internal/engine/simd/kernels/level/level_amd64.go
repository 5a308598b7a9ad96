package level

import "golang.org/x/sys/cpu"

// firstLevel is the name of the lowest level above Off.
const firstLevel = "avx2"

// Int8Level is the lowest level with products of bytes.
const Int8Level = AVX2

// best is what the CPU and the operating system offer (x/sys/cpu checks both), less what a check has found wrong.
var best = func() Level {
	x := cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA || !x.HasBMI2:
		return Off
	case !x.HasAVX512F || !x.HasAVX512DQ || !x.HasAVX512BW || !x.HasAVX512VL:
		return AVX2
	case !x.HasAVX512VNNI:
		return AVX512
	case !x.HasAVX512BF16:
		return AVX512VNNI
	case !tilesOffered():
		return AVX512BF16
	}
	return AMX
}()

// Confirm lowers Best below a level whose instructions give wrong results: worse than slower ones. Package gemm calls
// it for each level as the program begins; nothing may be computing meanwhile.
func Confirm(l Level, sound func() bool) {
	if best < l {
		return
	}
	old := Level(current.Swap(int32(Off))) // the check says itself what it runs on
	if !sound() {
		best = l - 1
	}
	current.Store(int32(min(old, best)))
}
