package pairs

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/nouns/tagger"
)

// ErrNoSamples says that not one sample of the sources can be used.
var ErrNoSamples = errors.New("no sample can be used")

// ErrVanished is wrapped by [Loader.Next] where a file that the sources had when
// they were listed is gone, or shorter. After [Loader.Seek] it is looked for
// again.
var ErrVanished = errors.New("training data has vanished")

// Loader makes batches, ahead and in the background. Its methods may be called
// from one goroutine at a time, except [Loader.Report].
type Loader struct {
	options Options
	index   *Index
	heldOut *Index // nil where none is set aside
	order   *order
	finder  nouns.Finder    // nil without noun prompts
	list    *nouns.WordList // nil unless the mode is "list"
	groups  [][]int32       // samples that name each word of the balance

	cache  []atomic.Pointer[loaded] // by first index; nil without
	cached atomic.Int64             // bytes of pictures in it
	texts  []*Sample                // by first index, without pictures; nil unless read for the balance
	bad    []atomic.Bool            // by first index

	mu     sync.Mutex
	report Report

	parent context.Context
	cancel context.CancelFunc
	made   chan result
	next   int
	failed error // what ended the building of batches
}

// result is a batch or a micro-batch.
type result struct {
	microBatch *MicroBatch
	err        error
}

// Open lists the sources' samples and starts making batches from number 0. The
// context bounds the loader's life; Close ends it too.
//
// Errors wrap [ErrOptions], [ErrSources] or [ErrNoSamples].
func Open(ctx context.Context, o Options) (*Loader, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	l := &Loader{options: o, parent: ctx}
	switch o.Nouns.Mode {
	case NounsTagger:
		l.finder = nouns.Memo(tagger.New(), 1<<18)
	case NounsList:
		words := o.Nouns.Words
		if words == nil {
			words = nouns.Builtin()
		}
		list, err := nouns.List(words)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
		l.list, l.finder = list, nouns.Memo(list, 1<<18)
	}
	index, err := OpenIndexWith(ctx, o.Sources, o.Table)
	if err != nil {
		return nil, err
	}
	if o.HoldOut > 0 {
		if l.heldOut = index.HoldOut(o.HoldOut); index.Len() == 0 {
			return nil, fmt.Errorf("%w: %s: no sample is left beside those set aside", ErrNoSamples, o.Sources)
		}
	}
	l.index = index
	l.order = newOrder(index, o)
	l.bad = make([]atomic.Bool, index.Len())
	if o.Cache.Side > 0 {
		l.cache = make([]atomic.Pointer[loaded], index.Len())
	}
	l.report = Report{Samples: index.Len(), Skipped: map[string]int{}, LeftOut: index.LeftOut()}
	for _, p := range index.Problems() {
		l.report.add(p)
	}
	if !o.Labels {
		index.leaveLabels()
	}
	if err := l.openBalance(ctx); err != nil {
		return nil, err
	}
	l.start(0)
	return l, nil
}

// Samples returns the number of samples of one pass.
func (l *Loader) Samples() int { return l.index.Len() }

// HeldOut returns the samples that are set aside; nil where none are.
func (l *Loader) HeldOut() *Index { return l.heldOut }

// Named returns the words that a sample's captions and tags name, each once: of the word
// list, or as the tagger finds them. Without prompts there are none.
func (l *Loader) Named(s *Sample) []string {
	if l.finder == nil {
		return nil
	}
	var out []string
	for _, noun := range l.named(&loaded{captions: s.Captions, tags: s.Tags, templated: s.Templated()}) {
		if !slices.Contains(out, noun) {
			out = append(out, noun)
		}
	}
	return out
}

// Index returns the list of the loader's samples.
func (l *Loader) Index() *Index { return l.index }

// Fingerprint is that of the loader's samples; see [Index.Fingerprint].
func (l *Loader) Fingerprint() string { return l.index.Fingerprint() }

// StepsPerPass returns the number of batches that one pass over the samples
// fills, as often as their weights say, rounded up; the balanced part of a batch
// does not count.
func (l *Loader) StepsPerPass() int {
	plain := l.options.Batch - l.balanced()
	if plain == 0 {
		plain = l.options.Batch
	}
	return (l.order.length + plain - 1) / plain
}

