package pairs

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/nouns"
)

// openBalance finds which samples name each word of the balance. It reads all
// captions, and keeps them.
func (l *Loader) openBalance(ctx context.Context) error {
	words := l.options.Balance.Words
	if len(words) == 0 || l.balanced() == 0 {
		return nil
	}
	var entries []nouns.Word
	for _, w := range words {
		entry := nouns.Word{Name: w}
		if l.list != nil {
			if known, ok := l.list.Word(w); ok {
				entry = known
			}
		}
		entries = append(entries, entry)
	}
	list, err := nouns.List(entries)
	if err != nil {
		return fmt.Errorf("%w: balance: %w", ErrOptions, err)
	}
	l.groups = make([][]int32, len(words))
	l.texts = make([]*Sample, l.index.Len())
	for i := range l.texts {
		if err := ctx.Err(); err != nil {
			return err
		}
		first := l.index.first(i)
		if l.bad[first].Load() {
			continue
		}
		s := l.texts[first]
		if s == nil {
			var err error
			if s, err = l.index.text(i); err != nil {
				l.bad[first].Store(true)
				l.report.add(Problem{l.index.Key(i), l.index.Source(i), err})
				continue
			}
			l.texts[first] = s
		}
		var named []string
		for _, text := range append(s.Tags[:len(s.Tags):len(s.Tags)], s.Captions...) {
			named = append(named, list.Nouns(text)...)
		}
		for w, word := range words {
			if slices.Contains(named, word) {
				l.groups[w] = append(l.groups[w], int32(i))
			}
		}
	}
	for w, group := range l.groups {
		if len(group) == 0 {
			return fmt.Errorf("%w: balance: no photo of %s names %q: take it out of the words", ErrOptions, l.options.Sources, words[w])
		}
	}
	return nil
}

// balanced is the number of samples of a batch that are drawn over the words.
func (l *Loader) balanced() int {
	if len(l.options.Balance.Words) == 0 {
		return 0
	}
	return int(math.Round(l.options.Balance.Share * float64(l.options.Batch)))
}

// choose returns the sample of index i in a step's batch. The first of a batch are
// the balanced ones; the others go through the samples pass by pass.
func (l *Loader) choose(step, i int) int {
	n := l.balanced()
	if i >= n {
		return l.order.at(step*(l.options.Batch-n) + i - n)
	}
	d := newRNG(l.options.Seed, forBalance, l.streamIndex(step, i))
	group := l.groups[d.intn(len(l.groups))]
	return int(group[d.intn(len(group))])
}
