package simd_test

import (
	"testing"

	"github.com/gomlx/compute/support/backendtest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// GoMLX's own suite for backends, on every path that the machine has. What it skips:
//
//   - dynamic shapes, functions and control flow, which the backend says that it lacks (Capabilities);
//   - fused attention in half precision, which callers then compute from single operations;
//   - products of float16 with bfloat16 and the like, which the plain Go backend lacks too.
func TestCompliance(t *testing.T) {
	reference(t).Finalize() // runs what has no kernel
	for l := level.Off; l <= level.Best(); l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer level.Force(l)()
			backendtest.RunAll(t, newBackend(t, 2), nil)
		})
	}
}
