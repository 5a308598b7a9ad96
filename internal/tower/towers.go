package tower

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/network"
)

// Towers are a model's image tower and text tower, ready to compute. They are safe
// for concurrent use.
type Towers struct {
	name      string // in errors
	config    network.Config
	tokenizer *bpe.Tokenizer
	noTexts   error // why there is no tokenizer

	lock    computeLock
	windows windowQueue
	image   *runner // for the holder of the lock, as are text and grids
	text    *runner
	grids   grids
	cache   *textCache
	// finalize frees what the engine holds.
	finalize func()
}

// New prepares the towers of a model that errors call name, from its tensors by name,
// which nobody may change afterwards. backend becomes the towers': Close frees it. A
// nil tokenizer makes every text an error that wraps noTexts.
func New(name string, backend compute.Backend, c network.Config, weights map[string][]float32, tokenizer *bpe.Tokenizer, noTexts error) (*Towers, error) {
	store, err := newStore(backend, c, weights)
	if err != nil {
		return nil, err
	}
	t := &Towers{name: name, config: c, tokenizer: tokenizer, noTexts: noTexts, lock: newComputeLock(), grids: grids{}, cache: newTextCache(textCacheEntries)}
	t.image, t.text = newRunner(backend, store, imageGraph(c, t.grids)), newRunner(backend, store, textGraph(c))
	t.finalize = func() {
		t.image.close()
		t.text.close()
		store.Finalize()
		backend.Finalize()
	}
	return t, nil
}

// Close frees the towers after the computation that runs now, if any. Every later
// call returns [ErrClosed].
func (t *Towers) Close() { t.lock.Close(t.finalize) }

// checkFinite refuses what a model with damaged weights computes: no later step
// could make sense of it.
func (t *Towers) checkFinite(outputs ...[]float32) error {
	for _, out := range outputs {
		for _, v := range out {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("%w %s: its weights give %g", ErrModel, t.name, v)
			}
		}
	}
	return nil
}
