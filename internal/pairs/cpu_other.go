//go:build !unix

package pairs

import "time"

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
