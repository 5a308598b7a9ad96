package pairs

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/vocab"
)

// ErrOptions is wrapped by every error about [Options].
var ErrOptions = errors.New("bad data options")

// Options say what batches to make of which pictures. Zero values mean what the
// comments say; [Options.Validate] checks the rest.
type Options struct {
	// Sources are shards, folders and tables, separated by "::"; see [Expand].
	Sources string
	// Batch is B, the pictures of a batch.
	Batch int
	// ImageSize is S, the side of a picture in pixels.
	ImageSize int
	// Context is T, the token ids of a text; 0 is CLIP's 77.
	Context int
	// Mean and Std normalise pixels: (x/255 − mean)/std. A zero Std is
	// ImageNet's for both.
	Mean, Std [3]float32
	// Tokenizer turns texts into ids; nil is [bpe.CLIP].
	Tokenizer *bpe.Tokenizer
	// Captions says to tokenise captions; without, Batch.Captions is nil.
	Captions bool
	// TaggedAsCaptions treats photos with tags, whose captions are templates
	// that fit many photos, like any other. Without, they have caption weight
	// 0, and of the noun loss only what a tag can tell is known of them: their
	// own words, that a photo of a thing shows no other thing (persons excepted),
	// and that a photo of a scene shows none of the measured classes.
	TaggedAsCaptions bool
	// Nouns says which prompts go with the captions.
	Nouns NounOptions
	// Labels says to read label maps, one value a cell of LabelCell pixels, which
	// divides ImageSize; it needs distinct noun prompts. Samples without a label map
	// have cells of which nothing is known.
	Labels    bool
	LabelCell int
	// Augment says how pictures are varied.
	Augment Augment
	// Balance draws part of each batch evenly over some words.
	Balance Balance
	// Cache keeps decoded pictures in memory.
	Cache Cache
	// Weights are, for each part of Sources, how often a pass takes its samples:
	// 2.5 takes all twice and a random half once more; 0.1 a random tenth. Nil is
	// 1 for each.
	Weights []float64
	// Resampled draws shards with replacement instead of taking each in turn, in
	// proportion to the weight of their part (OpenCLIP's --dataset-resampled). A
	// pass is then as many samples as there are.
	Resampled bool
	// Table says how tables are read.
	Table TableOptions
	// Sequential takes samples in the order of the shards, for measuring.
	Sequential bool
	// ShuffleBuffer is the number of samples of which each is drawn while the
	// shards, in random order, are read through; 0 shuffles all samples, which
	// reads shards at random places.
	ShuffleBuffer int
	// Workers is the number of goroutines that decode; 0 is one a CPU. It does
	// not change what a batch holds.
	Workers int
	// Prefetch is the number of batches, or micro-batches, built ahead; 0 is 2.
	Prefetch int
	// MicroBatch is the number of images of a micro-batch, for a batch that is too large
	// to be in memory as a whole; see [Loader.NextMicroBatch]. 0 builds whole batches.
	MicroBatch int
	// TwoPasses builds the micro-batches of a batch a second time after the first,
	// before those of the next batch.
	TwoPasses bool
	// Patience is how long a file that has vanished is waited for; after that Next
	// returns [ErrVanished].
	Patience time.Duration
	// HoldOut is the share of the samples that is set aside and in no batch, 0 to 1:
	// see [Index.HoldOut] and [Loader.HeldOut].
	HoldOut float64
	// Seed decides every random choice.
	Seed uint64
}

// Noun modes.
const (
	NounsNone   = "none"   // no prompts
	NounsTagger = "tagger" // nouns and verbs by a part-of-speech tagger, as in the paper
	NounsList   = "list"   // words of a list, synonyms merged
)

// NounOptions say which noun prompts a batch has.
type NounOptions struct {
	// Mode is one of the noun modes; "" is "none".
	Mode string
	// Words is the list of mode "list"; nil is [nouns.Builtin].
	Words []nouns.Word
	// K is the number of prompts drawn for a picture. 0 takes all nouns of all
	// captions of a picture, once each; it needs Distinct.
	K int
	// Distinct writes a noun that several pictures share as one prompt, with
	// Targets saying whose it is: U is the number of distinct nouns, padded.
	// Without, every picture has K prompts of its own (U = B·K) and its caption
	// stands in for nouns that it lacks, as in the paper.
	Distinct bool
	// Templates are the prompts' forms, one drawn each time; nil is the paper's
	// 80 ("full"). StuffTemplates, if any, are for words of kind stuff.
	Templates, StuffTemplates []string
	// Least adds further words of the list, drawn for each batch, until it has so
	// many prompts, for losses in which words compete that no image of the batch
	// shows; it needs Distinct and mode "list". 0 adds none.
	Least int
	// Pad makes U a multiple of it where Distinct is set; 0 is 16. A graph is
	// compiled for each U, so that few sizes are better than many.
	Pad int
}

