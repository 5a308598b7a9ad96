package settings

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/vocab"
)

// ErrSettings is wrapped by every error about settings and recipes.
var ErrSettings = errors.New("bad training settings")

// Settings are everything that decides how a run goes. In a recipe each field
// stands under its name in snake_case.
type Settings struct {
	// Name of the recipe, for people.
	Name string
	// Seed of all random choices: initial weights, order and variation of the
	// pictures, drop path, Gumbel noise.
	Seed uint64
	// Steps is the number of updates; if 0, Epochs passes over the data.
	Steps int
	// Epochs is the number of passes over the data where Steps is 0.
	Epochs float64
	// Batch is the number of pictures of a step.
	Batch int
	// MicroBatch is the number of pictures, and of texts, that the towers compute
	// at a time; the step is that of the whole batch. 0 computes all at once.
	MicroBatch int
	// Engine and Threads choose the compute engine; see engine.Options.
	Engine  string
	Threads int
	// Devices is the number of the engine's devices that share a step; 0 is one.
	Devices int
	// Precision is that of large products and convolutions: float32, or bf16, which rounds
	// their operands and sums in float32 (simd on a CPU with AVX512-BF16, xla). Weights,
	// moments, softmax, norms, temperatures and losses are float32 in both.
	Precision string
	// Init is a model (directory or file) whose weights the run starts from, as
	// far as they fit Model (see startFrom). "" starts from random weights.
	Init string
	// Model is the network.
	Model network.Config
	// Data says what is learnt from.
	Data Data
	// Loss says which loss is minimised.
	Loss Loss
	// Optimizer is AdamW.
	Optimizer Optimizer
	// Schedule is the learning rate's course.
	Schedule Schedule
	// Evaluate says how the trained model is best used.
	Evaluate Evaluate
	// Output says what is written and how often.
	Output Output
	// Safety says what is done about broken steps and collapse.
	Safety Safety
	// Measure says how the model is measured as it trains.
	Measure Measure
}

// Data says what pictures and words a run learns from.
type Data struct {
	// Train names the shards, as pairs.Expand reads them.
	Train string
	// TrainNumSamples is the number of pictures of an epoch; 0 is as many as there
	// are.
	TrainNumSamples int
	// UpsamplingFactors are, for each part of Train, how often a pass takes its
	// pictures; none is 1 for each. Resampled draws shards with replacement, in
	// that proportion. See pairs.Options.
	UpsamplingFactors []float64
	Resampled         bool
	// CSVImgKey and CSVCaptionKey name the columns of tables, CSVSeparator what is
	// between them; "" finds them. See pairs.TableOptions.
	CSVImgKey, CSVCaptionKey, CSVSeparator string
	// Mean and Std normalise pixels: (x/255 − mean)/std.
	Mean, Std [3]float32
	// Context cuts texts to so many token ids, start and end included; 0 is the
	// model's context.
	Context int
	// TaggedAsCaptions treats photos with tags like any other.
	TaggedAsCaptions bool
	// Nouns says which prompts there are.
	Nouns Nouns
	// Augment says how pictures are varied.
	Augment pairs.Augment
	// Balance draws part of a batch evenly over some words.
	Balance pairs.Balance
	// CacheSide keeps pictures in memory, squashed to this side, as many as
	// CacheMegabytes hold; 0 decodes them each time.
	CacheSide, CacheMegabytes int
	// ShuffleBuffer is the number of samples of which each is drawn; 0 shuffles
	// all.
	ShuffleBuffer int
	// Patience is how long, in seconds, a file that has vanished is waited for
	// before the run ends.
	Patience float64
	// MayChange lets a run continue with other data than it began with.
	MayChange bool
	// Workers decode; 0 is one a CPU. Prefetch is the number of batches made
	// ahead.
	Workers, Prefetch int
}

