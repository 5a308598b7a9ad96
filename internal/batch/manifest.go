package batch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/groupvit/groupvit/internal/limits"
)

// StdinName is the name of a manifest that is read from stdin.
const StdinName = "-"

// Manifest lists the photos of a file with one path a line; empty lines are left
// out. The file may begin with a byte order mark, be in UTF-16 with one, and end its
// lines as Windows or old Macs do. Relative paths are seen from the working directory.
// The name "-" reads stdin.
//
// A line that is no path gives an error beside an item that names it, and the list
// goes on. An error with an empty item ends the list; it wraps [ErrList] or is the file
// system's.
func Manifest(ctx context.Context, name string, stdin io.Reader, part Part) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		from := stdin
		if name == StdinName {
			name = "stdin"
		} else {
			f, err := os.Open(name)
			if err != nil {
				yield(Item{}, err)
				return
			}
			defer f.Close()
			from = f
		}
		m := manifest{name: name, lines: newLines(from), names: newNames(), part: part}
		for {
			item, mine, err := m.next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if item.Photo == "" && err != nil {
				yield(Item{}, err)
				return
			}
			if mine && !yield(item, err) {
				return
			}
		}
	}
}

// manifest is a list that is being read.
type manifest struct {
	name   string
	lines  *lineReader
	names  names
	part   Part
	photos int // so far
}

// next returns the next photo and whether it is this worker's.
func (m *manifest) next(ctx context.Context) (item Item, mine bool, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return Item{}, false, err
		}
		photo, err := m.lines.next()
		if errors.Is(err, io.EOF) {
			return Item{}, false, err
		}
		if err != nil && photo == "" {
			return Item{}, false, fmt.Errorf("%s: %w", m.name, err)
		}
		if photo == "" {
			continue
		}
		mine = m.part.has(m.photos)
		m.photos++
		name := ""
		if err == nil {
			name, err = resultName(photo)
		}
		if err != nil {
			err = fmt.Errorf("%s, line %d: %w", m.name, m.lines.number, err)
			return failed(Item{Photo: photo, ID: photo, Name: fmt.Sprintf("line%d", m.lines.number)}, err), mine, err
		}
		name = m.names.own(name, fmt.Sprintf("line%d", m.lines.number))
		if !mine {
			return Item{Photo: photo}, false, nil
		}
		item = fileItem(photo, path.Clean(filepath.ToSlash(photo)), filepath.ToSlash(photo))
		item.Name = name
		return item, true, nil
	}
}

// lineReader reads lines of any length, of which it keeps a bounded part.
type lineReader struct {
	r      *bufio.Reader
	number int  // of the line that was read last, from 1
	cr     bool // the last line ended with "\r"
}

func newLines(r io.Reader) *lineReader {
	text := transform.NewReader(r, unicode.BOMOverride(transform.Nop))
	return &lineReader{r: bufio.NewReaderSize(text, 1<<16)}
}

// next returns the next line without its end. One that is longer than a path may be
// is returned cut, with an error that wraps [ErrList]; io.EOF is the end.
func (l *lineReader) next() (string, error) {
	var line []byte
	long := false
	l.number++
	for {
		c, err := l.r.ReadByte()
		switch {
		case err == nil && c == '\n' && l.cr && len(line) == 0: // the second half of "\r\n"
			l.cr = false
			continue
		case errors.Is(err, io.EOF) && len(line) > 0, err == nil && (c == '\n' || c == '\r'):
			l.cr = err == nil && c == '\r'
			if long {
				return string(line[:60]) + "…", fmt.Errorf("%w: the line has more than %d bytes", ErrList, limits.PathBytes)
			}
			return string(line), nil
		case err != nil:
			return "", err
		}
		l.cr = false
		if len(line) > limits.PathBytes {
			long = true
			continue
		}
		line = append(line, c)
	}
}
