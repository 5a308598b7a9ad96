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
	backend   compute.Backend
	image     *runner
	text      *runner
	turn      chan struct{} // holds one token: computations take turns
	cache     *textCache
	closed    chan struct{}
	closeOnce sync.Once
	finalize  func()
}

// Info describes an opened model.
type Info struct {
	// Name is what was opened.
	Name string `json:"name"`
	// SHA256 is the hash of its weight file.
	SHA256 string `json:"sha256"`
}

// Open opens a model: "default" (or "") is the embedded one; else a Hugging Face
// directory, a .safetensors file in one, or an official .pth.
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
		if _, missing := fs.Stat(models, defaultDir+"/"+weights.ConfigFile); missing != nil {
			return nil, fmt.Errorf("%w: this build has no embedded model: name a model directory (--model DIR)", ErrModel)
		}
		w, err = weights.OpenFS(models, defaultDir)
	} else {
		w, err = weights.Open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, path, err)
	}
	return newModel(path, w, o)
}

func newModel(name string, w *weights.Model, o *Options) (*Model, error) {
	backend, err := engine.New(engine.Options{Kind: o.Engine, Threads: o.Threads})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	m := &Model{name: name, config: w.Config, backend: backend, turn: make(chan struct{}, 1), closed: make(chan struct{}), cache: newTextCache(textCacheEntries)}
	m.tokenizer, m.noWords = tokenizer(w)
	if m.noWords != nil && !errors.Is(m.noWords, bpe.ErrNoTokenizer) {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, m.noWords)
	}
	if theta := w.Tensors["logit_scale"]; len(theta) == 1 {
		m.scale = math.Exp(float64(theta[0]))
	}
	if m.eval, err = readEval(w); err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, err)
	}
	store, err := newStore(w)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrModel, name, err)
	}
	m.image, m.text = newRunner(backend, store, m.imageGraph), newRunner(backend, store, m.textGraph)
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

// Info says which model this is.
func (m *Model) Info() Info { return Info{Name: m.name, SHA256: m.weights.SHA256} }

// DefaultProtocol is the protocol used where none is named: the paper's for the
// paper's network, best for others.
func (m *Model) DefaultProtocol() Protocol {
	if m.config.IsPaper() {
		return Paper
	}
	return Best
}

// Engine is the name of what computes.
func (m *Model) Engine() string { return m.backend.Name() }

// ImageSize is the side, in pixels, of the pictures the model was trained on.
func (m *Model) ImageSize() int { return m.config.ImageSize }

// Config returns the model's configuration as Hugging Face's config.json.
func (m *Model) Config() ([]byte, error) { return m.config.JSON() }

// Summary is what `model show` tells about a model.
type Summary struct {
	Info
	// Paper says that the network is the paper's, without any variant.
	Paper bool `json:"paper"`
	// Parameters is the number of trained numbers.
	Parameters int `json:"parameters"`
	ImageSize  int `json:"image_size"`
	PatchSize  int `json:"patch_size"`
	Width      int `json:"width"`
	// Depths are blocks a stage, Groups the output groups of each grouping stage.
	Depths     []int    `json:"depths"`
	Groups     []int    `json:"groups"`
	EmbedWidth int      `json:"embed_width"`
	Vocabulary int      `json:"vocabulary"`
	Context    int      `json:"context"`
	Map        string   `json:"map"`
	Protocol   Protocol `json:"protocol"`
	// Mean and Std normalise pixels.
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
}

// Summary describes the model.
func (m *Model) Summary() Summary {
	c := m.config
	s := Summary{
		Info: m.Info(), Paper: c.IsPaper(), ImageSize: c.ImageSize, PatchSize: c.PatchSize, Width: c.Width,
		Depths: c.Depths, Groups: m.stageGroups(), EmbedWidth: c.EmbedWidth,
		Vocabulary: c.Text.Vocabulary, Context: c.Text.Context, Map: string(c.Map()),
		Protocol: m.DefaultProtocol(), Mean: m.weights.Mean, Std: m.weights.Std,
	}
	for _, p := range c.Params() {
		if p.Trainable {
			s.Parameters += p.Size()
		}
	}
	return s
}

// stageGroups are the output groups of each grouping stage.
func (m *Model) stageGroups() []int {
	list := []int{}
	for i, tokens := range m.config.GroupTokens {
		if tokens > 0 {
			list = append(list, m.config.OutputGroups[i])
		}
	}
	return list
}

// Close frees the model after the computation that runs now, if any. Every
// later call returns [ErrClosed].
func (m *Model) Close() error {
	m.closeOnce.Do(func() {
		close(m.closed)
		m.turn <- struct{}{}
		m.finalize()
		<-m.turn
	})
	return nil
}

// take waits for the turn to compute.
func (m *Model) take(ctx context.Context) error {
	select {
	case <-m.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case m.turn <- struct{}{}:
	}
	select {
	case <-m.closed:
		<-m.turn
		return ErrClosed
	case <-ctx.Done():
		<-m.turn
		return ctx.Err()
	default:
		return nil
	}
}

func (m *Model) give() { <-m.turn }