// Nouns says which noun prompts a batch has; see pairs.NounOptions.
type Nouns struct {
	Mode     string
	K        int
	Distinct bool
	// Templates and StuffTemplates are prompts with {}, or names of sets.
	Templates, StuffTemplates []string
	Pad                       int
	// Words and StuffWords are the list of mode "list": "name" or "name,
	// synonym, … - phrase, …", where the phrases hold the word and mean something
	// else. All empty is the built-in list for photos.
	Words, StuffWords []string
	// PartWords are its words for clothes and parts of a body, of which a photo's
	// tags tell nothing.
	PartWords []string
	// Vocabulary is a file with the list instead, as groupvit data vocabulary writes
	// it; loading a recipe puts its words into the three lists.
	Vocabulary string
	// Least is the least number of distinct prompts of a batch: further words of the
	// list are drawn for the losses of label maps.
	Least int
}

// Optimizer holds the numbers of AdamW.
type Optimizer struct {
	// LearningRate is the peak.
	LearningRate float64
	Betas        [2]float64
	Epsilon      float64
	WeightDecay  float64
	// Clip is the largest global L2 norm of the gradients; 0 does not clip.
	Clip float64
	// NoDecay lists what weight decay leaves alone beside biases and tensors of
	// one axis: "positions", "group_tokens", "temperatures", "embeddings".
	NoDecay []string
	// Freeze lists patterns of tensors' names (as of path.Match; * is any text)
	// that training leaves as they are; TrainOnly, where it is not empty, those of
	// all that it changes.
	Freeze, TrainOnly []string
	// EMA is the decay of exponential averages of the weights, which evaluation
	// and the final model then take; 0 keeps none.
	EMA float64
}

// Schedule is a linear warm-up followed by half a cosine.
type Schedule struct {
	// Name is "cosine", or "const" for the peak after the warm-up.
	Name string
	// ReferenceBatch scales all three learning rates by batch/ReferenceBatch;
	// 0 does not.
	ReferenceBatch int
	// WarmupRate is where the warm-up starts, FinalRate where the cosine ends.
	WarmupRate, FinalRate float64
	// The warm-up's length: one of steps, share of all steps, epochs.
	WarmupSteps  int
	WarmupShare  float64
	WarmupEpochs float64
	// Lag makes update n use the rate of step n−1, as the official code does.
	Lag bool
}

// Output says what a run writes.
type Output struct {
	// LogEvery is the number of steps between lines of log.jsonl.
	LogEvery int
	// CheckpointEvery is the number of steps between checkpoints, 0 writes only
	// the last; Keep is how many of them are kept.
	CheckpointEvery, Keep int
	// KeepBest keeps the model that Measure finds best beside the last: by the mIoU on
	// its segmentation set, by naming on the photos set aside, or by the mean of both.
	KeepBest bool
	// MaxSkipped stops the run after so many broken steps in a row: not finite, or
	// with a loss far above the last ones.
	MaxSkipped int
	// Half writes the final model in half precision.
	Half bool
}

// Default returns the published settings (paper and official code): the default
// network, two-crop-free deit augmentation, three noun prompts, AdamW with
// linear scaling of the learning rate to a batch of 4096. Data.Train and one of
// Steps and Epochs remain to be named.
func Default() Settings {
	return Settings{
		Name: "default", Epochs: 30, Batch: 4096, Engine: "auto", Precision: engine.Float32,
		Model: network.Default(),
		Data: Data{
			Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
			Nouns:   Nouns{Mode: pairs.NounsTagger, K: 3, Templates: []string{"full"}, Pad: 16},
			Augment: paperAugment(), ShuffleBuffer: 10000, Prefetch: 2, CacheMegabytes: 2048, Patience: 60,
		},
		Loss:      defaultLoss(),
		Optimizer: Optimizer{LearningRate: 1.6e-3, Betas: [2]float64{0.9, 0.999}, Epsilon: 1e-8, WeightDecay: 0.05, Clip: 5},
		Schedule:  Schedule{Name: scheduleCosine, ReferenceBatch: 4096, WarmupRate: 4e-6, FinalRate: 4e-5, WarmupEpochs: 2, Lag: true},
		Output:    Output{LogEvery: 10, CheckpointEvery: 1000, Keep: 2, MaxSkipped: 10},
		Safety:    DefaultSafety(),
		Measure:   defaultMeasure(),
	}
}

