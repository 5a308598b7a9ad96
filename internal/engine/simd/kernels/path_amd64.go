package kernels

import "golang.org/x/sys/cpu"

// best is what the CPU and the operating system offer (x/sys/cpu checks both).
var best = func() Level {
	x := cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return Off
	case x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL:
		return AVX512
	}
	return AVX2
}()
