//go:build !cgo && !nodynamic

package webp

import (
	"image"
	"io"
)

// Available reports whether this build can write WebP.
const Available = false

func encode(io.Writer, *image.RGBA) error { return ErrBuild }
