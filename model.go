package groupvit

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/hub"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// DefaultModel is the name of the embedded model.
const DefaultModel = "default"

// models holds models/default: the embedded model, if this build has one.
//
//go:embed models
var models embed.FS

const defaultDir = "models/default"

// Model is an opened model, ready to compute. It is safe for concurrent use.
type Model struct {
	name      string
	weights   *weights.Model // without tensors
	config    network.Config
	tokenizer *bpe.Tokenizer // nil where the vocabulary has none
	noWords   error          // why there is no tokenizer
	scale     float64        // exp(logit_scale)
	eval      evalFile
	// calibration was fitted after training; counts are those of its words.
	calibration *Calibration
	counts      *wordCounts
	backend     compute.Backend
	turn        *turn
	pending     pendings
	image       *runner // for the holder of the turn, as are text and grids
	text        *runner
	grids       grids
	cache       *textCache
	finalize    func()
}

// DefaultFiles returns the files of the embedded model: a Hugging Face directory.
// Errors wrap [ErrModel] where this build has none.
func DefaultFiles() (fs.FS, error) {
	if _, err := fs.Stat(models, defaultDir+"/"+weights.ConfigFile); err != nil {
		return nil, fmt.Errorf("%w: this build has no embedded model: name a model directory (--model DIR)", ErrModel)
	}
	return fs.Sub(models, defaultDir)
}

// Open opens a model: "default" (or "") is the embedded one; else a Hugging Face
// directory, a .safetensors file in one, an official .pth, or the name of a model
// on the Hub ("nvidia/groupvit-gcc-yfcc", "owner/name@revision") that is in the
// cache: `groupvit model pull` puts it there, Open itself asks no network.
//
// Errors wrap [ErrModel] (and what the file system or the reader says),
// [ErrTooLarge] or [ErrOption].
func Open(ctx context.Context, path string, o *Options) (*Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &Options{}
	}
	var w *weights.Model
	var err error
	if path == "" || path == DefaultModel {
		path = DefaultModel
		var files fs.FS
		if files, err = DefaultFiles(); err != nil {
			return nil, err
		}
		w, err = weights.OpenFS(files, ".")
	} else {
		var dir string
		if dir, err = hub.Locate(path); err == nil {
			w, err = weights.Open(dir)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, path, err)
	}
	return newModel(path, w, o)
}

func newModel(name string, w *weights.Model, o *Options) (*Model, error) {
	backend, err := engine.New(engine.Options{Kind: o.Engine, Threads: o.Threads, Precision: o.Precision})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	m := &Model{name: name, config: w.Config, backend: backend, turn: newTurn(), grids: grids{}, cache: newTextCache(textCacheEntries)}
	m.tokenizer, m.noWords = tokenizer(w)
	if m.noWords != nil && !errors.Is(m.noWords, bpe.ErrNoTokenizer) {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, m.noWords)
	}
	if theta := w.Tensors["logit_scale"]; len(theta) == 1 {
		m.scale = math.Exp(float64(theta[0]))
	}
	if !finite(m.scale) {
		return nil, fmt.Errorf("%w %s: its temperature logit_scale gives %g", ErrModel, name, m.scale)
	}
	if m.eval, err = readEval(w); err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, err)
	}
	if m.calibration, err = readCalibration(w, o.Calibration); err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, err)
	}
	if m.counts, err = readCounts(w); err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, err)
	}
	store, err := newStore(backend, w)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, err)
	}
	m.image, m.text = newRunner(backend, store, imageGraph(w.Config, m.grids)), newRunner(backend, store, textGraph(w.Config))
	m.finalize = func() {
		m.image.close()
		m.text.close()
		store.Finalize()
		backend.Finalize()
	}
	light := *w
	light.Tensors = nil
	m.weights = &light
	return m, nil
}

// tokenizer returns the model's own tokenizer, or CLIP's cut to its vocabulary.
func tokenizer(w *weights.Model) (*bpe.Tokenizer, error) {
	size := w.Config.Text.Vocabulary
	t, err := bpe.FromFiles(w.TokenizerFiles)
	if errors.Is(err, bpe.ErrNoTokenizer) {
		if size < bpe.MinVocabulary || size > bpe.ClipVocabulary {
			return nil, fmt.Errorf("%w; CLIP's has from %d to %d tokens, the model knows %d", err, bpe.MinVocabulary, bpe.ClipVocabulary, size)
		}
		return bpe.Truncated(size)
	}
	if err == nil && t.Vocabulary() > size {
		return nil, fmt.Errorf("%w: the tokenizer has %d tokens, the model knows %d", bpe.ErrTokenizer, t.Vocabulary(), size)
	}
	return t, err
}

// Close frees the model after the computation that runs now, if any. Every
// later call returns [ErrClosed].
func (m *Model) Close() error {
	m.turn.close(m.finalize)
	return nil
}
