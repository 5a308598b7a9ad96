package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Preprocess is what a model directory says of how a photo becomes the network's
// input: it is resized, then cut; [Model.Mean] and [Model.Std] hold the rest. Sizes
// are in pixels.
type Preprocess struct {
	// Resize is the size that a photo is resized to; the zero Size leaves it as it is.
	Resize Size
	// Resample is Pillow's number of the filter: 0 nearest, 1 Lanczos, 2 bilinear,
	// 3 bicubic, 4 box, 5 Hamming.
	Resample int
	// CropWidth and CropHeight are cut from the middle, with black around what is
	// smaller; 0 cuts nothing.
	CropWidth, CropHeight int
}

// Size says how large a photo becomes, in one of the ways of Hugging Face's image
// processors: Height and Width whatever its shape; or in its shape a ShortestEdge,
// unless the longer would exceed LongestEdge (0 for no such bound); or in its shape the
// largest within MaxHeight and MaxWidth.
type Size struct {
	Height       int `json:"height,omitempty"`
	Width        int `json:"width,omitempty"`
	ShortestEdge int `json:"shortest_edge,omitempty"`
	LongestEdge  int `json:"longest_edge,omitempty"`
	MaxHeight    int `json:"max_height,omitempty"`
	MaxWidth     int `json:"max_width,omitempty"`
}

// Of is the size that a photo of width×height pixels is resized to, as transformers
// computes it, but at least 1. A very long photo's may be larger than any image.
func (s Size) Of(width, height int) (w, h int) {
	switch {
	case s.Width > 0:
		return s.Width, s.Height
	case s.MaxWidth > 0:
		f := min(float64(s.MaxHeight)/float64(height), float64(s.MaxWidth)/float64(width))
		return max(1, int(float64(width)*f)), max(1, int(float64(height)*f))
	case s.ShortestEdge == 0:
		return width, height
	}
	short, long := min(width, height), max(width, height)
	edge, exact := s.ShortestEdge, float64(s.ShortestEdge)
	if bound := float64(s.LongestEdge); bound > 0 && float64(long)/float64(short)*exact > bound {
		exact = bound * float64(short) / float64(long)
		edge = max(1, int(math.RoundToEven(exact)))
		if short == edge {
			return width, height
		}
	}
	long = int(exact * float64(long) / float64(short))
	if width <= height {
		return edge, long
	}
	return long, edge
}

// processorJSON is what transformers' image processors read and write.
type processorJSON struct {
	Type         string          `json:"image_processor_type"`
	OlderType    string          `json:"feature_extractor_type,omitempty"`
	Resize       *bool           `json:"do_resize"`
	Size         json.RawMessage `json:"size"`
	Resample     *int            `json:"resample"`
	CenterCrop   *bool           `json:"do_center_crop"`
	CropSize     json.RawMessage `json:"crop_size"`
	Rescale      *bool           `json:"do_rescale"`
	Factor       *float64        `json:"rescale_factor"`
	Normalize    *bool           `json:"do_normalize"`
	Mean         json.RawMessage `json:"image_mean"`
	Std          json.RawMessage `json:"image_std"`
	ConvertToRGB *bool           `json:"do_convert_rgb"`
}

// processorDefaults are what a class of image processors fills in, and whether a size
// of one number is that of a square.
type processorDefaults struct {
	size      Size
	square    bool
	crop      bool
	resample  int
	mean, std float64or3
}

type float64or3 [3]float64

var (
	halfEach = float64or3{0.5, 0.5, 0.5}
	clipMean = float64or3{0.48145466, 0.4578275, 0.40821073}
	clipStd  = float64or3{0.26862954, 0.26130258, 0.27577711}
)

// defaultCrop is the crop of classes that crop, in pixels a side.
const defaultCrop = 224

// defaultsOf returns those of a class by the start of its name: CLIP's is the port's
// own, and stands in where none is named.
func defaultsOf(class string) (processorDefaults, bool) {
	switch {
	case class == "", strings.HasPrefix(class, "CLIP"):
		return processorDefaults{size: Size{ShortestEdge: 224}, crop: true, resample: 3, mean: clipMean, std: clipStd}, true
	case strings.HasPrefix(class, "ViT"):
		return processorDefaults{size: Size{Height: 224, Width: 224}, square: true, resample: 2, mean: halfEach, std: halfEach}, true
	case strings.HasPrefix(class, "DeiT"):
		return processorDefaults{size: Size{Height: 256, Width: 256}, square: true, crop: true, resample: 3, mean: halfEach, std: halfEach}, true
	}
	return processorDefaults{}, false
}