func paperAugment() pairs.Augment {
	a := pairs.PaperAugment()
	a.Area, a.Aspect, a.Side = [2]float64{0.08, 1}, [2]float64{3. / 4, 4. / 3}, [2]float64{0.55, 1}
	return a
}

// Validate returns an error that wraps [ErrSettings], names the key and says
// what is allowed, or nil. It does not look at files.
func (s Settings) Validate() error {
	bad := func(key, format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", ErrSettings, key, fmt.Sprintf(format, args...))
	}
	o, c, w := s.Optimizer, s.Schedule, s.Output
	warmups := 0
	for _, set := range []bool{c.WarmupSteps != 0, c.WarmupShare != 0, c.WarmupEpochs != 0} {
		if set {
			warmups++
		}
	}
	switch {
	case s.Batch < 2:
		return bad("batch", "%d: a contrastive loss needs at least 2 pictures", s.Batch)
	case s.Steps < 0 || s.Epochs < 0 || s.Epochs > 1e6:
		return bad("steps", "%d and epochs %g must not be negative", s.Steps, s.Epochs)
	case s.Steps == 0 && s.Epochs == 0:
		return bad("steps", "say how long: steps or epochs above 0")
	case !(o.LearningRate > 0 && o.LearningRate < 100):
		return bad("optimizer.learning_rate", "%g: it must be above 0", o.LearningRate)
	case !(o.Betas[0] >= 0 && o.Betas[0] < 1 && o.Betas[1] >= 0 && o.Betas[1] < 1):
		return bad("optimizer.betas", "%v: they must be in [0, 1)", o.Betas)
	case !(o.Epsilon > 0 && o.Epsilon < 1):
		return bad("optimizer.epsilon", "%g: it must be in (0, 1)", o.Epsilon)
	case !(o.WeightDecay >= 0 && o.WeightDecay < 10):
		return bad("optimizer.weight_decay", "%g: it must be in [0, 10)", o.WeightDecay)
	case !(o.Clip >= 0 && o.Clip < 1e9):
		return bad("optimizer.clip", "%g: it must not be negative", o.Clip)
	case !(c.WarmupRate >= 0) || !(c.FinalRate >= 0) || c.WarmupRate > o.LearningRate || c.FinalRate > o.LearningRate:
		return bad("schedule", "warmup_rate %g and final_rate %g must be from 0 to the learning rate %g", c.WarmupRate, c.FinalRate, o.LearningRate)
	case c.ReferenceBatch < 0 || c.WarmupSteps < 0 || !(c.WarmupShare >= 0 && c.WarmupShare <= 1) || !(c.WarmupEpochs >= 0):
		return bad("schedule", "reference_batch, warmup_steps and warmup_epochs must not be negative, warmup_share be in [0, 1]")
	case warmups > 1:
		return bad("schedule", "give one of warmup_steps, warmup_share and warmup_epochs and set the others to 0")
	case w.LogEvery < 1:
		return bad("output.log_every", "%d: it must be at least 1", w.LogEvery)
	case w.CheckpointEvery < 0 || w.Keep < 1:
		return bad("output", "checkpoint_every %d must not be negative and keep %d be at least 1", w.CheckpointEvery, w.Keep)
	case w.MaxSkipped < 1:
		return bad("output.max_skipped", "%d: it must be at least 1", w.MaxSkipped)
	case s.Data.CacheMegabytes < 0 || s.Data.CacheMegabytes > 1<<30:
		return bad("data.cache_megabytes", "%d: it must not be negative", s.Data.CacheMegabytes)
	case !(s.Data.Patience >= 0 && s.Data.Patience < 1e7):
		return bad("data.patience", "%g: it must be 0 seconds or more", s.Data.Patience)
	case s.Data.Context < 0 || s.Data.Context > s.Model.Text.Context:
		return bad("data.context", "%d: it must be 0 (all) to the model's %d", s.Data.Context, s.Model.Text.Context)
	case s.Data.Nouns.Mode != pairs.NounsNone && !s.Model.NounLoss:
		return bad("model.noun_loss", "false: data.nouns.mode %q needs it (or set that to %q)", s.Data.Nouns.Mode, pairs.NounsNone)
	}
	for _, kind := range o.NoDecay {
		if !slices.Contains(noDecayKinds, kind) {
			return bad("optimizer.no_decay", "%q: one of %v", kind, noDecayKinds)
		}
	}
	if err := s.Model.Validate(); err != nil {
		return fmt.Errorf("%w: model: %w", ErrSettings, err)
	}
	if err := s.validateStep(); err != nil {
		return err
	}
	if err := s.Evaluate.validate(s.Model); err != nil {
		return fmt.Errorf("%w: evaluate: %w", ErrSettings, err)
	}
	if err := s.Safety.validate(); err != nil {
		return fmt.Errorf("%w: safety: %w", ErrSettings, err)
	}
	if err := s.Measure.validate(); err != nil {
		return fmt.Errorf("%w: measure: %w", ErrSettings, err)
	}
	if s.Output.KeepBest && s.Measure.Root == "" && s.Measure.HoldOut == 0 {
		return bad("output.keep_best", "true: name what decides: a segmentation set with measure.root (--eval-root), or a share of the training photos with measure.hold_out, whose naming is measured")
	}
	if s.Measure.HoldOut > 0 && s.Data.Nouns.Mode != pairs.NounsList {
		return bad("measure.hold_out", "%g: naming is measured over a list of words: set data.nouns.mode to %s", s.Measure.HoldOut, pairs.NounsList)
	}
	p, err := s.LoaderOptions()
	if err != nil {
		return err
	}
	if p.Sources == "" { // checked when the run starts
		p.Sources, p.Weights = "unnamed", nil
	}
	if err := p.Validate(); err != nil {
		return fmt.Errorf("%w: data: %w", ErrSettings, err)
	}
	return nil
}

