package evaluate

import (
	"context"
	"image"
)

// Predictor finds the class of each pixel of a photo. It must be safe for
// concurrent use.
type Predictor interface {
	// Predict returns one map for each threshold: a class a pixel, row by row,
	// of the photo's own size, below the number of classes. A NaN threshold is
	// the predictor's own rule.
	Predict(ctx context.Context, photo image.Image, thresholds []float64) ([][]uint8, error)
	// About says what predicts, for the report.
	About() About
}

// About describes a predictor.
type About struct {
	// Protocol is the name of the rules that turn a model's output into classes.
	Protocol string `json:"protocol"`
	// Background says what makes a pixel background: a threshold, a rule, or
	// "off".
	Background string `json:"background"`
	// Templates names the prompts.
	Templates string `json:"templates,omitempty"`
	// Techniques are what protocol best did beyond reading the map.
	Techniques string `json:"techniques,omitempty"`
	// Model is what was measured.
	Model Model `json:"model"`
	// Engine computed it, on so many threads (0: all).
	Engine  string `json:"engine"`
	Threads int    `json:"threads"`
	// Note says what the reader must know to compare the number: windows of
	// another size than the published ones, for example.
	Note string `json:"note,omitempty"`
}

// Model names a model and the bytes of its weights.
type Model struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}