// readPreprocessor reads how the directory's image processor prepares a photo, from
// processor_config.json where that holds it, as transformers 5 writes it, else from
// preprocessor_config.json; a directory with neither leaves the model as it is.
func (m *Model) readPreprocessor(fsys fs.FS, dir string) error {
	for _, name := range []string{ProcessorFile, PreprocessorFile} {
		b, err := readSmall(fsys, path.Join(dir, name), limits.ConfigBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if name == ProcessorFile {
			var whole struct {
				Image json.RawMessage `json:"image_processor"`
			}
			if err := json.Unmarshal(b, &whole); err != nil {
				return fmt.Errorf("%w: %s: %v", ErrWeights, name, err)
			}
			if b = whole.Image; !given(b) {
				continue
			}
		}
		if err := m.parsePreprocessor(b); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrWeights, name, err)
		}
		return nil
	}
	return nil
}

// given reports whether JSON has a value other than null.
func given(b json.RawMessage) bool { return len(b) > 0 && !bytes.Equal(b, []byte("null")) }

func (m *Model) parsePreprocessor(b []byte) error {
	var p processorJSON
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	class := p.Type
	if class == "" {
		class = p.OlderType
	}
	defaults, known := defaultsOf(class)
	if !known && (p.Resample == nil || p.CenterCrop == nil || !bytes.HasPrefix(p.Size, []byte("{")) || !given(p.Mean) || !given(p.Std)) {
		return fmt.Errorf("image_processor_type is %q, whose defaults are not known here: state size (as an object), resample, do_center_crop, image_mean and image_std", class)
	}
	q := &Preprocess{Resample: value(p.Resample, defaults.resample)}
	if q.Resample < 0 || q.Resample > 5 {
		return fmt.Errorf("resample is %d, Pillow's filters are 0 to 5", q.Resample)
	}
	var err error
	if value(p.Resize, true) {
		if q.Resize, err = parseSize("size", p.Size, defaults.size, defaults.square); err != nil {
			return err
		}
	}
	if value(p.CenterCrop, defaults.crop) {
		crop, err := parseSize("crop_size", p.CropSize, Size{Height: defaultCrop, Width: defaultCrop}, true)
		if err != nil {
			return err
		}
		if crop.Width == 0 {
			return fmt.Errorf("crop_size is %s, height and width are needed", p.CropSize)
		}
		q.CropWidth, q.CropHeight = crop.Width, crop.Height
	}
	if err := m.parseNormalisation(&p, defaults); err != nil {
		return err
	}
	m.Preprocess = q
	return nil
}

// parseNormalisation sets Mean and Std to what does the same to v/255 as the processor
// does to a level v: (v·factor − mean)/std, with factor 1 where it does not rescale,
// and mean 0 and deviation 1 where it does not normalise.
func (m *Model) parseNormalisation(p *processorJSON, defaults processorDefaults) error {
	mean, std, factor := float64or3{}, float64or3{1, 1, 1}, 1.0
	if value(p.Normalize, true) {
		var err error
		if mean, err = parseChannels("image_mean", p.Mean, defaults.mean); err != nil {
			return err
		}
		if std, err = parseChannels("image_std", p.Std, defaults.std); err != nil {
			return err
		}
	}
	if value(p.Rescale, true) {
		factor = value(p.Factor, 1.0/255)
		if !(factor >= 1e-9 && factor <= 1e3) {
			return fmt.Errorf("rescale_factor is %g", factor)
		}
	}
	for i := range 3 {
		if std[i] < 1e-6 {
			return fmt.Errorf("image_std has %g", std[i])
		}
		scale := 1.0
		if math.Abs(factor*255-1) > 1e-9 {
			scale = 1 / (255 * factor)
		}
		m.Mean[i], m.Std[i] = float32(mean[i]*scale), float32(std[i]*scale)
	}
	return nil
}