// Balance draws part of each batch so that some words come equally often: a
// word uniform over Words, then a photo that names it.
type Balance struct {
	// Words are names of the word list or plain words. None: no balance.
	Words []string
	// Share is the part of a batch drawn so, in [0, 1].
	Share float64
}

// Cache says how decoded pictures are kept.
type Cache struct {
	// Side squashes every picture to Side × Side pixels once, when it is first
	// used, and keeps it in memory (3·Side² bytes each). 0 keeps nothing:
	// pictures are decoded each time they are drawn.
	Side int
	// Bytes is the most memory that pictures may take; those that do not fit are
	// decoded each time. 0 is 2 GiB. It does not change what a batch holds.
	Bytes int64
}

// Crops.
const (
	CropNone    = "none"    // the whole picture, squashed
	CropCenter  = "center"  // short side to S, then the middle
	CropResized = "resized" // RandomResizedCrop, as in the paper
	CropBatch   = "batch"   // one random size a batch, any place in each picture
)

// Augment says how pictures are varied. Its zero value changes nothing.
type Augment struct {
	// Crop is one of the crops; "" is "none".
	Crop string
	// Area is the range of the part of the picture's area that "resized" takes;
	// zero is 0.08 to 1.
	Area [2]float64
	// Aspect is the range of width over height of "resized"; zero is 3/4 to 4/3.
	Aspect [2]float64
	// Side is the range of the part of the picture's height and, independently,
	// of its width that "batch" takes; zero is 0.55 to 1. Where one is less
	// than 0.66 times the other, the crop is square.
	Side [2]float64
	// Soften is the chance that a picture loses fine detail: the part is shrunk
	// below S and enlarged again. Some collections hold enlarged thumbnails, and
	// blur would tell their classes.
	Soften float64
	// Flip is the chance of a mirrored picture.
	Flip float64
	// Mosaic is the chance that a picture is made of four samples at half the size,
	// Cutmix that a rectangle of it comes from another sample. Their label maps move
	// along; such a picture has no caption and counts in no other loss.
	Mosaic, Cutmix float64
	// Contrast multiplies normalised values by U(1−Contrast, 1+Contrast),
	// Brightness adds U(−Brightness, Brightness) to all and Channel
	// U(−Channel, Channel) to each channel, in normalised units.
	Contrast, Brightness, Channel float64
	// Rand changes colours and shapes of the cropped picture.
	Rand RandAugment
	// Erase is the chance that boxes are filled, EraseMode with what ("" is
	// "pixel", noise), and EraseCount how many boxes at most; 0 is 1.
	Erase      float64
	EraseMode  string
	EraseCount int
	// Interpolation of the resizing is "bilinear", which "" is, or "bicubic".
	Interpolation string
}

// PaperAugment returns the published augmentation: random resized crop, flip,
// RandAugment, random erasing.
func PaperAugment() Augment {
	return Augment{
		Crop: CropResized, Flip: 0.5, Rand: PaperRandAugment(),
		Erase: 0.25, EraseMode: ErasePixel, EraseCount: 1, Interpolation: Bilinear,
	}
}

