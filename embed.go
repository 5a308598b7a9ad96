package groupvit

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
)

// EmbedText returns the text's unit vector in the space shared with images. A
// text longer than the model's context is cut.
func (m *Model) EmbedText(ctx context.Context, text string) ([]float32, error) {
	if err := limits.Check("length in bytes", "text", int64(len(text)), limits.CaptionBytes, "shorten it"); err != nil {
		return nil, err
	}
	vectors, err := m.EmbedTexts(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}

// EmbedTexts is [Model.EmbedText] for many texts, which share passes through the
// text tower. An error names the text's number, from 1.
func (m *Model) EmbedTexts(ctx context.Context, texts []string) ([][]float32, error) {
	for i, t := range texts {
		if err := limits.Check("length in bytes", fmt.Sprintf("text %d", i+1), int64(len(t)), limits.CaptionBytes, "shorten it"); err != nil {
			return nil, err
		}
	}
	shared, err := m.towers.Texts(ctx, texts)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(shared))
	for i, v := range shared {
		out[i] = slices.Clone(v)
		assign.Normalize(out[i], len(v))
	}
	return out, nil
}

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

// Classification is one class's score.
type Classification struct {
	Label string `json:"label"`
	// Score is the cosine of photo and class, −1 to 1.
	Score float64 `json:"score"`
}

// Classify scores labels for a whole photo, best first: cosine of the photo's
// vector and the class's. For the paper's network that is the mean over seven
// prompts of projected vectors, normalised afterwards (paper, zero-shot
// classification); other models use their own prompts, as protocol best does.
func (m *Model) Classify(ctx context.Context, photo image.Image, labels []string) ([]Classification, error) {
	classes, err := parseLabels(labels)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.Name
	}
	text, _, err := m.ClassVectors(ctx, names, "")
	if err != nil {
		return nil, err
	}
	v, err := m.EmbedImage(ctx, photo)
	if err != nil {
		return nil, err
	}
	out := make([]Classification, len(names))
	for i := range names {
		out[i].Label = names[i]
		for k, x := range v {
			out[i].Score += float64(x) * float64(text[i][k])
		}
	}
	slices.SortStableFunc(out, func(a, b Classification) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return out, nil
}

// ClassVectors returns the unit vector of each name as [Model.Classify] makes it,
// and what the prompts are called; templates names others ("subset", "full", …).
// There may be thousands of names.
func (m *Model) ClassVectors(ctx context.Context, names []string, templates string) ([][]float32, string, error) {
	if err := limits.Check("number of names", "names", int64(len(names)), limits.Classes, "name fewer"); err != nil {
		return nil, "", err
	}
	for i, n := range names {
		if err := limits.Check("length in bytes", fmt.Sprintf("name %d", i+1), int64(len(n)), limits.LabelBytes, "use a word or a short phrase"); err != nil {
			return nil, "", err
		}
	}
	forms, raw := m.usage.prompts, m.config.IsPaper()
	if raw {
		templates = cmp.Or(templates, "subset")
	}
	if templates != "" {
		var err error
		if forms, err = namedPrompts(templates); err != nil {
			return nil, "", err
		}
	}
	vectors := make([][]float32, 0, len(names))
	for part := range slices.Chunk(names, namesAtOnce) {
		text, err := m.vectors(ctx, part, forms, raw)
		if err != nil {
			return nil, "", err
		}
		vectors = slices.AppendSeq(vectors, slices.Chunk(text, m.config.EmbedWidth))
	}
	return vectors, forms.forms.Name, nil
}

// namesAtOnce are encoded at a time, with all their prompts.
const namesAtOnce = 256
