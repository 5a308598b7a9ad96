//go:build (cgo || nodynamic) && !noheif

package heif

import (
	"bytes"
	"image"
	"sync"

	"github.com/gen2brain/avif"
	"github.com/gen2brain/heic"

	"github.com/groupvit/groupvit/internal/imaging"
)

func init() {
	if heic.Dynamic() != nil {
		imaging.Register(imaging.Format{
			Name: "HEIC", Extensions: []string{".heic", ".heif", ".hif"}, Matches: isHEIC, Size: sizeHEIC,
			Decode: one(decodeHEIC), Orientation: func([]byte) int { return 1 },
		})
	}
	if avif.Dynamic() != nil {
		imaging.Register(imaging.Format{
			Name: "AVIF", Extensions: []string{".avif", ".avifs"}, Matches: isAVIF, Size: sizeAVIF,
			Decode: one(decodeAVIF), Orientation: orientationAVIF,
		})
	}
}

// decoding lets one photo be decoded at a time: each takes memory of its own.
var decoding sync.Mutex

func one(decode func([]byte, func(string)) (image.Image, error)) func([]byte, func(string)) (image.Image, error) {
	return func(b []byte, note func(string)) (image.Image, error) {
		decoding.Lock()
		defer decoding.Unlock()
		return decode(b, note)
	}
}

func decodeAVIF(b []byte, _ func(string)) (image.Image, error) {
	return avif.Decode(bytes.NewReader(b))
}

func decodeHEIC(b []byte, note func(string)) (image.Image, error) {
	im, err := heic.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if hasAlpha(b) {
		note("its transparency is not read")
	}
	mendCorner(im)
	return im, nil
}

// mendCorner gives the picture's first bytes those of the row below: the module hands out
// memory that it has freed, and what frees it writes there.
func mendCorner(im image.Image) {
	const freed = 32
	mend := func(pix []uint8, stride int) {
		if len(pix) >= stride+freed {
			copy(pix[:freed], pix[stride:])
		}
	}
	switch im := im.(type) {
	case *image.YCbCr:
		mend(im.Y, im.YStride)
	case *image.Gray:
		mend(im.Pix, im.Stride)
	case *image.NRGBA:
		mend(im.Pix, im.Stride)
	case *image.RGBA:
		mend(im.Pix, im.Stride)
	}
}
