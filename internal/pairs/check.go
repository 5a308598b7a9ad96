package pairs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/shards"
)

// What a check may find wrong with a caption, or odd.
var (
	errText  = errors.New("broken text")
	errNames = errors.New("key comes again")

	errNoteLong  = errors.New("longer than the context")
	errNoteLink  = errors.New("link or markup in it")
	errNoteSame  = errors.New("equal captions")
	errNoteShape = errors.New("very long or very small picture")
)

// CheckOptions say how [Check] looks at samples.
type CheckOptions struct {
	// Context is the number of token ids beyond which a caption is cut; 0 is
	// CLIP's.
	Context int
	// Workers decode; 0 is one a CPU.
	Workers int
	// Progress, if set, is called with the number of samples done.
	Progress func(done int)
}

// CheckReport is what a check has found.
type CheckReport struct {
	// Samples were looked at or should have been, Good can be used.
	Samples int `json:"samples"`
	Good    int `json:"good"`
	// Bad counts what cannot be used, or not as it is meant, by reason; Notes what
	// is odd and is used all the same.
	Bad   map[string]int `json:"bad"`
	Notes map[string]int `json:"notes"`
	// LeftOut counts files that are no part of any sample.
	LeftOut *shards.LeftOut `json:"left_out"`
}

// TotalBad is the number of findings that are not notes.
func (r CheckReport) TotalBad() (n int) {
	for _, count := range r.Bad {
		n += count
	}
	return n
}

// Finding is something wrong with a sample, or odd.
type Finding struct {
	Problem
	// Kind is the reason in a few words.
	Kind string
	// Note marks what is odd only.
	Note bool
}

// smallest and longest are sides and ratios of pictures beyond which there is a
// note: below that nothing can be seen, beyond that a crop shows a strip.
const smallest, longest = 32, 4

// Check decodes every sample, looks at its captions and at whether its files stand
// together, and hands over what it finds.
func Check(ctx context.Context, x *Index, o CheckOptions, found func(Finding)) (CheckReport, error) {
	c := &checker{options: o, tokenizer: bpe.CLIP(), report: CheckReport{Bad: map[string]int{}, Notes: map[string]int{}, LeftOut: x.LeftOut()}, found: found}
	if o.Context == 0 {
		c.options.Context = bpe.ClipContext
	}
	for _, p := range x.Problems() {
		c.report.Samples++
		c.add(p, false)
	}
	again := x.again()
	places := func(yield func(int) bool) {
		for i := range x.Len() {
			if x.first(i) == i && !yield(i) {
				return
			}
		}
	}
	done := 0
	err := pipeline(ctx, places, o.Workers, func(i int) findings {
		problems := c.sample(x, i)
		if again[i] {
			err := fmt.Errorf("%w: its files do not stand together, or two samples have one name", errNames)
			problems = append(problems, noted{Problem{x.Key(i), x.Source(i), err}, false})
		}
		return problems
	}, func(problems findings) error {
		c.report.Samples++
		good := true
		for _, p := range problems {
			good = good && p.note
			c.add(p.Problem, p.note)
		}
		if good {
			c.report.Good++
		}
		if done++; o.Progress != nil {
			o.Progress(done)
		}
		return nil
	})
	return c.report, err
}

// noted is a problem, or only a note.
type noted struct {
	Problem
	note bool
}

type findings []noted

type checker struct {
	options   CheckOptions
	tokenizer *bpe.Tokenizer
	report    CheckReport
	found     func(Finding)
}

func (c *checker) add(p Problem, note bool) {
	kind := p.Reason()
	for _, known := range []error{errText, errNames, errNoteLong, errNoteLink, errNoteSame, errNoteShape, errUnusedTexts, errUnusedValues} {
		if errors.Is(p.Err, known) {
			kind = known.Error()
		}
	}
	if note {
		c.report.Notes[kind]++
	} else {
		c.report.Bad[kind]++
	}
	if c.found != nil {
		c.found(Finding{p, kind, note})
	}
}

// sample looks at one sample.
func (c *checker) sample(x *Index, i int) (out findings) {
	say := func(note bool, err error) { out = append(out, noted{Problem{x.Key(i), x.Source(i), err}, note}) }
	s, err := x.Sample(i)
	if err != nil {
		say(false, err)
		return out
	}
	im, err := s.Decode()
	if err != nil {
		say(false, err)
		return out
	}
	for _, err := range s.unused {
		say(true, err)
	}
	if short, long := min(im.Width, im.Height), max(im.Width, im.Height); short < smallest || long > longest*short {
		say(true, fmt.Errorf("%w: %d×%d", errNoteShape, im.Width, im.Height))
	}
	for n, caption := range s.Captions {
		if err := brokenText(caption); err != nil {
			say(false, fmt.Errorf("%w: caption %d: %w", errText, n+1, err))
			continue
		}
		if l := strings.ToLower(caption); strings.Contains(l, "http://") || strings.Contains(l, "https://") || strings.Contains(l, "www.") || strings.Contains(l, "</") || strings.Contains(l, "<br") || strings.Contains(l, "&amp;") {
			say(true, fmt.Errorf("%w: caption %d: %.60q", errNoteLink, n+1, caption))
		}
		if tokens := c.tokens(caption); tokens > c.options.Context {
			say(true, fmt.Errorf("%w: caption %d has %d tokens, %d are used", errNoteLong, n+1, tokens, c.options.Context))
		}
		if slices.Contains(s.Captions[:n], caption) {
			say(true, fmt.Errorf("%w: caption %d is one of those before it", errNoteSame, n+1))
		}
	}
	return out
}

// tokens counts a caption's token ids, start and end included, up to a few beyond
// the context.
func (c *checker) tokens(caption string) int {
	ids := c.tokenizer.Encode(caption, c.options.Context+64)
	for n := len(ids); n > 0; n-- {
		if n == 1 || ids[n-1] != ids[n-2] { // the end is also what fills up
			return n
		}
	}
	return 0
}

// brokenText says why a caption is no text.
func brokenText(caption string) error {
	letters := false
	for _, r := range caption {
		switch {
		case r == utf8.RuneError:
			return errors.New("it is no UTF-8, or was damaged before")
		case unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r':
			return fmt.Errorf("it holds the control character %U", r)
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			letters = true
		}
	}
	if !letters {
		return fmt.Errorf("%q has neither letter nor digit", caption)
	}
	return nil
}

// again marks the samples whose key another sample of the same shard, folder or
// table has, too: files that belong together but do not stand together.
func (x *Index) again() map[int]bool {
	out := map[int]bool{}
	for s, first := range x.starts {
		end := x.Len()
		if s+1 < len(x.starts) {
			end = x.starts[s+1]
		}
		if first < end && x.tables[x.entries[first].picture.File] != nil {
			continue // a row is one sample, whatever its picture was called
		}
		seen := map[uint64]bool{}
		for i := first; i < end; i++ {
			h := hash(x.entries[i].key)
			if seen[h] {
				out[i] = true
			}
			seen[h] = true
		}
	}
	return out
}
