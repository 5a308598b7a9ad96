package modelfile

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/groupvit/groupvit/internal/limits"
)

// CalibrationName is the file of a model directory that holds a [Calibration].
const CalibrationName = "calibration.json"

// MaxSharpness bounds the scale of a softmax over cosines.
const MaxSharpness = 1000

// Calibration is what was fitted to a model after training; see the command
// calibrate. The zero value says nothing.
type Calibration struct {
	// Fits are thresholds, each for one choice of techniques.
	Fits []Fit `json:"fits,omitempty"`
}

// Fit is a threshold and a sharpness that were fitted to labelled photos.
type Fit struct {
	// Techniques is what they belong to, as protocol best's report writes it.
	Techniques string `json:"techniques"`
	// Threshold on a label's probability, 0 to 1; Sharpness, if positive, replaces
	// the model's temperature in it.
	Threshold float64 `json:"threshold"`
	Sharpness float64 `json:"sharpness,omitempty"`
	// Photos is how many it was fitted to, MIoU the mean over them in percent.
	Photos int     `json:"photos"`
	MIoU   float64 `json:"mIoU"`
}

// ReadCalibration reads a calibration of at most [limits.ConfigBytes]. Errors wrap
// [limits.ErrTooLarge] where it is longer.
func ReadCalibration(r io.Reader) (*Calibration, error) {
	b, err := io.ReadAll(io.LimitReader(r, limits.ConfigBytes+1))
	if err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	if err := limits.Check("the size in bytes", "calibration", int64(len(b)), limits.ConfigBytes, "it is no calibration"); err != nil {
		return nil, err
	}
	c := &Calibration{}
	if err := strict(b, c); err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	for _, f := range c.Fits {
		if !(f.Threshold >= 0 && f.Threshold <= 1) || !(f.Sharpness >= 0 && f.Sharpness <= MaxSharpness) {
			return nil, fmt.Errorf("calibration: threshold %g and sharpness %g, allowed are 0 to 1 and 0 to %d", f.Threshold, f.Sharpness, MaxSharpness)
		}
	}
	return c, nil
}

// Fit returns the fit for a choice of techniques; the zero Fit and false if there is
// none.
func (c *Calibration) Fit(techniques string) (Fit, bool) {
	for _, f := range c.Fits {
		if f.Techniques == techniques {
			return f, true
		}
	}
	return Fit{}, false
}

// Set replaces the fit for the same techniques, or adds one.
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
		_, err = w.Write(append(b, '\n'))
	}
	return err
}
