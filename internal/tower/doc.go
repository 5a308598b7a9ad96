// Package tower runs the two towers of a model: images and texts in, vectors out.
//
// [Towers] compiles the network's graphs for each shape of input, runs one
// computation at a time, puts windows of one size that wait at the same time into one
// batch, and remembers the vectors of texts. It knows tensors and tokens; which pixels
// and which prompts go in, and what is read from the vectors, is the root package's.
package tower

import "errors"

var (
	// ErrModel is wrapped by errors about a model that cannot be opened or cannot
	// do what is asked of it.
	ErrModel = errors.New("unusable model")
	// ErrClosed is returned by the methods of closed towers.
	ErrClosed = errors.New("the model is closed")
)
