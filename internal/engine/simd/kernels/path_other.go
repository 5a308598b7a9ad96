//go:build !amd64

package kernels

// best is plain Go: there are vector kernels for amd64 only.
const best = Off