// parseSize reads a size in any form that transformers takes: a number, [height, width]
// or an object.
func parseSize(key string, b json.RawMessage, missing Size, square bool) (Size, error) {
	if !given(b) {
		return missing, nil
	}
	var s Size
	var number int
	var pair []int
	switch {
	case json.Unmarshal(b, &number) == nil && square:
		s = Size{Height: number, Width: number}
	case json.Unmarshal(b, &number) == nil:
		s = Size{ShortestEdge: number}
	case json.Unmarshal(b, &pair) == nil && len(pair) == 2:
		s = Size{Height: pair[0], Width: pair[1]}
	default:
		if err := json.Unmarshal(b, &s); err != nil {
			return s, fmt.Errorf("%s: %w", key, err)
		}
	}
	for _, v := range []int{s.Height, s.Width, s.ShortestEdge, s.LongestEdge, s.MaxHeight, s.MaxWidth} {
		if v < 0 || v > limits.SeenSide {
			return s, fmt.Errorf("%s has %d, sides are 1 to %d pixels", key, v, limits.SeenSide)
		}
	}
	bounded := s.ShortestEdge > 0 && s.Height+s.Width+s.MaxHeight+s.MaxWidth == 0
	if fixed := s.Height > 0 && s.Width > 0 && s.ShortestEdge+s.LongestEdge+s.MaxHeight+s.MaxWidth == 0; fixed || bounded {
		return s, nil
	}
	if s.MaxHeight > 0 && s.MaxWidth > 0 && s.Height+s.Width+s.ShortestEdge+s.LongestEdge == 0 {
		return s, nil
	}
	return s, fmt.Errorf("%s is %.100s: a number, {height, width}, {shortest_edge}, {shortest_edge, longest_edge} or {max_height, max_width} is needed", key, b)
}

// parseChannels reads one number for each of three channels, or one for all.
func parseChannels(key string, b json.RawMessage, missing float64or3) (float64or3, error) {
	if !given(b) {
		return missing, nil
	}
	var one float64
	var list []float64
	if json.Unmarshal(b, &one) == nil {
		list = []float64{one, one, one}
	} else if err := json.Unmarshal(b, &list); err != nil {
		return missing, fmt.Errorf("%s: %w", key, err)
	}
	if len(list) != 3 {
		return missing, fmt.Errorf("%s has %d numbers, 3 are needed", key, len(list))
	}
	for _, x := range list {
		if math.Abs(x) > 1e6 {
			return missing, fmt.Errorf("%s has %g", key, x)
		}
	}
	return float64or3(list), nil
}

// value is what p points to, or else missing.
func value[T any](p *T, missing T) T {
	if p == nil {
		return missing
	}
	return *p
}

// PaperPreprocess is that of the paper's classification, for a network of side pixels:
// the short side becomes 256/224 of it, and the middle square is cut. It is written
// where a model has none of its own.
func PaperPreprocess(side int) Preprocess {
	return Preprocess{Resize: Size{ShortestEdge: side * 256 / 224}, Resample: 2, CropWidth: side, CropHeight: side}
}

func (m *Model) preprocessorJSON() ([]byte, error) {
	use := PaperPreprocess(m.Config.ImageSize)
	if m.Preprocess != nil {
		use = *m.Preprocess
	}
	yes, no, factor := true, false, 1.0/255
	p := processorJSON{Type: "CLIPImageProcessor", Resize: &no, Resample: &use.Resample, CenterCrop: &no, Rescale: &yes, Factor: &factor, Normalize: &yes, ConvertToRGB: &yes}
	var err error
	put := func(key *json.RawMessage, v any) {
		b, e := json.Marshal(v)
		err, *key = errors.Join(err, e), b
	}
	if use.Resize != (Size{}) {
		p.Resize = &yes
		put(&p.Size, use.Resize)
	}
	if use.CropWidth > 0 {
		p.CenterCrop = &yes
		put(&p.CropSize, Size{Height: use.CropHeight, Width: use.CropWidth})
	}
	var mean, std [3]float64
	for i := range 3 {
		mean[i], std[i] = decimal(m.Mean[i]), decimal(m.Std[i])
	}
	put(&p.Mean, mean)
	put(&p.Std, std)
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(p, "", "  ")
	return append(b, '\n'), err
}

// decimal widens a float32 to the short number it was written as: 0.485 and not
// 0.48500001430511475.
func decimal(x float32) float64 {
	if math.Abs(float64(x)) < 1e-2 {
		return float64(x) // eight decimals would round it
	}
	return math.Round(float64(x)*1e8) / 1e8
}
