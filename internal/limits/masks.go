package limits

// Caps on files of masks.
const (
	// MaskFileBytes is the largest file of polygons or run lengths that is read.
	MaskFileBytes = 256 << 20
	// MaskLine is the longest line of such a file, in bytes.
	MaskLine = 64 << 20
	// FillRows is how many rows the edges of one file's polygons may cross in all, 64
	// pixels painted counting as one more: what filling them costs.
	FillRows = 1 << 28
	// TableBytes is the largest table of label numbers.
	TableBytes = 1 << 20
	// GeoKeys is the largest number of keys about the place of a GeoTIFF.
	GeoKeys = 1024
)
