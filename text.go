package groupvit

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/limits"
)

// textCacheEntries is how many texts a model remembers (a few megabytes).
const textCacheEntries = 8192

// Text batches have one of these sizes and a context rounded up to a multiple of
// contextStep, so that few shapes are compiled. Neither changes a result: rows
// do not see each other, and nothing after a text's end is seen.
const (
	smallTextBatch = 4
	largeTextBatch = 32
	contextStep    = 8
)

// textCache is a least-recently-used cache of projected texts, not normalised.
type textCache struct {
	mu    sync.Mutex
	limit int
	order *list.List // of *textEntry, the latest used first
	byKey map[string]*list.Element
}

type textEntry struct {
	text   string
	vector []float32
}

func newTextCache(limit int) *textCache {
	return &textCache{limit: limit, order: list.New(), byKey: map[string]*list.Element{}}
}

func (c *textCache) get(text string) []float32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[text]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*textEntry).vector
}

func (c *textCache) put(text string, vector []float32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[text]; ok {
		return
	}
	c.byKey[text] = c.order.PushFront(&textEntry{text, vector})
	if c.order.Len() > c.limit {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byKey, last.Value.(*textEntry).text)
	}
}

// encodeTexts returns the projected vector [P] of each text, not normalised.
// The vectors are shared: they must not be changed.
func (m *Model) encodeTexts(ctx context.Context, texts []string) ([][]float32, error) {
	if err := m.turn.ended(); err != nil { // the cache alone might answer
		return nil, err
	}
	if m.noWords != nil {
		return nil, fmt.Errorf("%w %s: it has no words: %w", ErrModel, m.name, m.noWords)
	}
	known := make(map[string][]float32, len(texts))
	var missing []string
	for _, t := range texts {
		if _, ok := known[t]; ok {
			continue
		}
		known[t] = m.cache.get(t)
		if known[t] == nil {
			missing = append(missing, t)
		}
	}
	for len(missing) > 0 {
		size := largeTextBatch
		if len(missing) <= smallTextBatch {
			size = smallTextBatch
		}
		part := missing[:min(size, len(missing))]
		missing = missing[len(part):]
		vectors, err := m.encodeBatch(ctx, part, size)
		if err != nil {
			return nil, err
		}
		for i, t := range part {
			known[t] = vectors[i]
			m.cache.put(t, vectors[i])
		}
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = known[t]
	}
	return out, nil
}

// encodeBatch encodes at most size texts in a batch of that size.
func (m *Model) encodeBatch(ctx context.Context, texts []string, size int) ([][]float32, error) {
	context := m.config.Text.Context
	rows, longest := make([][]int32, len(texts)), 1
	for i, t := range texts {
		rows[i] = m.tokenizer.Encode(t, context)
		for n, id := range rows[i] {
			if id == m.tokenizer.End() {
				longest = max(longest, n+1)
				break
			}
		}
	}
	length := min((longest+contextStep-1)/contextStep*contextStep, context)
	ids := make([]int32, 0, size*length)
	for i := range size { // the last rows repeat the first text
		row := rows[0]
		if i < len(rows) {
			row = rows[i]
		}
		ids = append(ids, row[:length]...)
	}
	if err := m.turn.take(ctx); err != nil {
		return nil, err
	}
	defer m.turn.give()
	out, err := m.text.run(tensors.FromFlatDataAndDimensions(ids, size, length), size, length)
	if err != nil {
		return nil, fmt.Errorf("%w %s: text tower: %w", ErrModel, m.name, err)
	}
	if err := m.checkFinite(out[0]); err != nil {
		return nil, fmt.Errorf("%w (text tower)", err)
	}
	p := m.config.EmbedWidth
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = out[0][i*p : (i+1)*p : (i+1)*p]
	}
	return vectors, nil
}

// classVectors returns a unit vector [P] a name: the mean over its prompts of
// unit vectors, or, with raw, of the projected vectors themselves, as the
// paper's code does for classification.
func (m *Model) classVectors(ctx context.Context, names []string, forms prompts, raw bool) ([]float32, error) {
	var texts []string
	ends := make([]int, len(names)) // of each name's texts
	for i, n := range names {
		texts = append(texts, forms.of(n)...)
		ends[i] = len(texts)
	}
	encoded, err := m.encodeTexts(ctx, texts)
	if err != nil {
		return nil, err
	}
	p, at := m.config.EmbedWidth, 0
	out := make([]float32, len(names)*p)
	for i, end := range ends {
		mean := out[i*p : (i+1)*p]
		for _, v := range encoded[at:end] {
			if !raw {
				v = append([]float32(nil), v...)
				assign.Normalize(v, p)
			}
			for k := range mean {
				mean[k] += v[k] / float32(end-at)
			}
		}
		at = end
	}
	assign.Normalize(out, p)
	return out, nil
}

// EmbedText returns the text's unit vector in the space shared with pictures. A
// text longer than the model's context is cut.
func (m *Model) EmbedText(ctx context.Context, text string) ([]float32, error) {
	if err := limits.Check("length in bytes", "text", int64(len(text)), limits.CaptionBytes, "shorten it"); err != nil {
		return nil, err
	}
	v, err := m.encodeTexts(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	out := append([]float32(nil), v[0]...)
	assign.Normalize(out, len(out))
	return out, nil
}
