package groupvit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/groupvit/groupvit/examples/photos"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/weights"
	"github.com/groupvit/groupvit/mask"
)

// Precision says in which precision a model's products with weights are computed, and,
// where it was chosen (Options.Precision "auto"), by what.
type Precision struct {
	// Computed is float32, bf16 or int8.
	Computed string `json:"computed"`
	// Chosen says that the choice was left to the model.
	Chosen bool `json:"chosen,omitempty"`
	// Agreement is, for each faster precision that was tried, the share of pixels, 0 to 1,
	// that have the same label as in float32, in the built-in photo where fewest have.
	Agreement map[string]float64 `json:"agreement,omitempty"`
	// Note says why nothing was tried, where nothing was.
	Note string `json:"note,omitempty"`
}

// leastAgreement is the share of pixels that must keep their label in a precision that
// is chosen: in each of the built-in photos, since one that is background throughout
// would hide what another loses.
const leastAgreement = 0.999

// Precision says in which precision the model computes.
func (m *Model) Precision() Precision { return m.precision }

// of are the options with the precision that was chosen.
func (p Precision) of(o Options) *Options {
	o.Precision = p.Computed
	return &o
}

// precisionChoices are those of this process, by key.
var precisionChoices sync.Map

// choosePrecision takes the fastest precision whose masks of the built-in photos agree
// with those of float32. It is a matter of the weights and of the machine's instructions
// alone, so it is remembered, by the hash of both: in this process, and in the user's
// cache folder, where that can be written.
func choosePrecision(ctx context.Context, name string, w *weights.Model, o Options) (Precision, error) {
	faster, why := fasterPrecisions(o)
	if len(faster) == 0 {
		return Precision{Computed: engine.Float32, Chosen: true, Note: why}, nil
	}
	key := precisionKey(w, faster)
	if p, ok := precisionChoices.Load(key); ok {
		return p.(Precision), nil
	}
	p, ok := readPrecision(key, faster)
	if !ok {
		var err error
		if p, err = measurePrecision(ctx, name, w, o, faster); err != nil {
			return p, err
		}
		writePrecision(key, p)
	}
	precisionChoices.Store(key, p)
	return p, nil
}

// fasterPrecisions are those to try, the fastest first, or why there are none.
func fasterPrecisions(o Options) (names []string, why string) {
	exact := Precision{Computed: engine.Float32}
	backend, err := engine.New(engineOptions(exact.of(o)))
	if err != nil {
		return nil, "" // openModel says what is wrong with the engine
	}
	defer backend.Finalize()
	if kind := engine.NameOf(backend); kind != engine.SIMD {
		return nil, fmt.Sprintf("the engine %s has float32 alone", kind)
	}
	if names = engine.Fastest(); len(names) == 0 {
		return nil, fmt.Sprintf("float32 is the fastest precision of this CPU (%s)", engine.Instructions())
	}
	return names, ""
}

// measurePrecision tries precisions in turn until one agrees with float32. A model that
// cannot label the photos, as one without a tokenizer, stays in float32.
func measurePrecision(ctx context.Context, name string, w *weights.Model, o Options, faster []string) (Precision, error) {
	p := Precision{Computed: engine.Float32, Chosen: true}
	o.Calibration = "" // changes what is background, not what precision does
	exact, err := builtinMaps(ctx, name, w, p.of(o))
	switch {
	case ctx.Err() != nil:
		return p, ctx.Err()
	case errors.Is(err, ErrModel) || errors.Is(err, ErrOption):
		p.Note = fmt.Sprintf("the built-in photos could not be labelled: %v", err)
		return p, nil
	case err != nil:
		return p, err
	}
	p.Agreement = map[string]float64{}
	for _, precision := range faster {
		maps, err := builtinMaps(ctx, name, w, Precision{Computed: precision}.of(o))
		if err != nil {
			return p, err
		}
		if p.Agreement[precision] = agreement(exact, maps); p.Agreement[precision] >= leastAgreement {
			p.Computed = precision
			return p, nil
		}
	}
	return p, nil
}

// agreement is the share of pixels with the same label, in the map where it is lowest.
func agreement(a, b []*mask.Map) float64 {
	least := 1.0
	for i := range a {
		same := 0
		for j, label := range a[i].Labels {
			if label == b[i].Labels[j] {
				same++
			}
		}
		least = min(least, float64(same)/float64(len(a[i].Labels)))
	}
	return least
}

// builtinLabels are what the built-in photos show, and what they do not.
var builtinLabels = []string{"person", "cat", "cup", "table", "flag", "helmet", "plate", "dog", "car", "grass"}

// builtinMaps labels the built-in photos in the precision of the options.
func builtinMaps(ctx context.Context, name string, w *weights.Model, o *Options) ([]*mask.Map, error) {
	m, err := openModel(name, w, o)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	names, err := fs.Glob(photos.Files, "*.jpg")
	if err != nil {
		return nil, err
	}
	var list []*mask.Map
	for _, name := range names {
		photo, err := builtinPhoto(name)
		if err != nil {
			return nil, err
		}
		s, err := m.Segment(ctx, photo, builtinLabels, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, s.Map)
	}
	return list, nil
}

func builtinPhoto(name string) (image.Image, error) {
	b, err := photos.Files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Decode(bytes.NewReader(b), name)
}

// precisionRule changes when the photos, the labels or the rule do.
const precisionRule = 1

// precisionKey is a hash of all that the choice depends on.
func precisionKey(w *weights.Model, faster []string) string {
	h := sha256.New()
	fmt.Fprintln(h, precisionRule, w.SHA256, engine.Instructions(), faster)
	if c, err := w.Config.JSON(); err == nil {
		h.Write(c)
	}
	for _, files := range []map[string][]byte{w.Extra, w.TokenizerFiles} {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(h, "%q %x\n", name, sha256.Sum256(files[name]))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// precisionFile is where a choice is remembered; "" where the user has no cache folder.
func precisionFile(key string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "groupvit", "precision", key+".json")
}

// maxPrecisionFile is far more than a choice takes.
const maxPrecisionFile = 4096

// readPrecision reads a choice that was remembered; whatever could not have been written
// by writePrecision counts as none.
func readPrecision(key string, faster []string) (p Precision, ok bool) {
	f, err := os.Open(precisionFile(key))
	if err != nil {
		return p, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPrecisionFile))
	if err != nil || json.Unmarshal(b, &p) != nil || !p.Chosen {
		return Precision{}, false
	}
	for _, name := range faster {
		share, tried := p.Agreement[name]
		switch {
		case !tried || !(share >= 0 && share <= 1):
			return Precision{}, false
		case share >= leastAgreement:
			return p, p.Computed == name
		}
	}
	return p, p.Computed == engine.Float32
}

// writePrecision remembers a choice. A folder that cannot be written costs the next
// process the measurement, nothing else.
func writePrecision(key string, p Precision) {
	path := precisionFile(key)
	if path == "" || p.Agreement == nil || os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	b, err := json.Marshal(p)
	if err != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new")
	if err != nil {
		return
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}
