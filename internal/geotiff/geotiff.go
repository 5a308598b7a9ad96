// Package geotiff reads from a TIFF where on Earth its pixels lie: the transformation
// and the EPSG number that its GeoTIFF tags give (OGC 19-008r4). TIFF and
// BigTIFF are read; the picture itself is package imaging's.
package geotiff

import (
	"errors"
	"fmt"
	"io"

	"github.com/groupvit/groupvit/internal/imaging/tiff"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

var (
	// ErrNone says that a file has no place on Earth: it is no TIFF, or has no tags
	// that give one.
	ErrNone = errors.New("no georeference")
	// ErrFormat is wrapped by errors for tags that cannot be read.
	ErrFormat = errors.New("not a readable GeoTIFF")
)

// Place is where the pixels of the first picture lie.
type Place struct {
	// Affine takes corners of pixels to coordinates of the system.
	Affine mask.Affine
	// EPSG is the number of the coordinate system, 0 where the file names none.
	EPSG int
	// UserDefined reports that the file has a coordinate system of its own instead,
	// which no number stands for.
	UserDefined bool
}

// Tags and keys of the standard.
const (
	tagOrientation    = 274
	tagPixelScale     = 33550
	tagTiepoint       = 33922
	tagTransformation = 34264
	tagKeys           = 34735

	keyModelType  = 1024 // 1: projected, 2: longitude and latitude
	keyRasterType = 1025 // 1: pixels are areas, 2: points
	keyGeographic = 2048
	keyProjected  = 3072
	projected     = 1
	userDefined   = 32767
	leastEPSG     = 1024 // smaller numbers are undefined, or of the standard's first draft
)

// Read reads the place of a TIFF. Errors wrap ErrNone, ErrFormat or
// [limits.ErrTooLarge], or are the reader's.
func Read(r io.ReaderAt) (Place, error) {
	tags, err := readTags(r)
	if err != nil {
		return Place{}, err
	}
	if o := tags.shorts[tagOrientation]; len(o) > 0 && o[0] > 1 {
		return Place{}, fmt.Errorf("%w: it is stored turned (orientation %d); store it upright", ErrFormat, o[0])
	}
	var place Place
	points := place.keys(tags.shorts[tagKeys])
	if place.Affine, err = tags.affine(); err != nil {
		return Place{}, err
	}
	if points { // coordinates are those of the pixels' middles
		a := &place.Affine
		a.C -= (a.A + a.B) / 2
		a.F -= (a.D + a.E) / 2
	}
	if _, err := place.Affine.Inverse(); err != nil {
		return Place{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return place, nil
}

// keys takes the coordinate system from the directory of keys and says whether pixels
// are points. A key is four numbers: its number, where its value lies (0: here), how
// many there are, the value.
func (p *Place) keys(k []uint64) (points bool) {
	values := map[uint64]uint64{}
	for i := 4; i+3 < len(k); i += 4 {
		if k[i+1] == 0 {
			values[k[i]] = k[i+3]
		}
	}
	// A projected system is based on a geographic one, which is not that of the
	// coordinates.
	system := values[keyProjected]
	if system == 0 && values[keyModelType] != projected {
		system = values[keyGeographic]
	}
	switch {
	case system == userDefined:
		p.UserDefined = true
	case system >= leastEPSG:
		p.EPSG = int(system)
	}
	return values[keyRasterType] == 2
}

// affine makes the transformation from a matrix, or from a scale and one tie point.
func (t *tags) affine() (mask.Affine, error) {
	if m := t.doubles[tagTransformation]; len(m) >= 8 {
		return mask.Affine{A: m[0], B: m[1], C: m[3], D: m[4], E: m[5], F: m[7]}, nil
	}
	scale, tie := t.doubles[tagPixelScale], t.doubles[tagTiepoint]
	if len(scale) >= 2 && len(tie) >= 6 {
		// Pixel (i, j) lies at (x, y); rows run south.
		i, j, x, y := tie[0], tie[1], tie[3], tie[4]
		return mask.Affine{A: scale[0], C: x - i*scale[0], E: -scale[1], F: y + j*scale[1]}, nil
	}
	return mask.Affine{}, fmt.Errorf("%w: a TIFF without ModelTransformation, or ModelPixelScale and ModelTiepoint", ErrNone)
}

// tags are those of the first directory that matter here.
type tags struct {
	shorts  map[uint16][]uint64
	doubles map[uint16][]float64
}

// wanted gives, by tag, its type and the most values that are read.
var wanted = map[uint16]struct {
	kind uint16
	most int64
}{
	tagOrientation:    {short, 1},
	tagPixelScale:     {double, 3},
	tagTiepoint:       {double, 6 * limits.GeoKeys},
	tagTransformation: {double, 16},
	tagKeys:           {short, 4 * (limits.GeoKeys + 1)},
}

// Types of values.
const (
	short  = 3
	double = 12
)

func readTags(r io.ReaderAt) (*tags, error) {
	var head [8]byte
	if n, err := r.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	} else if n < len(head) || !tiff.Is(head[:]) {
		return nil, fmt.Errorf("%w: it is no TIFF", ErrNone)
	}
	d, err := tiff.ReadDirectory(r)
	if err != nil {
		return nil, wrap(err)
	}
	t := &tags{map[uint16][]uint64{}, map[uint16][]float64{}}
	for tag, want := range wanted {
		if !d.Has(tag) {
			continue
		}
		if kind := d.Kind(tag); kind != want.kind {
			return nil, fmt.Errorf("%w: tag %d has type %d, not %d", ErrFormat, tag, kind, want.kind)
		}
		if want.kind == short {
			t.shorts[tag], err = d.Uints(tag, want.most)
		} else {
			t.doubles[tag], err = d.Floats(tag, want.most)
		}
		if err != nil {
			return nil, wrap(err)
		}
	}
	return t, nil
}

// wrap makes a damaged TIFF one of ErrFormat.
func wrap(err error) error {
	if errors.Is(err, tiff.ErrFormat) {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return err
}
