//go:build !amd64

package kernels

// int8Range is for a level that this machine cannot have.
func int8Range(*[3]float32, *float32, int) { panic("kernels: no vector instructions") }

// int8Round is for a level that this machine cannot have.
func int8Round(*uint32, *float32, int, float32, float32) { panic("kernels: no vector instructions") }