// Validate checks the options without looking at the sources; the error says
// which field to mend.
func (o Options) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrOptions, fmt.Sprintf(format, args...))
	}
	o = o.withDefaults()
	switch {
	case o.Sources == "":
		return bad("no sources: name shards such as 'data/{0000..0003}.tar' or a folder")
	case o.Batch < 1 || o.Batch > 1<<20:
		return bad("batch %d: it must be 1 to %d", o.Batch, 1<<20)
	case o.ImageSize < 1 || o.ImageSize > 4096:
		return bad("image size %d: it must be 1 to 4096", o.ImageSize)
	case o.Context < 2 || o.Context > 4096:
		return bad("context %d: it must be 2 to 4096", o.Context)
	case o.ShuffleBuffer < 0 || o.Workers < 0 || o.Prefetch < 0:
		return bad("shuffle buffer, workers and prefetch must not be negative")
	case o.MicroBatch < 0 || o.MicroBatch > o.Batch:
		return bad("micro-batch %d of a batch of %d: it must be 0 (whole batches) to the batch size", o.MicroBatch, o.Batch)
	case o.Cache.Side < 0 || o.Cache.Side > 4096:
		return bad("cache side %d: it must be 0 to 4096", o.Cache.Side)
	case o.Cache.Bytes < 0:
		return bad("cache bytes %d must not be negative", o.Cache.Bytes)
	case o.Weights != nil && len(o.Weights) != Parts(o.Sources):
		return bad("%d weights for %d sources: give one for each part between \"::\"", len(o.Weights), Parts(o.Sources))
	case o.Sequential && (o.Weights != nil || o.Resampled):
		return bad("sequential order knows no weights and draws no shards")
	case !(o.HoldOut >= 0 && o.HoldOut < 1):
		return bad("hold out %v: it must be a share in [0, 1)", o.HoldOut)
	case !(o.Balance.Share >= 0 && o.Balance.Share <= 1):
		return bad("balance share %v: it must be in [0, 1]", o.Balance.Share)
	}
	if err := o.validateLabels(); err != nil {
		return bad("%v", err)
	}
	for _, w := range o.Weights {
		if !(w > 0 && w <= 1000) {
			return bad("weight %g: it must be above 0, at most 1000; leave a source out that is not wanted", w)
		}
	}
	for c, std := range o.Std {
		if !(std > 0) || math.IsInf(float64(std), 0) {
			return bad("std[%d] is %v: it must be above 0", c, std)
		}
	}
	if err := o.Nouns.validate(); err != nil {
		return bad("nouns: %v", err)
	}
	if err := o.Augment.validate(); err != nil {
		return bad("augment: %v", err)
	}
	return nil
}

// validateLabels checks what label maps need.
func (o Options) validateLabels() error {
	a := o.Augment
	mixes := a.Mosaic > 0 || a.Cutmix > 0
	switch {
	case !(a.Mosaic >= 0 && a.Cutmix >= 0 && a.Mosaic+a.Cutmix <= 1):
		return fmt.Errorf("mosaic %v and cutmix %v: they must be chances whose sum is at most 1", a.Mosaic, a.Cutmix)
	case mixes && !o.Labels:
		return fmt.Errorf("mosaic and cutmix need label maps: without them a mixed picture teaches nothing")
	case !o.Labels:
		return nil
	case o.LabelCell < 1 || o.ImageSize%o.LabelCell != 0:
		return fmt.Errorf("label cell of %d pixels: it must divide the image size %d", o.LabelCell, o.ImageSize)
	case a.Mosaic > 0 && o.ImageSize%(2*o.LabelCell) != 0:
		return fmt.Errorf("mosaic: the image size %d must be an even number of label cells of %d pixels", o.ImageSize, o.LabelCell)
	case o.Nouns.Mode != NounsList || !o.Nouns.Distinct:
		return fmt.Errorf("label maps need distinct prompts of a word list (mode %q)", NounsList)
	case a.Rand.Operations > 0 || a.Erase > 0:
		return fmt.Errorf("label maps do not follow rand and erase: set rand operations and erase to 0")
	}
	return nil
}

func (n NounOptions) validate() error {
	switch n.Mode {
	case NounsNone, NounsTagger, NounsList:
	default:
		return fmt.Errorf("mode %q: one of %s, %s, %s", n.Mode, NounsNone, NounsTagger, NounsList)
	}
	switch {
	case n.K < 0 || n.K > 256:
		return fmt.Errorf("k %d: it must be 0 to 256", n.K)
	case n.Mode != NounsNone && n.K == 0 && !n.Distinct:
		return fmt.Errorf("k 0 (all nouns of a photo) needs distinct prompts")
	case n.Least < 0 || n.Least > 1<<14:
		return fmt.Errorf("least %d: it must be 0 to %d prompts", n.Least, 1<<14)
	case n.Least > 0 && (n.Mode != NounsList || !n.Distinct):
		return fmt.Errorf("least %d needs distinct prompts of a word list (mode %q)", n.Least, NounsList)
	case n.Pad < 1 || n.Pad > 1<<16:
		return fmt.Errorf("pad %d: it must be 1 to %d", n.Pad, 1<<16)
	}
	for _, t := range append(n.Templates[:len(n.Templates):len(n.Templates)], n.StuffTemplates...) {
		if err := vocab.CheckTemplate(t); err != nil {
			return err
		}
	}
	return nil
}

