package selftrain

import (
	"errors"
	"fmt"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrSettings is wrapped by every error about settings.
var ErrSettings = errors.New("bad settings of pseudo masks")

// How words are balanced.
const (
	// BalanceNone adds nothing.
	BalanceNone = "none"
	// BalanceBonus adds to each word what makes the photos that name it find it
	// with a probability of a half.
	BalanceBonus = "bonus"
	// BalanceCalibrate adds to each word what makes it as probable as all stuff
	// together at the tenth of places where it is most probable.
	BalanceCalibrate = "calibrate"
)

// Settings are the numbers of the recipe. Start from [Default] or [Later].
type Settings struct {
	// Views are the sides, in pixels, that a photo is squashed to and seen at; the
	// logits of several are averaged.
	Views []int `json:"views"`
	// Grid is the side of the mask, in places, over the whole photo.
	Grid int `json:"grid"`
	// Temperature multiplies cosines; 0 is each model's own.
	Temperature float64 `json:"temperature"`
	// Things is the largest number of things of a photo; the words that most of
	// its captions name, and of those the rarest, go first.
	Things int `json:"things"`
	// NamedStuff is how many times as probable stuff becomes by being named.
	NamedStuff float64 `json:"named_stuff"`
	// PersonParts lets named clothes and parts of the body count as the person,
	// which a model that learnt from captions alone finds by its face.
	PersonParts bool `json:"person_parts"`

	// VoteSuperpixels is the size of superpixels that vote, in patches of an
	// eighth of the longest view's pixels; 0 is no vote. VoteSpread, 0 to 1, lets
	// those that look alike speak for each other, and VoteLevels adds means over
	// coarser cuts.
	VoteSuperpixels float64 `json:"vote_superpixels"`
	VoteSpread      float64 `json:"vote_spread"`
	VoteLevels      int     `json:"vote_levels"`

	// High and Low bound a thing's probability divided by the mean of its largest
	// tenth: at High and above a place is foreground, below Low of all things it
	// is background, between them it is ignored.
	High float64 `json:"high"`
	Low  float64 `json:"low"`
	// Least is the probability that foreground must have in captioned photos, and
	// Faint that below which all things are background there, whatever Low says.
	// Photos whose captions are made from tags show little else than these.
	Least float64 `json:"least"`
	Faint float64 `json:"faint"`
	// Evenness chooses between things: the largest probability divided by that
	// power of the mean of its largest tenth. 0 is the most probable; 1 lets each
	// thing win where it is strongest, however improbable.
	Evenness float64 `json:"evenness"`
	// StuffConfidence is the share of all stuff's probability that the best stuff
	// word must exceed to be written; NamedStuffOnly writes only words that are
	// named. Elsewhere background is some stuff.
	StuffConfidence float64 `json:"stuff_confidence"`
	NamedStuffOnly  bool    `json:"named_stuff_only"`

	// Balance is none, bonus or calibrate; BalancePhotos is the number of photos
	// that name a word which it is fitted on. BalanceCap is the most that a bonus
	// may be, BalanceStuff the most of it that counts against stuff, and
	// BalancePerson gives the person one too: beside things that have one, a model
	// that does not find people surely would lose them. BalanceNamedStuff gives a
	// bonus to stuff words, which counts among stuff alone.
	Balance           string  `json:"balance"`
	BalancePhotos     int     `json:"balance_photos"`
	BalanceCap        float64 `json:"balance_cap"`
	BalanceStuff      float64 `json:"balance_stuff"`
	BalancePerson     bool    `json:"balance_person"`
	BalanceNamedStuff bool    `json:"balance_named_stuff"`
}

// Default returns the settings for the first round, in which a model that learnt
// from captions alone labels.
func Default() Settings {
	return Settings{
		Views: []int{112}, Grid: 32, Things: 6, NamedStuff: 3, PersonParts: true,
		VoteSuperpixels: 1.2, VoteSpread: 0.9, VoteLevels: 2,
		High: 0.45, Low: 0.25, Least: 0.1, Faint: 0.05, Evenness: 0.5,
		StuffConfidence: 0.3, NamedStuffOnly: true,
		Balance: BalanceBonus, BalancePhotos: 80, BalanceCap: 4, BalanceStuff: 2, BalancePerson: true, BalanceNamedStuff: true,
	}
}

// Later returns the settings for the second round and on, in which a model labels
// that learnt from masks: its probabilities are saturated.
func Later() Settings {
	s := Default()
	s.PersonParts = false
	s.VoteSpread, s.VoteLevels = 0.5, 0
	s.High, s.Low = 0.75, 0.45
	return s
}

// Caps on settings.
const (
	maxViews  = 8
	maxGrid   = 256
	maxThings = 64
)

// Validate checks the settings; the error says which to mend, by its key.
func (s Settings) Validate() error {
	bad := func(key string, value any, allowed string) error {
		return fmt.Errorf("%w: %s is %v, allowed is %s", ErrSettings, key, value, allowed)
	}
	if len(s.Views) == 0 || len(s.Views) > maxViews {
		return bad("views", s.Views, fmt.Sprintf("1 to %d sides", maxViews))
	}
	for _, v := range s.Views {
		if v < 8 || v > limits.SeenSide {
			return bad("views", v, fmt.Sprintf("8 to %d pixels", limits.SeenSide))
		}
	}
	for _, n := range []struct {
		key         string
		v, low, top int
	}{
		{"grid", s.Grid, 2, maxGrid}, {"things", s.Things, 1, maxThings},
		{"vote_levels", s.VoteLevels, 0, 8}, {"balance_photos", s.BalancePhotos, 1, 100_000},
	} {
		if n.v < n.low || n.v > n.top {
			return bad(n.key, n.v, fmt.Sprintf("%d to %d", n.low, n.top))
		}
	}
	for _, f := range []struct {
		key         string
		v, low, top float64
	}{
		{"temperature", s.Temperature, 0, 1000}, {"named_stuff", s.NamedStuff, 1, 1000},
		{"vote_superpixels", s.VoteSuperpixels, 0, 100}, {"vote_spread", s.VoteSpread, 0, 1},
		{"high", s.High, 0, 10}, {"low", s.Low, 0, s.High}, {"least", s.Least, 0, 1}, {"faint", s.Faint, 0, 1},
		{"evenness", s.Evenness, 0, 1}, {"stuff_confidence", s.StuffConfidence, 0, 1},
		{"balance_cap", s.BalanceCap, 0, 100}, {"balance_stuff", s.BalanceStuff, 0, 100},
	} {
		if !(f.v >= f.low && f.v <= f.top) {
			return bad(f.key, f.v, fmt.Sprintf("%g to %g", f.low, f.top))
		}
	}
	switch s.Balance {
	case BalanceNone, BalanceBonus, BalanceCalibrate:
		return nil
	}
	return bad("balance", fmt.Sprintf("%q", s.Balance), "none, bonus and calibrate")
}
