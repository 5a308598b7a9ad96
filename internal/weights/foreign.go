package weights

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// foreignBytes is how much of a file's start tells what stands in its place.
const foreignBytes = 512

// foreign says what a file is that stands where a model's file should, by its first
// bytes and its size, and how to come by the right one; "" where it is nothing that
// is known here.
func foreign(start []byte, size int64) string {
	text := bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n")
	lower := bytes.ToLower(text)
	has := func(prefix string) bool { return bytes.HasPrefix(lower, []byte(prefix)) }
	switch {
	case size == 0:
		return "an empty file: fetch it again"
	case has("version https://git-lfs.github.com/") || has("version https://hawser.github.com/"):
		return "a Git LFS pointer" + pointerSize(text) + ": run `git lfs pull` in that directory, or fetch the model with `groupvit model pull`"
	case has("<!doctype") || has("<html") || has("<head") || has("<?xml") || has("<!--"):
		return "a web page" + pageTitle(text) + ", saved in the place of the file: the address of a file on the Hub has /resolve/ in it and not /blob/, and a private model needs a token"
	case has(`{"error"`) || has(`{"message"`) || has(`{"detail"`) || has(`{"code"`):
		return fmt.Sprintf("a server's refusal, saved in the place of the file (%.120q): fetch it again", text)
	case bytes.HasPrefix(start, []byte("GGUF")):
		return "a GGUF file, which other programs read: use the model's safetensors file"
	case bytes.HasPrefix(start, []byte("\x89HDF\r\n\x1a\n")):
		return "an HDF5 file of TensorFlow or Keras: use the model's safetensors file"
	case bytes.HasPrefix(start, []byte("\x1f\x8b")), bytes.HasPrefix(start, []byte("\xfd7zXZ\x00")), bytes.HasPrefix(start, []byte("\x28\xb5\x2f\xfd")):
		return "a compressed file: unpack it first"
	case len(bytes.Trim(start, "\x00")) == 0:
		return "a file that begins with zeros alone, as an interrupted download leaves it: fetch it again"
	}
	return ""
}

var pointerLine, titleTag = regexp.MustCompile(`(?m)^size (\d{1,15})\r?$`), regexp.MustCompile(`(?is)<title[^>]*>\s*([^<]{1,80})`)

// pointerSize is what a pointer says of the file that it stands for.
func pointerSize(text []byte) string {
	if m := pointerLine.FindSubmatch(text); m != nil {
		if n, err := strconv.ParseInt(string(m[1]), 10, 64); err == nil {
			return fmt.Sprintf(" to a file of %d bytes that was not fetched", n)
		}
	}
	return " to a file that was not fetched"
}

// pageTitle is the title of a web page, in brackets.
func pageTitle(text []byte) string {
	if m := titleTag.FindSubmatch(text); m != nil {
		return fmt.Sprintf(" (%q)", bytes.TrimSpace(m[1]))
	}
	return ""
}

// isText reports whether bytes that may end inside a rune are text.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 && (len(b) >= utf8.UTFMax || utf8.FullRune(b)) {
			return false
		}
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		b = b[n:]
	}
	return true
}
