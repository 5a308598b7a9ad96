//go:build unix && !linux

package speed

import (
	"runtime"

	"golang.org/x/sys/unix"
)

func resetPeak() {}

// peakMemory is the largest resident set of the program so far, in bytes.
func peakMemory() (int64, bool) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, false
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss), true
	}
	return int64(u.Maxrss) << 10, true // KiB on the others
}