// Next returns the next batch; the caller owns it. After an error the loader
// makes no further batches until [Loader.Seek], and Next returns that error
// again. The end of ctx ends only this call.
func (l *Loader) Next(ctx context.Context) (*Batch, error) {
	if l.options.MicroBatch > 0 {
		return nil, errors.New("the data loader makes micro-batches: use NextMicroBatch")
	}
	m, err := l.NextMicroBatch(ctx)
	if err != nil {
		return nil, err
	}
	return m.Batch, nil
}

// NextMicroBatch returns the next micro-batch, or the next whole batch where the options
// ask for no micro-batches. Otherwise it is like [Loader.Next].
func (l *Loader) NextMicroBatch(ctx context.Context) (*MicroBatch, error) {
	switch {
	case l.failed != nil:
		return nil, l.failed
	case l.made == nil:
		return nil, errors.New("the data loader is closed")
	}
	select {
	case r, ok := <-l.made:
		if !ok { // its own context has ended
			r.err = context.Cause(l.parent)
		}
		if l.failed = r.err; r.err != nil {
			return nil, r.err
		}
		if r.microBatch.last(l.options.TwoPasses) {
			l.next++
		}
		return r.microBatch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// last reports whether a micro-batch is the last that is built of its batch.
func (m *MicroBatch) last(twoPasses bool) bool {
	return m.From+m.Size == m.Batch.Size && m.SecondPass == twoPasses
}

// Step returns the number of the batch that Next returns next.
func (l *Loader) Step() int { return l.next }

// Seek makes Next go on with batch number step. It costs nothing but the
// batches that were made ahead.
func (l *Loader) Seek(step int) error {
	if step < 0 {
		return fmt.Errorf("%w: step %d: it must not be negative", ErrOptions, step)
	}
	if step == l.next && l.made != nil && l.failed == nil {
		return nil
	}
	l.Close()
	l.start(step)
	return nil
}

// Close stops the work in the background and waits for it.
func (l *Loader) Close() {
	if l.made == nil {
		return
	}
	l.cancel()
	for range l.made { // until the maker has closed it
	}
	l.made = nil
}

// start builds batches from step on, ahead and in the background.
func (l *Loader) start(step int) {
	ctx, cancel := context.WithCancel(l.parent)
	made := make(chan result, l.options.Prefetch-1)
	l.cancel, l.made, l.next, l.failed = cancel, made, step, nil
	go func() {
		defer close(made)
		defer cancel()
		send := func(r result) bool {
			select {
			case made <- r:
				return r.err == nil
			case <-ctx.Done():
				return false
			}
		}
		for ; ; step++ {
			err := l.build(ctx, step, func(m *MicroBatch) bool { return send(result{microBatch: m}) })
			if err != nil {
				send(result{err: err})
				return
			}
		}
	}()
}

// streamIndex is the index in the stream of image i of a step's batch.
func (l *Loader) streamIndex(step, i int) uint64 {
	return uint64(step)*uint64(l.options.Batch) + uint64(i)
}

// draw returns the sample of index i in a step's batch, or the one that replaces it
// because it cannot be used, and its number.
func (l *Loader) draw(ctx context.Context, step, i int) (*loaded, int, error) {
	return l.usable(ctx, l.choose(step, i), newRNG(l.options.Seed, forSubstitute, l.streamIndex(step, i)))
}

// usable returns sample first and its number, or another, drawn with d, where it
// cannot be used.
func (l *Loader) usable(ctx context.Context, first int, d *rng) (*loaded, int, error) {
	if s, err := l.load(ctx, first); s != nil || err != nil {
		return s, first, err
	}
	// Others by chance, then all in turn: so that a few usable samples are found
	// among very many broken ones, and that it is noticed when there is none.
	for range 32 {
		k := d.intn(l.index.Len())
		if s, err := l.load(ctx, k); s != nil || err != nil {
			return s, k, err
		}
	}
	for k := range l.index.Len() {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		k = (first + k) % l.index.Len()
		if s, err := l.load(ctx, k); s != nil || err != nil {
			return s, k, err
		}
	}
	return nil, 0, fmt.Errorf("%w: %s: all %d are broken: %s", ErrNoSamples, l.options.Sources, l.index.Len(), l.Report())
}
