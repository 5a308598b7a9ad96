//go:build !amd64 && !arm64

package level

// best is plain Go: there are vector kernels for amd64 and arm64 only.
var best = Off

// firstLevel is the name of the lowest level above Off.
const firstLevel = "avx2"

// Int8Level is the lowest level with products of bytes: none that this machine has.
const Int8Level = AVX512VNNI
