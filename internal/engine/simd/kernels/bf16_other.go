//go:build !amd64

package kernels

// bf16Round is for a level that this machine cannot have.
func bf16Round(*uint32, *float32, int) { panic("kernels: no vector instructions") }

// bf16Pairs too.
func bf16Pairs(*uint32, *float32, *float32, int) { panic("kernels: no vector instructions") }
