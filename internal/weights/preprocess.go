package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"

	"github.com/groupvit/groupvit/internal/limits"
)

// preprocessor is what transformers' CLIPImageProcessor reads and writes. Only
// mean and deviation are read here; how a picture is cropped belongs to the
// protocol.
type preprocessor struct {
	Type         string         `json:"image_processor_type"`
	Resize       bool           `json:"do_resize"`
	Size         map[string]int `json:"size"`
	Resample     int            `json:"resample"` // PIL: 2 bilinear, 3 bicubic
	CenterCrop   bool           `json:"do_center_crop"`
	CropSize     map[string]int `json:"crop_size"`
	Rescale      bool           `json:"do_rescale"`
	Factor       float64        `json:"rescale_factor"`
	Normalize    bool           `json:"do_normalize"`
	Mean         []float64      `json:"image_mean"`
	Std          []float64      `json:"image_std"`
	ConvertToRGB bool           `json:"do_convert_rgb"`
}

func (m *Model) readPreprocessor(fsys fs.FS, dir string) error {
	b, err := readSmall(fsys, path.Join(dir, PreprocessorFile), limits.ConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var p struct {
		Mean *[]float64 `json:"image_mean"`
		Std  *[]float64 `json:"image_std"`
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrWeights, PreprocessorFile, err)
	}
	for _, c := range []struct {
		name     string
		from     *[]float64
		to       *[3]float32
		positive bool
	}{{"image_mean", p.Mean, &m.Mean, false}, {"image_std", p.Std, &m.Std, true}} {
		if c.from == nil {
			continue
		}
		if len(*c.from) != 3 {
			return fmt.Errorf("%w: %s: %s has %d numbers, 3 are needed", ErrWeights, PreprocessorFile, c.name, len(*c.from))
		}
		for i, x := range *c.from {
			if math.Abs(x) > 1e6 || c.positive && x < 1e-6 {
				return fmt.Errorf("%w: %s: %s has %g", ErrWeights, PreprocessorFile, c.name, x)
			}
			c.to[i] = float32(x)
		}
	}
	return nil
}

func (m *Model) preprocessorJSON() ([]byte, error) {
	side := m.Config.ImageSize
	p := preprocessor{
		Type: "CLIPImageProcessor", Resize: true, Size: map[string]int{"shortest_edge": side}, Resample: 2,
		CenterCrop: true, CropSize: map[string]int{"height": side, "width": side},
		Rescale: true, Factor: 1.0 / 255, Normalize: true, ConvertToRGB: true,
	}
	for i := range 3 {
		p.Mean, p.Std = append(p.Mean, decimal(m.Mean[i])), append(p.Std, decimal(m.Std[i]))
	}
	b, err := json.MarshalIndent(p, "", "  ")
	return append(b, '\n'), err
}

// decimal widens a float32 to the short number it was written as: 0.485 and not
// 0.48500001430511475.
func decimal(x float32) float64 { return math.Round(float64(x)*1e8) / 1e8 }
