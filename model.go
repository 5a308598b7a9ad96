package groupvit

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/hub"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/tower"
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
	name    string
	weights *weights.Model // without tensors
	config  network.Config
	scale   float64 // exp(logit_scale)
	usage   usage
	// calibration was fitted after training; counts are those of its words.
	calibration *modelfile.Calibration
	counts      *modelfile.WordCounts
	backend     compute.Backend
	precision   Precision
	towers      *tower.Towers
	// vocabulary is that of [Model.Vocabulary] with its vectors, once they were asked for.
	vocabulary struct {
		list    sync.Once
		words   []Word
		trained bool
		sync.Mutex
		vectors []float32
	}
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
	return newModel(ctx, path, w, o)
}

// newModel opens a model in the precision that the options name, or chooses it.
func newModel(ctx context.Context, name string, w *weights.Model, o *Options) (*Model, error) {
	if !engineOptions(o).AsksForAuto() {
		return openModel(name, w, o)
	}
	p, err := choosePrecision(ctx, name, w, *o)
	if err != nil {
		return nil, err
	}
	m, err := openModel(name, w, p.of(*o))
	if err == nil {
		m.precision = p
	}
	return m, err
}

func engineOptions(o *Options) engine.Options {
	return engine.Options{Kind: o.Engine, Threads: o.Threads, Precision: o.Precision}
}

func openModel(name string, w *weights.Model, o *Options) (*Model, error) {
	backend, err := engine.New(engineOptions(o))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	m := &Model{name: name, config: w.Config, backend: backend, precision: Precision{Computed: engine.PrecisionOf(backend)}}
	if err := m.read(w, o); err != nil {
		backend.Finalize()
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, err)
	}
	light := *w
	light.Tensors = nil
	m.weights = &light
	return m, nil
}

// read takes what a model's directory holds.
func (m *Model) read(w *weights.Model, o *Options) error {
	words, noWords := tokenizer(w)
	if noWords != nil && !errors.Is(noWords, bpe.ErrNoTokenizer) {
		return noWords
	}
	if theta := w.Tensors["logit_scale"]; len(theta) == 1 {
		m.scale = math.Exp(float64(theta[0]))
	}
	if math.IsNaN(m.scale) || math.IsInf(m.scale, 0) {
		return fmt.Errorf("its temperature logit_scale gives %g", m.scale)
	}
	var err error
	if m.usage, err = readUsage(w); err != nil {
		return err
	}
	if m.calibration, err = readCalibration(w, o.Calibration); err != nil {
		return err
	}
	if m.counts, err = readCounts(w); err != nil {
		return err
	}
	m.towers, err = tower.New(m.name, m.backend, w.Config, w.Tensors, words, noWords)
	return err
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
	m.towers.Close()
	return nil
}
