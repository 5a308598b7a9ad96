//go:build cgo || nodynamic

package webp

import (
	"image"
	"io"
	"sync"

	"github.com/gen2brain/webp"
)

// Available reports whether this build can write WebP.
const Available = true

// encoding lets one picture be encoded at a time: each takes memory of its own.
var encoding sync.Mutex

func encode(w io.Writer, m *image.RGBA) error {
	encoding.Lock()
	defer encoding.Unlock()
	return webp.Encode(w, m, webp.Options{Quality: quality, Method: method})
}
