//go:build !amd64

package vector

// These are for a level that this machine cannot have.

func wideMaximum(*float32, int) float32 { panic("kernels: no vector instructions") }

func wideExpSum(_, _ *float32, _ float32, _ int) float32 { panic("kernels: no vector instructions") }

func wideGelu(_, _ *float32, _ int) { panic("kernels: no vector instructions") }

func widePack(_, _ *float32, _, _ int) { panic("kernels: no vector instructions") }
