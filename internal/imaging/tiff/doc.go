// Package tiff reads the first picture of a TIFF or BigTIFF file as 8-bit RGB: what
// scanners, cameras, drones, satellites and microscopes write.
//
// The library of the Go project reads the baseline of TIFF 6.0. This one also reads
// planes apart, more bands, 1 to 64 bits of unsigned, signed and floating samples, CMYK,
// YCbCr, L*a*b*, and data compressed by CCITT, LZW (also the old kind), Deflate,
// PackBits, Zstandard, JPEG and WebP, with either order of bits.
//
// In this order: directory.go (tags), header.go (what they say, checked), segments.go
// (strips and tiles), codecs.go, ccitt.go, jpeg.go (their bytes), unpack.go (samples),
// levels.go (8 bits), color.go (RGB).
package tiff

import "errors"

var (
	// ErrFormat is wrapped by errors for files that are damaged, or no TIFF.
	ErrFormat = errors.New("damaged")
	// ErrUnsupported is wrapped by errors for kinds of TIFF that are not read.
	ErrUnsupported = errors.New("not supported")
)
