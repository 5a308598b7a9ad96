package level

import (
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// What the kernel answers decides whether tiles are used, and what is said where they are not.
func TestAMXPermission(t *testing.T) {
	defer func(old struct {
		inCPU bool
		prctl func(code, argument uintptr) syscall.Errno
	}) {
		tileSystem = old
	}(tileSystem)
	for _, c := range []struct {
		name             string
		inCPU            bool
		offered          uint64
		answer, permits  syscall.Errno
		usable           bool
		offeredWord, why string
	}{
		{"no AMX", false, 0, 0, 0, false, "", ""},
		{"all is well", true, 0x600e7, 0, 0, true, "", ""},
		{"an old kernel", true, 0, syscall.EINVAL, syscall.EINVAL, false, "offers no AMX: invalid argument", "offers no AMX"},
		{"a kernel that hides it", true, 0xe7, 0, 0, false, "offers no AMX", "offers no AMX"},
		{"seccomp", true, 0, syscall.EPERM, syscall.EPERM, false, "operation not permitted", "operation not permitted"},
		{"denied", true, 0x600e7, 0, syscall.EPERM, false, "", "does not permit AMX: operation not permitted"},
		{"a small signal stack", true, 0x600e7, 0, syscall.ENOSPC, false, "", "signal stack is too small"},
	} {
		asked := 0
		tileSystem.inCPU = c.inCPU
		tileSystem.prctl = func(code, argument uintptr) syscall.Errno {
			switch code {
			case archGetXCompSupp:
				*(*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&argument))) = c.offered
				return c.answer
			case archReqXCompPerm:
				asked++
				if argument != 18 {
					t.Errorf("%s: asked for component %d", c.name, argument)
				}
				return c.permits
			}
			return syscall.EINVAL
		}
		if got := TilesMissing(); !strings.Contains(got, c.offeredWord) || (got == "") != (c.offeredWord == "") {
			t.Errorf("%s: what is missing is %q", c.name, got)
		}
		if got := tilesOffered(); got != (c.inCPU && c.offeredWord == "") {
			t.Errorf("%s: offered is %v", c.name, got)
		}
		if asked > 0 {
			t.Errorf("%s: the permission was asked for too early", c.name)
		}
		if !c.inCPU {
			continue
		}
		if why := RequestTiles(); (why == "") != c.usable || !strings.Contains(why, c.why) {
			t.Errorf("%s: the reason is %q, usable should be %v", c.name, why, c.usable)
		}
	}
}
