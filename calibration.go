package groupvit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/weights"
)

// CalibrationName is the file of a model directory that holds a [Calibration].
const CalibrationName = "calibration.json"

// Calibration is what was fitted to a model after training; see the command
// calibrate. The zero value says nothing.
type Calibration struct {
	// Fits are thresholds, each for one choice of techniques.
	Fits []Fit `json:"fits,omitempty"`
}

// Fit is a threshold and a sharpness that were fitted to labelled photos.
type Fit struct {
	// Techniques is what they belong to, as [Techniques.String] writes it.
	Techniques string `json:"techniques"`
	// Threshold on a label's probability, 0 to 1; Sharpness, if positive, replaces
	// the model's temperature in it.
	Threshold float64 `json:"threshold"`
	Sharpness float64 `json:"sharpness,omitempty"`
	// Photos is how many it was fitted to, MIoU the mean over them in percent.
	Photos int     `json:"photos"`
	MIoU   float64 `json:"mIoU"`
}

// strict decodes JSON, refusing unknown keys and what follows the value.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the JSON value")
	}
	return nil
}

// ReadCalibration reads a calibration; at most [limits.ConfigBytes]. Errors wrap
// [ErrModel].
func ReadCalibration(r io.Reader) (*Calibration, error) {
	b, err := io.ReadAll(io.LimitReader(r, limits.ConfigBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: calibration: %w", ErrModel, err)
	}
	if err := limits.Check("the size in bytes", "calibration", int64(len(b)), limits.ConfigBytes, "it is no calibration"); err != nil {
		return nil, err
	}
	c := &Calibration{}
	if err := strict(b, c); err != nil {
		return nil, fmt.Errorf("%w: calibration: %w", ErrModel, err)
	}
	for _, f := range c.Fits {
		if !(f.Threshold >= 0 && f.Threshold <= 1) || !(f.Sharpness >= 0 && f.Sharpness <= maxSharpness) {
			return nil, fmt.Errorf("%w: calibration: threshold %g and sharpness %g, allowed are 0 to 1 and 0 to %d", ErrModel, f.Threshold, f.Sharpness, maxSharpness)
		}
	}
	return c, nil
}

// maxSharpness bounds the scale of a softmax over cosines.
const maxSharpness = 1000

// Sharpness is the scale of a softmax over cosines that the model learnt in training,
// at most 100.
func (m *Model) Sharpness() float64 { return min(m.scale, 100) }

// readCalibration is that of the options, else the model directory's, else empty.
func readCalibration(w *weights.Model, path string) (*Calibration, error) {
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%w: calibration: %w", ErrOption, err)
		}
		defer f.Close()
		c, err := ReadCalibration(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return c, nil
	}
	b, ok := w.Extra[CalibrationName]
	if !ok {
		return &Calibration{}, nil
	}
	c, err := ReadCalibration(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", CalibrationName, err)
	}
	return c, nil
}

// fit is that for a choice of techniques, if there is one.
func (c *Calibration) fit(t Techniques) (Fit, bool) {
	for _, f := range c.Fits {
		if f.Techniques == t.String() {
			return f, true
		}
	}
	return Fit{}, false
}

// Set puts a fit in the place of one for the same techniques.
func (c *Calibration) Set(f Fit) {
	for i := range c.Fits {
		if c.Fits[i].Techniques == f.Techniques {
			c.Fits[i] = f
			return
		}
	}
	c.Fits = append(c.Fits, f)
}

// Write writes the calibration as [ReadCalibration] reads it.
func (c *Calibration) Write(w io.Writer) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		_, err = w.Write([]byte(strings.TrimSpace(string(b)) + "\n"))
	}
	return err
}
