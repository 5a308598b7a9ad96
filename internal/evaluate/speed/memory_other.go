//go:build !unix

package speed

func resetPeak() {}

// peakMemory is not known here.
func peakMemory() (int64, bool) { return 0, false }