func (a Augment) validate() error {
	switch a.Crop {
	case CropNone, CropCenter, CropResized, CropBatch:
	default:
		return fmt.Errorf("crop %q: one of %s, %s, %s, %s", a.Crop, CropNone, CropCenter, CropResized, CropBatch)
	}
	for _, r := range []struct {
		name  string
		value [2]float64
		most  float64
	}{{"area", a.Area, 1}, {"aspect", a.Aspect, 100}, {"side", a.Side, 1}} {
		if !(r.value[0] > 0 && r.value[0] <= r.value[1] && r.value[1] <= r.most) {
			return fmt.Errorf("%s %v: it must be a range above 0 and up to %v, smaller end first", r.name, r.value, r.most)
		}
	}
	switch {
	case !(a.Soften >= 0 && a.Soften <= 1):
		return fmt.Errorf("soften %v: it must be a chance in [0, 1]", a.Soften)
	case !(a.Flip >= 0 && a.Flip <= 1):
		return fmt.Errorf("flip %v: it must be a chance in [0, 1]", a.Flip)
	case !(a.Contrast >= 0 && a.Contrast < 1):
		return fmt.Errorf("contrast %v: it must be in [0, 1)", a.Contrast)
	case !(a.Brightness >= 0 && a.Brightness <= 10) || !(a.Channel >= 0 && a.Channel <= 10):
		return fmt.Errorf("brightness %v and channel %v must be in [0, 10]", a.Brightness, a.Channel)
	case a.Rand.Operations < 0 || a.Rand.Operations > 15:
		return fmt.Errorf("rand operations %d: they must be 0 to 15", a.Rand.Operations)
	case !(a.Rand.Chance >= 0 && a.Rand.Chance <= 1):
		return fmt.Errorf("rand chance %v: it must be in [0, 1]", a.Rand.Chance)
	case !(a.Rand.Level >= 0 && a.Rand.Level <= 10) || !(a.Rand.Deviation >= 0 && a.Rand.Deviation <= 10):
		return fmt.Errorf("rand level %v and deviation %v must be in [0, 10]", a.Rand.Level, a.Rand.Deviation)
	case a.EraseMode != ErasePixel && a.EraseMode != EraseRand && a.EraseMode != EraseConst:
		return fmt.Errorf("erase mode %q: one of %s, %s, %s", a.EraseMode, ErasePixel, EraseRand, EraseConst)
	case a.EraseCount < 0 || a.EraseCount > 100:
		return fmt.Errorf("erase count %d: it must be 0 to 100 boxes", a.EraseCount)
	case a.Interpolation != Bilinear && a.Interpolation != Bicubic:
		return fmt.Errorf("interpolation %q: %s or %s", a.Interpolation, Bilinear, Bicubic)
	case !(a.Erase >= 0 && a.Erase <= 1):
		return fmt.Errorf("erase %v: it must be a chance in [0, 1]", a.Erase)
	}
	return nil
}

// withDefaults fills in what zero values stand for.
func (o Options) withDefaults() Options {
	if o.Context == 0 {
		o.Context = bpe.ClipContext
	}
	if o.Std == ([3]float32{}) {
		o.Mean, o.Std = [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}
	}
	if o.Tokenizer == nil {
		o.Tokenizer = bpe.CLIP()
	}
	if o.Prefetch == 0 {
		o.Prefetch = 2
	}
	if o.Cache.Bytes == 0 {
		o.Cache.Bytes = 2 << 30
	}
	if o.Nouns.Mode == "" {
		o.Nouns.Mode = NounsNone
	}
	if o.Nouns.Pad == 0 {
		o.Nouns.Pad = 16
	}
	if o.Nouns.Templates == nil {
		o.Nouns.Templates, _ = vocab.Templates("full")
	}
	if o.Augment.Crop == "" {
		o.Augment.Crop = CropNone
	}
	if o.Augment.EraseMode == "" {
		o.Augment.EraseMode = ErasePixel
	}
	if o.Augment.Interpolation == "" {
		o.Augment.Interpolation = Bilinear
	}
	if o.Augment.Area == ([2]float64{}) {
		o.Augment.Area = [2]float64{0.08, 1}
	}
	if o.Augment.Aspect == ([2]float64{}) {
		o.Augment.Aspect = [2]float64{3. / 4, 4. / 3}
	}
	if o.Augment.Side == ([2]float64{}) {
		o.Augment.Side = [2]float64{0.55, 1}
	}
	return o
}
