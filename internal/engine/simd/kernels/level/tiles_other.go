//go:build !linux || !amd64

package level

// Tiles are used on Linux alone.
func tilesOffered() bool { return false }

// TilesMissing says what keeps a CPU that has tiles from using them; "" where it has none.
func TilesMissing() string { return "" }

// TilesOfBytes reports whether the CPU's tiles multiply bytes too.
func TilesOfBytes() bool { return false }
