package simd_test

import (
	"testing"

	"github.com/gomlx/compute/support/backendtest"

	"github.com/groupvit/groupvit/internal/engine/simd"
)

// GoMLX's own suite for backends.
func TestCompliance(t *testing.T) {
	b, err := simd.New(simd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	backendtest.RunAll(t, b, nil)
}
