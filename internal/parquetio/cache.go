package parquetio

import (
	"container/list"
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/groupvit/groupvit/internal/limits"
)

// Cache keeps the pages that were read last, of any number of files, and bounds how
// much is decoded at a time. It is safe for concurrent use.
type Cache struct {
	most    int64
	working *semaphore.Weighted // in bytes of pages that are being decoded

	mu    sync.Mutex
	used  int64
	pages map[place]*list.Element // of *cached
	last  list.List               // the latest first
}

// place is what a page is known by.
type place struct {
	values *Values
	offset int64
}

// cached is a page, decoded once by whoever comes first.
type cached struct {
	place  place
	size   int64 // 0 until it is decoded
	mu     sync.Mutex
	values [][]byte
}

// NewCache makes a cache of at most so many bytes.
func NewCache(most int64) *Cache {
	return &Cache{most: most, pages: map[place]*list.Element{}, working: semaphore.NewWeighted(2 * limits.ParquetPage)}
}

// get returns a page, which load reads and which takes about size bytes meanwhile.
func (c *Cache) get(at place, size int64, load func() ([][]byte, error)) ([][]byte, error) {
	c.mu.Lock()
	e := c.pages[at]
	if e == nil {
		e = c.last.PushFront(&cached{place: at})
		c.pages[at] = e
	}
	c.last.MoveToFront(e)
	c.mu.Unlock()
	p := e.Value.(*cached)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.values != nil {
		return p.values, nil
	}
	if err := c.working.Acquire(context.Background(), size+1); err != nil {
		return nil, err
	}
	values, err := load()
	c.working.Release(size + 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.drop(e) // it may be there the next time
		return nil, err
	}
	p.values = values
	for _, v := range values {
		p.size += int64(len(v)) + 24
	}
	if c.pages[at] == e { // else it was dropped meanwhile
		c.used += p.size
	}
	// The page itself stays, wherever others have come before it meanwhile.
	for back := c.last.Back(); c.used > c.most && back != nil; {
		next := back.Prev()
		if back != e {
			c.drop(back)
		}
		back = next
	}
	return values, nil
}

// drop takes a page out.
func (c *Cache) drop(e *list.Element) {
	p := e.Value.(*cached)
	if c.pages[p.place] == e {
		delete(c.pages, p.place)
		c.last.Remove(e)
		c.used -= p.size
	}
}
