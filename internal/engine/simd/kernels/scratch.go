package kernels

import (
	"math/bits"
	"sync"
)

// buffer is working memory that is used again: the steady state allocates nothing of size.
type buffer struct {
	data  []float32
	class int
}

// buffers holds free ones, by the power of two that they hold.
var buffers [48]sync.Pool

// scratch gives n floats with any content; release them.
func scratch(n int) *buffer {
	class := bits.Len(uint(max(n, 256) - 1))
	if b, ok := buffers[class].Get().(*buffer); ok {
		b.data = b.data[:n]
		return b
	}
	return &buffer{data: make([]float32, n, 1<<class), class: class}
}

func (b *buffer) release() { buffers[b.class].Put(b) }
