package serve

import (
	"container/list"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"github.com/groupvit/groupvit"
)

// handle is a photo that the model has looked at, kept for later questions.
type handle struct {
	id      string
	created time.Time
	photo   upload
	encoded *groupvit.Encoded
	// options are what it was encoded with.
	options groupvit.EncodeOptions
	// width and height are the photo's.
	width, height int
}

// bytes is what a handle costs.
func (h *handle) bytes() int64 { return int64(len(h.photo.Data)) + h.encoded.Bytes() }

// handles keeps the latest used, up to a number of bytes.
type handles struct {
	mu    sync.Mutex
	limit int64
	used  int64
	order *list.List // of *handle, the latest used first
	byID  map[string]*list.Element
}

func newHandles(limit int64) *handles {
	return &handles{limit: limit, order: list.New(), byID: map[string]*list.Element{}}
}

// newID is a name that nobody can guess: 128 bits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// add keeps a handle and forgets others as room is needed; false is that it is
// larger than all the room there is.
func (c *handles) add(h *handle) bool {
	n := h.bytes()
	if n > c.limit {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID[h.id] = c.order.PushFront(h)
	for c.used += n; c.used > c.limit; {
		c.remove(c.order.Back())
	}
	return true
}

func (c *handles) remove(e *list.Element) {
	h := c.order.Remove(e).(*handle)
	delete(c.byID, h.id)
	c.used -= h.bytes()
}

// get returns a handle and makes it the latest used.
func (c *handles) get(id string) (*handle, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return nil, kindHandle.because("image %.40q", id)
	}
	c.order.MoveToFront(e)
	return e.Value.(*handle), nil
}

// drop forgets a handle.
func (c *handles) drop(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return kindHandle.because("image %.40q", id)
	}
	c.remove(e)
	return nil
}

// size is how many there are, and their bytes.
func (c *handles) size() (int, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len(), c.used
}