// Tokenizer returns the tokenizer that fits the model's vocabulary.
func (s Settings) Tokenizer() (*bpe.Tokenizer, error) {
	t, err := bpe.Truncated(s.Model.Text.Vocabulary)
	if err != nil {
		return nil, fmt.Errorf("%w: model.text.vocabulary: %w", ErrSettings, err)
	}
	return t, nil
}

// LoaderOptions puts the settings into the loader's words.
func (s Settings) LoaderOptions() (pairs.Options, error) {
	d := s.Data
	t, err := s.Tokenizer()
	if err != nil {
		return pairs.Options{}, err
	}
	templates, err := expandTemplates(d.Nouns.Templates)
	if err != nil {
		return pairs.Options{}, fmt.Errorf("%w: data.nouns.templates: %w", ErrSettings, err)
	}
	stuff, err := expandTemplates(d.Nouns.StuffTemplates)
	if err != nil {
		return pairs.Options{}, fmt.Errorf("%w: data.nouns.stuff_templates: %w", ErrSettings, err)
	}
	words, err := d.Nouns.list()
	if err != nil {
		return pairs.Options{}, fmt.Errorf("%w: data.nouns.words: %w", ErrSettings, err)
	}
	context := d.Context
	if context == 0 {
		context = s.Model.Text.Context
	}
	part := 0
	if s.InParts() {
		part = s.MicroBatch
	}
	return pairs.Options{
		MicroBatch: part, TwoPasses: part > 0 && s.TrainsImageTower(),
		Sources: d.Train, Batch: s.Batch, ImageSize: s.Model.ImageSize, Context: context,
		Mean: d.Mean, Std: d.Std, Tokenizer: t, Captions: true, TaggedAsCaptions: d.TaggedAsCaptions,
		Nouns: pairs.NounOptions{
			Mode: d.Nouns.Mode, Words: words, K: d.Nouns.K, Distinct: d.Nouns.Distinct,
			Least: d.Nouns.Least, Templates: templates, StuffTemplates: stuff, Pad: d.Nouns.Pad,
		},
		Labels: s.Loss.Dense(), LabelCell: s.Model.PatchSize,
		Augment: d.Augment, Balance: d.Balance, Cache: pairs.Cache{Side: d.CacheSide, Bytes: int64(d.CacheMegabytes) << 20},
		ShuffleBuffer: d.ShuffleBuffer, Workers: d.Workers, Prefetch: d.Prefetch, Seed: s.Seed,
		Weights: d.UpsamplingFactors, Resampled: d.Resampled,
		Table:    pairs.TableOptions{Image: d.CSVImgKey, Caption: d.CSVCaptionKey, Separator: d.CSVSeparator},
		HoldOut:  s.Measure.HoldOut,
		Patience: time.Duration(d.Patience * float64(time.Second)),
	}, nil
}

