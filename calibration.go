package groupvit

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/groupvit/groupvit/internal/assign"
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
	// Statistics are of the model's vectors over training photos.
	Statistics *Statistics `json:"statistics,omitempty"`
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

// Statistics are the mean and the covariance of the vectors of places over photos:
// they give every word the mean and the deviation of its score.
type Statistics struct {
	Photos  int
	moments assign.Statistics
}

// statisticsJSON has the covariance's upper triangle, row by row; numbers are
// little-endian float32 in base64.
type statisticsJSON struct {
	Photos     int    `json:"photos"`
	Width      int    `json:"width"`
	Mean       string `json:"mean"`
	Covariance string `json:"covariance"`
}

// maxStatisticsWidth bounds the width: its square is allocated.
const maxStatisticsWidth = 1024

// MarshalJSON implements json.Marshaler.
func (s *Statistics) MarshalJSON() ([]byte, error) {
	var triangle []float32
	for i := range s.moments.Width {
		triangle = append(triangle, s.moments.Covariance[i*s.moments.Width+i:(i+1)*s.moments.Width]...)
	}
	return json.Marshal(statisticsJSON{s.Photos, s.moments.Width, packFloats(s.moments.Mean), packFloats(triangle)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Statistics) UnmarshalJSON(b []byte) error {
	var j statisticsJSON
	if err := strict(b, &j); err != nil {
		return err
	}
	if j.Width < 1 || j.Width > maxStatisticsWidth || j.Photos < 0 {
		return fmt.Errorf("statistics of width %d over %d photos, allowed are 1 to %d", j.Width, j.Photos, maxStatisticsWidth)
	}
	mean, err := unpackFloats(j.Mean, j.Width)
	if err != nil {
		return fmt.Errorf("mean: %w", err)
	}
	triangle, err := unpackFloats(j.Covariance, j.Width*(j.Width+1)/2)
	if err != nil {
		return fmt.Errorf("covariance: %w", err)
	}
	m := assign.Statistics{Width: j.Width, Mean: mean, Covariance: make([]float32, j.Width*j.Width)}
	for i := range j.Width {
		for k := i; k < j.Width; k++ {
			m.Covariance[i*j.Width+k], m.Covariance[k*j.Width+i] = triangle[0], triangle[0]
			triangle = triangle[1:]
		}
	}
	s.Photos, s.moments = j.Photos, m
	return m.Check()
}

func packFloats(x []float32) string {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func unpackFloats(s string, n int) ([]float32, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, err
	}
	if len(b) != 4*n {
		return nil, fmt.Errorf("%d bytes, want %d", len(b), 4*n)
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out, nil
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
		return c, c.fits(w.Config.EmbedWidth)
	}
	b, ok := w.Extra[CalibrationName]
	if !ok {
		return &Calibration{}, nil
	}
	c, err := ReadCalibration(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", CalibrationName, err)
	}
	return c, c.fits(w.Config.EmbedWidth)
}

// fits says whether the statistics are of a model of that width.
func (c *Calibration) fits(width int) error {
	if s := c.Statistics; s != nil && s.moments.Width != width {
		return fmt.Errorf("%w: the calibration is of a model of width %d, this one has %d", ErrModel, s.moments.Width, width)
	}
	return nil
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
