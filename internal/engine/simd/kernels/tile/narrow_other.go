//go:build !amd64

package tile

// Rounding to the narrow formats, for levels that this machine cannot have.

func bf16Round(*uint32, *float32, int)                    { panic("kernels: no vector instructions") }
func bf16Pairs(*uint32, *float32, *float32, int)          { panic("kernels: no vector instructions") }
func int8Range(*[3]float32, *float32, int)                { panic("kernels: no vector instructions") }
func int8Round(*uint32, *float32, int, float32, float32)  { panic("kernels: no vector instructions") }
func pairsRange(*[3]float32, *float32, int)               { panic("kernels: no vector instructions") }
func pairsRound(*uint32, *float32, int, float32, float32) { panic("kernels: no vector instructions") }
func int8Fold(*[10]uint64)                                { panic("kernels: no vector instructions") }
