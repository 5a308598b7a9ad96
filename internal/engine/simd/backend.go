// Package simd is a GoMLX compute backend with vector kernels.
package simd

import (
	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine/plain"
)

// Options of the backend.
type Options struct {
	// Threads is the number of threads one execution uses; 0 means all.
	Threads int
}

// Supported says whether this machine has what the backend needs.
func Supported() bool { return false }

// New makes the backend.
func New(o Options) (compute.Backend, error) { return plain.New(o.Threads) }
