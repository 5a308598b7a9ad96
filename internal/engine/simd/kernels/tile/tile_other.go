//go:build !amd64 && !arm64

package tile

import "github.com/groupvit/groupvit/internal/engine/simd/kernels/level"

// tileCall is plain Go here; only tests get this far, for the level is always Off.
func tileCall(_ level.Level, rows, width int, t *Call) { plainTile(rows, width, t) }
