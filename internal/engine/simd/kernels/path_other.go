//go:build !amd64 && !arm64

package kernels

// best is plain Go: there are vector kernels for amd64 and arm64 only.
const best = Off

// firstLevel is the name of the lowest level above Off.
const firstLevel = "avx2"

// int8Level is the lowest level with products of bytes: none that this machine has.
const int8Level = AVX512VNNI
