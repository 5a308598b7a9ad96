package kernels

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// Linux lets a process use the state of tiles once it has asked (arch_prctl(2), "Using XSTATE features in user space
// applications" in the kernel's documentation).
const (
	archPrctl         = 158
	archGetXCompSupp  = 0x1021 // what the kernel and the CPU offer
	archReqXCompPerm  = 0x1023
	xTileConfig       = 1 << 17
	xTileData         = 1 << 18
	tileDataComponent = 18
)

// amxSystem is what CPU and kernel say; tests put others here.
var amxSystem = struct {
	inCPU bool // the CPU has tiles and their products of bfloat16
	prctl func(code, argument uintptr) syscall.Errno
}{
	inCPU: cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16,
	prctl: func(code, argument uintptr) syscall.Errno {
		_, _, errno := syscall.RawSyscall(archPrctl, code, argument, 0)
		return errno
	},
}

// amxOffered reports whether CPU and kernel have tiles. It asks for nothing.
func amxOffered() bool { return amxSystem.inCPU && amxMissing() == "" }

// amxMissing says what keeps a CPU that has tiles from using them; "" where it has none.
func amxMissing() string {
	if !amxSystem.inCPU {
		return ""
	}
	var offered uint64
	if errno := amxSystem.prctl(archGetXCompSupp, uintptr(unsafe.Pointer(&offered))); errno != 0 {
		return fmt.Sprintf("the kernel offers no AMX: %v", errno)
	}
	if offered&(xTileConfig|xTileData) != xTileConfig|xTileData {
		return "the kernel offers no AMX"
	}
	return ""
}

// amxRequest asks for the permission to use tiles, which holds for all threads from then on.
func amxRequest() (amxRunner, string) {
	if why := amxMissing(); why != "" {
		return nil, why
	}
	switch errno := amxSystem.prctl(archReqXCompPerm, tileDataComponent); errno {
	case 0:
		return amxCall, ""
	case syscall.ENOSPC:
		return nil, "the kernel does not permit AMX: a thread's signal stack is too small for the state of its tiles"
	default:
		return nil, fmt.Sprintf("the kernel does not permit AMX: %v", errno)
	}
}

// amxCall calls a microkernel. Each configures the tiles and releases them: nothing of them is left between calls.
func amxCall(kind amxKind, t *amxTile) {
	switch kind {
	case amx2x2:
		amxTile2x2(t)
	case amx1x4:
		amxTile1x4(t)
	default:
		amxTile1x2(t)
	}
}
