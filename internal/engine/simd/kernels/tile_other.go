//go:build !amd64

package kernels

func tileCall(Level, int, int, *tile) { panic("kernels: no microkernels here") }
