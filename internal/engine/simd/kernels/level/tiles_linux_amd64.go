package level

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

// tileSystem is what CPU and kernel say; tests put others here.
var tileSystem = struct {
	inCPU bool // the CPU has tiles and their products of bfloat16
	prctl func(code, argument uintptr) syscall.Errno
}{
	inCPU: cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16,
	prctl: func(code, argument uintptr) syscall.Errno {
		_, _, errno := syscall.RawSyscall(archPrctl, code, argument, 0)
		return errno
	},
}

// TilesOfBytes reports whether the CPU's tiles multiply bytes too.
func TilesOfBytes() bool { return cpu.X86.HasAMXInt8 }

// tilesOffered reports whether CPU and kernel have tiles. It asks for nothing.
func tilesOffered() bool { return tileSystem.inCPU && TilesMissing() == "" }

// TilesMissing says what keeps a CPU that has tiles from using them; "" where it has none.
func TilesMissing() string {
	if !tileSystem.inCPU {
		return ""
	}
	var offered uint64
	if errno := tileSystem.prctl(archGetXCompSupp, uintptr(unsafe.Pointer(&offered))); errno != 0 {
		return fmt.Sprintf("the kernel offers no AMX: %v", errno)
	}
	if offered&(xTileConfig|xTileData) != xTileConfig|xTileData {
		return "the kernel offers no AMX"
	}
	return ""
}

// RequestTiles asks for the permission to use tiles, which holds for all threads from then on, and says why there is
// none; "" where it is given. It is not asked for before it is needed: signals need larger stacks from then on.
func RequestTiles() (why string) {
	if why := TilesMissing(); why != "" {
		return why
	}
	switch errno := tileSystem.prctl(archReqXCompPerm, tileDataComponent); errno {
	case 0:
		return ""
	case syscall.ENOSPC:
		return "the kernel does not permit AMX: a thread's signal stack is too small for the state of its tiles"
	default:
		return fmt.Sprintf("the kernel does not permit AMX: %v", errno)
	}
}
