// Package textio reads text and JSON as other programs write them: with a byte order
// mark, in UTF-16, with the line ends of Windows or of old Macs, with Python's NaN.
package textio

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Decode returns text as UTF-8 without its byte order mark. UTF-16 is known by its
// mark or by the zeros of its first characters; all else is taken for UTF-8.
func Decode(b []byte) []byte {
	d := decoderOf(b)
	if d == nil {
		return bytes.TrimPrefix(b, []byte(bom))
	}
	out, _, err := transform.Bytes(d, b)
	if err != nil {
		return b
	}
	return bytes.TrimPrefix(out, []byte(bom))
}

const bom = "\uFEFF"

// decoderOf returns what decodes text that begins so; nil for UTF-8.
func decoderOf(head []byte) *encoding.Decoder {
	if len(head) < 4 {
		head = append(bytes.Clone(head), 1, 1, 1, 1)
	}
	switch {
	case head[0] == 0xff && head[1] == 0xfe, head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case head[0] == 0xfe && head[1] == 0xff, head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	}
	return nil
}

// Normalize returns text as [NewReader] reads it.
func Normalize(b []byte) []byte {
	out, _, err := transform.Bytes(&lineEnds{}, Decode(b))
	if err != nil {
		return b
	}
	return out
}

// NewReader reads text as [Decode] does, its lines ended by "\n" alone.
func NewReader(from io.Reader) io.Reader {
	return &reader{from: from}
}

// reader decides how to decode when it is first read.
type reader struct {
	from, decoded io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if r.decoded == nil {
		head := make([]byte, 4)
		n, err := io.ReadFull(r.from, head)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, err
		}
		whole := io.MultiReader(bytes.NewReader(head[:n]), r.from)
		var text transform.Transformer = unicode.BOMOverride(transform.Nop) // takes UTF-8's mark off
		if d := decoderOf(head[:n]); d != nil {
			text = transform.Chain(d, text)
		}
		r.decoded = transform.NewReader(whole, transform.Chain(text, &lineEnds{}))
	}
	return r.decoded.Read(p)
}

// lineEnds turns "\r\n" and "\r" into "\n".
type lineEnds struct{ cr bool }

// Reset begins anew.
func (l *lineEnds) Reset() { l.cr = false }

// Transform implements [transform.Transformer].
func (l *lineEnds) Transform(dst, src []byte, _ bool) (nDst, nSrc int, err error) {
	for _, c := range src {
		if c == '\n' && l.cr { // the second half of "\r\n"
			l.cr = false
			nSrc++
			continue
		}
		if nDst == len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		l.cr = c == '\r'
		if l.cr {
			c = '\n'
		}
		dst[nDst] = c
		nDst++
		nSrc++
	}
	return nDst, nSrc, nil
}

// UnmarshalJSON is [json.Unmarshal] of text as [Decode] reads it, in which NaN,
// Infinity and -Infinity, which Python writes, stand for null.
func UnmarshalJSON(b []byte, v any) error {
	b = Decode(b)
	err := json.Unmarshal(b, v)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	fixed, changed := withoutNaN(b)
	if !changed {
		return err
	}
	return json.Unmarshal(fixed, v)
}

// notNumbers are what Python's json writes for floats that JSON cannot say, the longest
// first.
var notNumbers = [][]byte{[]byte("-Infinity"), []byte("Infinity"), []byte("NaN")}

// withoutNaN replaces them outside of strings.
func withoutNaN(b []byte) (out []byte, changed bool) {
	out = make([]byte, 0, len(b)+16)
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\' && i+1 < len(b):
			out = append(out, c)
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == 'N' || c == 'I' || c == '-'):
			if n := notNumber(b[i:]); n > 0 {
				out = append(out, "null"...)
				i += n - 1
				changed = true
				continue
			}
		}
		out = append(out, b[i])
	}
	return out, changed
}

func notNumber(b []byte) int {
	for _, n := range notNumbers {
		if bytes.HasPrefix(b, n) {
			return len(n)
		}
	}
	return 0
}
