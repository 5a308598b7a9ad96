//go:build !amd64 && !arm64

package kernels

// best is plain Go: there are vector kernels for amd64 and arm64 only.
const best = Off

// firstLevel is the name of the lowest level above Off.
const firstLevel = "avx2"
