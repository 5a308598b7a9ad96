//go:build xla

package engine

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/tile"
)

func init() {
	// A download at first use is nothing a user asked for: plugins are installed by hand.
	xla.EnableAutoInstall(false)
	builders[XLA] = func(config string, _ int, _ tile.Format) (compute.Backend, error) {
		return xla.New(config)
	}
}
