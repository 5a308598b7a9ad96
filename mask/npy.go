package mask

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// WriteNPY writes class scores as NumPy's .npy format, version 1: little-endian
// float32 of shape [labels, height, width], row-major. An error wraps ErrSize
// if scores has another length.
//
// It is written here because the libraries that write .npy take a shape only
// from the Go type, and bring a linear algebra package with them.
func WriteNPY(w io.Writer, scores []float32, labels, height, width int) error {
	if labels < 0 || height < 0 || width < 0 || len(scores) != labels*height*width {
		return fmt.Errorf("npy: %d scores for [%d, %d, %d]: %w", len(scores), labels, height, width, ErrSize)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, %d), }", labels, height, width)
	// Magic, version, length and header end with a newline at a multiple of 64.
	const before, align = 10, 64
	header = fmt.Sprintf("%-*s\n", (before+len(header)+1+align-1)/align*align-before-1, header)
	out.WriteString("\x93NUMPY\x01\x00")
	var word [4]byte
	binary.LittleEndian.PutUint16(word[:], uint16(len(header)))
	out.Write(word[:2])
	out.WriteString(header)
	for _, v := range scores {
		binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
		out.Write(word[:])
	}
	return out.Flush() // a bufio.Writer keeps its first error
}
