package pairs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/shards"
)

// Report says what a loader has met so far.
type Report struct {
	// Samples is the number of samples that were listed as usable.
	Samples int
	// Skipped counts samples that cannot be used, by reason; each once, when it
	// is first met.
	Skipped map[string]int
	// Examples are the first few of them.
	Examples []Problem
	// LeftOut counts files that are no part of any sample, and what of samples and
	// tables is not used; see [Index.LeftOut].
	LeftOut *shards.LeftOut
}

// examples is how many problems a report shows.
const examples = 8

// reasons are the kinds of problems.
var reasons = []error{errNoPicture, errNoCaption, ErrPicture, ErrLabels, errJSON, errSize, errShard, errTable, errRead}

// Reason is the kind of the problem in a few words: "broken picture", "other".
func (p Problem) Reason() string {
	for _, known := range reasons {
		if errors.Is(p.Err, known) {
			return known.Error()
		}
	}
	return "other"
}

func (r *Report) add(p Problem) {
	r.Skipped[p.Reason()]++
	if len(r.Examples) < examples {
		r.Examples = append(r.Examples, p)
	}
}

// Total is the number of samples that were skipped.
func (r Report) Total() int {
	n := 0
	for _, count := range r.Skipped {
		n += count
	}
	return n
}

// AllUsed reports whether all that the sources hold is used, as far as it was read.
func (r Report) AllUsed() bool { return r.Total() == 0 && r.LeftOut.String() == "" }

// String is the report in one line: "17000 samples; skipped 3: 2 broken picture,
// 1 no caption, as a.tar: x: …".
func (r Report) String() string {
	text := fmt.Sprintf("%d samples", r.Samples)
	if r.Samples == 1 {
		text = "1 sample"
	}
	if r.Total() == 0 {
		return text + after("; ", r.LeftOut.String())
	}
	var counts []string
	for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		counts = append(counts, fmt.Sprintf("%d %s", r.Skipped[reason], reason))
	}
	return fmt.Sprintf("%s; skipped %d: %s, as %s", text, r.Total(), strings.Join(counts, ", "), r.Examples[0]) + after("; ", r.LeftOut.String())
}

// Report returns what the loader has met so far. It may be called at any time
// from any goroutine.
func (l *Loader) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.report
	r.Skipped = maps.Clone(r.Skipped)
	r.Examples = slices.Clone(r.Examples)
	return r
}
