package cli

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/groupvit/groupvit/internal/cgroup"
)

// memoryShare is how much of a control group's memory the limit of Go's memory is: the
// rest is for what Go does not count, as the kernel's buffers and mapped files.
const memoryShare = 0.9

// LimitMemory lets Go's garbage collector keep below the memory that a control group
// leaves the process, as in a container, unless GOMEMLIMIT says otherwise.
func LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := cgroup.Read().Memory; limit > 0 {
			debug.SetMemoryLimit(int64(memoryShare * float64(limit)))
		}
	}
}

// memoryLimit is the limit in force; 0 is none.
func memoryLimit() int64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return limit
	}
	return 0
}
