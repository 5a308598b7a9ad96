package groupvit

import (
	"context"
	"fmt"
	"image"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
)

// EmbedImage returns the photo's unit vector in the space shared with texts.
//
// The photo is prepared as the model's directory says in its preprocessor_config.json
// (or processor_config.json), as Hugging Face transformers does with Pillow. For a
// model that says nothing the paper's classification holds: the short side becomes
// 256/224 of the training size (bilinear), and the middle square of the training size
// is what the model sees.
func (m *Model) EmbedImage(ctx context.Context, photo image.Image) ([]float32, error) {
	im, err := toImage(photo)
	if err != nil {
		return nil, err
	}
	if im, err = m.wholeImage(im); err != nil {
		return nil, err
	}
	w, err := m.window(ctx, imaging.Normalize(im, m.weights.Mean, m.weights.Std), im.Width, im.Height)
	if err != nil {
		return nil, err
	}
	return w.Image, nil
}

// pillowFilters are the filters by Pillow's numbers.
var pillowFilters = [...]imaging.Filter{imaging.Nearest, imaging.Lanczos, imaging.Bilinear, imaging.Bicubic, imaging.Box, imaging.Hamming}

// wholeImage resizes and cuts a photo to what the model sees where it looks at the
// photo once, as a whole.
func (m *Model) wholeImage(im *imaging.Image) (*imaging.Image, error) {
	says := m.weights.Preprocess
	if says == nil {
		return m.paperImage(im)
	}
	width, height := says.Resize.Of(im.Width, im.Height)
	cropWidth, cropHeight := says.CropWidth, says.CropHeight
	if cropWidth == 0 {
		cropWidth, cropHeight = width, height
	}
	p := m.config.PatchSize
	if min(cropWidth, cropHeight) < p {
		return nil, fmt.Errorf("%w %s: its preprocessing makes %d×%d pixels of the photo, less than a patch of %d×%d", ErrModel, m.name, cropWidth, cropHeight, p, p)
	}
	if err := limits.Check("number of patches", "photo", int64(cropWidth/p)*int64(cropHeight/p), limits.WindowPatches, "cut it to a squarer shape"); err != nil {
		return nil, err
	}
	return imaging.ResizeCenter(im, width, height, pillowFilters[says.Resample], cropWidth, cropHeight)
}

// paperImage is what the paper's classification sees of a photo.
func (m *Model) paperImage(im *imaging.Image) (*imaging.Image, error) {
	side := m.config.ImageSize
	width, height := imaging.ShortSide(im.Width, im.Height, side*256/224)
	return imaging.ResizePart(im, width, height, imaging.Bilinear, imaging.CenterRect(width, height, side, side))
}