// Words is the word list that a run's nouns come from.
func (s Settings) Words() ([]nouns.Word, error) {
	words, err := s.Data.Nouns.list()
	if words == nil && err == nil {
		words = nouns.Builtin()
	}
	return words, err
}

// expandTemplates replaces names of sets by their templates.
func expandTemplates(list []string) ([]string, error) {
	var out []string
	for _, t := range list {
		if vocab.CheckTemplate(t) == nil {
			out = append(out, t)
			continue
		}
		set, err := vocab.Templates(t)
		if err != nil {
			return nil, err
		}
		out = append(out, set...)
	}
	return out, nil
}

// list returns the word list, nil for the built-in one.
func (n Nouns) list() ([]nouns.Word, error) {
	var words []nouns.Word
	for _, part := range []struct {
		entries []string
		kind    nouns.Kind
	}{{n.Words, nouns.Thing}, {n.StuffWords, nouns.Stuff}, {n.PartWords, nouns.Body}} {
		for _, entry := range part.entries {
			named, except, _ := strings.Cut(entry, exceptMark)
			names := splitWords(named)
			if len(names) == 0 {
				return nil, fmt.Errorf("%q names nothing", entry)
			}
			words = append(words, nouns.Word{Name: names[0], Kind: part.kind, Synonyms: names[1:], Except: splitWords(except)})
		}
	}
	return words, nil
}

// exceptMark stands in an entry of the word list before phrases that hold the word
// and mean something else.
const exceptMark = " - "

// readVocabulary replaces the name of a file by the words in it, so that a run's
// recipe holds all that it learns.
func (n *Nouns) readVocabulary() error {
	if len(n.Words)+len(n.StuffWords)+len(n.PartWords) > 0 {
		return fmt.Errorf("it and data.nouns.words exclude each other: leave one out")
	}
	f, err := os.Open(n.Vocabulary)
	if err != nil {
		return err
	}
	defer f.Close()
	words, err := nouns.ReadVocabulary(f)
	if err != nil {
		return fmt.Errorf("%s: %w", n.Vocabulary, err)
	}
	n.SetWords(words)
	n.Vocabulary = ""
	return nil
}

// SetWords makes a list of words the run's; it replaces the three lists.
func (n *Nouns) SetWords(words []nouns.Word) {
	n.Words, n.StuffWords, n.PartWords = nil, nil, nil
	for _, w := range words {
		entry := strings.Join(append([]string{w.Name}, w.Synonyms...), ", ")
		if len(w.Except) > 0 {
			entry += exceptMark + strings.Join(w.Except, ", ")
		}
		switch w.Kind {
		case nouns.Stuff:
			n.StuffWords = append(n.StuffWords, entry)
		case nouns.Body:
			n.PartWords = append(n.PartWords, entry)
		default:
			n.Words = append(n.Words, entry)
		}
	}
}

// splitWords reads a list with commas; empty entries do not count.
func splitWords(entry string) []string {
	var words []string
	for _, w := range strings.Split(entry, ",") {
		if w = strings.TrimSpace(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}
