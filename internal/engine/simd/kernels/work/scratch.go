package work

import (
	"math/bits"
	"sync"
)

// Buffer is working memory that is used again: the steady state allocates nothing of size.
type Buffer struct {
	Data  []float32
	class int
}

// buffers holds free ones, by the power of two that they hold.
var buffers [48]sync.Pool

// Scratch gives n floats with any content; release them.
func Scratch(n int) *Buffer {
	class := bits.Len(uint(max(n, 256) - 1))
	if b, ok := buffers[class].Get().(*Buffer); ok {
		b.Data = b.Data[:n]
		return b
	}
	return &Buffer{Data: make([]float32, n, 1<<class), class: class}
}

func (b *Buffer) Release() { buffers[b.class].Put(b) }
