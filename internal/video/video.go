// Package video reads raw frames and steadies what is seen in them over time.
package video

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/mask"
)

// ErrFrame is wrapped by errors about frames.
var ErrFrame = errors.New("bad frame")

// Size of frames, in pixels.
type Size struct{ Width, Height int }

// ParseSize reads "640x360". Errors wrap ErrFrame or [mask.ErrTooLarge].
func ParseSize(s string) (Size, error) {
	w, h, ok := strings.Cut(s, "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || width < 1 || height < 1 {
		return Size{}, fmt.Errorf("%w: size %q: give width and height, as 640x360", ErrFrame, s)
	}
	if _, err := mask.New(width, height); err != nil { // the same caps
		return Size{}, err
	}
	return Size{width, height}, nil
}

// Bytes is the length of a frame of three bytes a pixel.
func (s Size) Bytes() int { return 3 * s.Width * s.Height }

// Read reads the next frame, rows of red, green, blue. The error is io.EOF at the end
// between frames, and wraps ErrFrame inside one.
func (s Size) Read(r io.Reader) (*imaging.Image, error) {
	frame := imaging.New(s.Width, s.Height)
	n, err := io.ReadFull(r, frame.Pix)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: the last one has %d bytes, a frame of %dx%d takes %d: is that the size of the frames, and are they rgb24?",
			ErrFrame, n, s.Width, s.Height, s.Bytes())
	}
	if err != nil {
		return nil, err
	}
	return frame, nil
}

// Smoother steadies labels over frames: class scores are averaged exponentially, and
// so is whether a pixel was background.
type Smoother struct {
	// Keep is the share of what was before, from 0 (nothing is smoothed) to below 1.
	Keep float64

	scores, background []float32
}

// Add takes in the answer to the next frame, its labels and class scores [labels,
// height, width], and returns the labels to show: background where a pixel was
// background for more than half of the remembered time, else the label whose average
// score is best. It keeps neither.
func (s *Smoother) Add(m *mask.Map, scores []float32) *mask.Map {
	n := len(m.Labels)
	if s.Keep == 0 {
		return m
	}
	keep := float32(s.Keep)
	if len(s.scores) != len(scores) || len(s.background) != n { // the first
		s.scores, s.background, keep = make([]float32, len(scores)), make([]float32, n), 0
	}
	for i, v := range scores {
		s.scores[i] = keep*s.scores[i] + (1-keep)*v
	}
	out := &mask.Map{Width: m.Width, Height: m.Height, Labels: make([]uint16, n)}
	for i, l := range m.Labels {
		now := float32(0)
		if l == 0 {
			now = 1
		}
		s.background[i] = keep*s.background[i] + (1-keep)*now
		if s.background[i] <= 0.5 {
			out.Labels[i] = s.best(i, n)
		}
	}
	return out
}

// best is the label of pixel i whose average score is best, the first on ties.
func (s *Smoother) best(i, n int) uint16 {
	best, label := s.scores[i], uint16(1)
	for k := 1; k*n < len(s.scores); k++ {
		if v := s.scores[k*n+i]; v > best {
			best, label = v, uint16(k+1)
		}
	}
	return label
}
