//go:build !amd64

package kernels

// pairsRange is for a level that this machine cannot have.
func pairsRange(*[3]float32, *float32, int) { panic("kernels: no vector instructions") }

// pairsRound is for a level that this machine cannot have.
func pairsRound(*uint32, *float32, int, float32, float32) { panic("kernels: no vector instructions") }
