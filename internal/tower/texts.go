package tower

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/core/tensors"
)

// textCacheEntries is how many texts are remembered (a few megabytes).
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

// Texts returns the projected vector [P] of each text, not normalised. A text longer
// than the network's context is cut. The vectors are shared: they must not be changed.
//
// Errors wrap [ErrModel], [ErrClosed] or ctx's error.
func (t *Towers) Texts(ctx context.Context, texts []string) ([][]float32, error) {
	if err := t.lock.Err(); err != nil { // the cache alone might answer
		return nil, err
	}
	if t.tokenizer == nil {
		return nil, fmt.Errorf("%w %s: it has no words: %w", ErrModel, t.name, t.noTexts)
	}
	known := make(map[string][]float32, len(texts))
	var missing []string
	for _, text := range texts {
		if _, ok := known[text]; ok {
			continue
		}
		known[text] = t.cache.get(text)
		if known[text] == nil {
			missing = append(missing, text)
		}
	}
	for len(missing) > 0 {
		size := largeTextBatch
		if len(missing) <= smallTextBatch {
			size = smallTextBatch
		}
		part := missing[:min(size, len(missing))]
		missing = missing[len(part):]
		vectors, err := t.encodeBatch(ctx, part, size)
		if err != nil {
			return nil, err
		}
		for i, text := range part {
			known[text] = vectors[i]
			t.cache.put(text, vectors[i])
		}
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = known[text]
	}
	return out, nil
}

// encodeBatch encodes at most size texts in a batch of that size.
func (t *Towers) encodeBatch(ctx context.Context, texts []string, size int) ([][]float32, error) {
	context := t.config.Text.Context
	rows, longest := make([][]int32, len(texts)), 1
	for i, text := range texts {
		rows[i] = t.tokenizer.Encode(text, context)
		for n, id := range rows[i] {
			if id == t.tokenizer.End() {
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
	if err := t.lock.Acquire(ctx); err != nil {
		return nil, err
	}
	defer t.lock.Release()
	out, err := t.text.run(tensors.FromFlatDataAndDimensions(ids, size, length), size, length)
	if err != nil {
		return nil, fmt.Errorf("%w %s: text tower: %w", ErrModel, t.name, err)
	}
	if err := t.checkFinite(out[0]); err != nil {
		return nil, fmt.Errorf("%w (text tower)", err)
	}
	p := t.config.EmbedWidth
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = out[0][i*p : (i+1)*p : (i+1)*p]
	}
	return vectors, nil
}
