//go:build !amd64 && !arm64

package kernels

// tileCall is plain Go here; only tests get this far, for the level is always Off.
func tileCall(_ Level, rows, width int, t *tile) { plainTile(rows, width, t) }
