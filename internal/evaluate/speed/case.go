package speed

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
)

// ErrCase is wrapped by errors about what to measure.
var ErrCase = errors.New("nothing to measure")

// Work names what is measured.
type Work string

// The kinds of work.
const (
	// Image is the image tower with its head, as a photo's window needs it.
	Image Work = "image"
	// Text is the text tower with its head, at the full context.
	Text Work = "text"
	// Product is one matrix product.
	Product Work = "product"
	// Train is a training step: forward, backward, optimizer.
	Train Work = "train"
)

// Works are all kinds.
func Works() []Work { return []Work{Image, Text, Product, Train} }

// ParseWork reads a list of kinds of work: "image,text".
func ParseWork(list string) ([]Work, error) {
	var works []Work
	for _, name := range strings.Split(list, ",") {
		w := Work(strings.TrimSpace(name))
		if !slices.Contains(Works(), w) {
			return nil, fmt.Errorf("%w: work %q, there are image, text, product and train", ErrCase, name)
		}
		if !slices.Contains(works, w) {
			works = append(works, w)
		}
	}
	return works, nil
}

// Shape is that of a product A·B: A is M×K, B is K×N.
type Shape struct{ M, K, N int }

// maxSide bounds each side of a product, maxElements each of its matrices (1 GiB).
const (
	maxSide     = 1 << 16
	maxElements = 1 << 28
)

// ParseShape reads "MxKxN".
func ParseShape(s string) (Shape, error) {
	var sides [3]int
	parts := strings.Split(strings.ToLower(s), "x")
	if len(parts) != 3 {
		return Shape{}, fmt.Errorf("%w: shape %q: write MxKxN, as 784x384x1536", ErrCase, s)
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > maxSide {
			return Shape{}, fmt.Errorf("%w: shape %q: each side is 1 to %d", ErrCase, s, maxSide)
		}
		sides[i] = n
	}
	shape := Shape{sides[0], sides[1], sides[2]}
	if max(shape.M*shape.K, shape.K*shape.N, shape.M*shape.N) > maxElements {
		return Shape{}, fmt.Errorf("%w: shape %s: a matrix has more than %d elements", ErrCase, shape, maxElements)
	}
	return shape, nil
}

// String is what ParseShape reads.
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.M, s.K, s.N) }

// Case is one piece of work for one engine.
type Case struct {
	// Engine is what engine.Options.Kind takes; Threads its threads, at least 1.
	Engine  string
	Threads int
	// Precision is what engine.Options.Precision takes; in training it is that of all large products.
	Precision string
	Work      Work
	// Network is the network of image, text and train.
	Network network.Config
	// ImageSize is the side of the pictures, Batch the number of pictures or
	// texts of a run.
	ImageSize, Batch int
	// Shape is that of a product.
	Shape Shape
}

// maxImageSize and maxBatch bound what may be asked for; memory bounds it first.
const (
	maxImageSize = 4096
	maxBatch     = 4096
)

// Validate checks what was asked for; errors wrap ErrCase.
func (c Case) Validate() error {
	switch {
	case c.Threads < 1:
		return fmt.Errorf("%w: %d threads: at least 1 is needed", ErrCase, c.Threads)
	case c.Work == Train && c.Precision == engine.Int8:
		return fmt.Errorf("%w: precision %s is for inference: training is float32 or bf16", ErrCase, c.Precision)
	case c.Work == Product:
		return nil
	case c.Batch < 1 || c.Batch > maxBatch:
		return fmt.Errorf("%w: a batch of %d, allowed are 1 to %d", ErrCase, c.Batch, maxBatch)
	case c.Work != Text && (c.ImageSize < c.Network.PatchSize || c.ImageSize > maxImageSize):
		return fmt.Errorf("%w: pictures of %d pixels, allowed are %d (a patch) to %d", ErrCase, c.ImageSize, c.Network.PatchSize, maxImageSize)
	}
	return c.Network.Validate()
}

// Prompts is how many prompts a picture has in training: the paper's three, where
// the network has the noun loss.
func (c Case) Prompts() int {
	if c.Network.NounLoss {
		return 3
	}
	return 0
}

// FLOP counts the arithmetic of one run, two for each multiply-add.
func (c Case) FLOP() int64 {
	n, b := c.Network, int64(c.Batch)
	switch c.Work {
	case Product:
		return 2 * int64(c.Shape.M) * int64(c.Shape.K) * int64(c.Shape.N)
	case Text:
		return 2 * b * (TextCost(n, n.Text.Context) + TextHeadCost(n))
	case Train:
		return 2 * TrainCost(n, c.ImageSize, c.Batch, c.Prompts(), n.Text.Context)
	}
	return 2 * b * (ImageCost(n, c.ImageSize, c.ImageSize) + ImageHeadCost(n, c.ImageSize, c.ImageSize))
}
