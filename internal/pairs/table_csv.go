package pairs

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/shards"
	"github.com/groupvit/groupvit/internal/textio"
)

// csvRows lists the rows of a CSV file.
func (o TableOptions) csvRows(path string, left *shards.LeftOut) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(row{}, err)
			return
		}
		defer f.Close()
		for r, err := range o.readCSV(path, f, left) {
			if !yield(r, err) {
				return
			}
		}
	}
}

// separators are those that are looked for, in that order.
const separators = "\t,;|"

// readCSV lists the rows of CSV text; the first names the columns. What it does not use
// is counted in left.
func (o TableOptions) readCSV(path string, from io.Reader, left *shards.LeftOut) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		meter := &rowMeter{from: bufio.NewReaderSize(textio.NewReader(from), limits.TableRow)}
		r := csv.NewReader(meter)
		var err error
		if r.Comma, err = o.comma(meter.from); err != nil {
			yield(row{}, fmt.Errorf("%w: %s: %w", ErrTable, path, err))
			return
		}
		r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = true, -1, true
		image, caption, columns := -1, -1, 0
		for number := 1; ; number++ {
			meter.left = 2 * limits.TableRow // the csv package reads ahead
			fields, err := r.Read()
			switch {
			case err == io.EOF && number == 1:
				yield(row{}, fmt.Errorf("%w: %s is empty", ErrTable, path))
				return
			case err == io.EOF:
				return
			case err != nil:
				yield(row{}, fmt.Errorf("%w: %s: row %d: %w", ErrTable, path, number, err))
				return
			}
			if number == 1 {
				if image, caption, err = o.columnsOf(path, fields); err != nil {
					yield(row{}, err)
					return
				}
				columns = len(fields)
				leaveColumns(left, fields, image, caption)
				continue
			}
			leaveCells(left, fields, columns, r.Comma)
			var next row
			if image < len(fields) {
				next.path = strings.Clone(strings.TrimSpace(fields[image]))
			}
			if caption >= 0 && caption < len(fields) {
				next.captions = texts(strings.Clone(fields[caption]))
			}
			if !yield(next, nil) {
				return
			}
		}
	}
}

// leaveCells counts what of a row is no part of a sample: what stands behind the last
// column, as after a comma in a caption without quotes; and lines that look like rows
// but lie inside a cell, since a quote before them is not closed.
func leaveCells(left *shards.LeftOut, fields []string, columns int, comma rune) {
	for range len(fields) - columns {
		left.AddPart("cell beyond the last column of a table (is a text with the delimiter not quoted?)")
	}
	for _, field := range fields {
		for i, line := range strings.Split(field, "\n") {
			if i > 0 && columns > 1 && strings.Count(line, string(comma)) >= columns-1 {
				left.AddPart("line inside a cell that looks like a row (is a quote not closed?)")
			}
		}
	}
}

// comma is the separator: the one asked for, or the first of the usual ones that
// the first line has most of.
func (o TableOptions) comma(from *bufio.Reader) (rune, error) {
	if o.Separator != "" {
		list := []rune(strings.ReplaceAll(o.Separator, `\t`, "\t"))
		if len(list) != 1 || strings.ContainsRune("\r\n\"\uFFFD", list[0]) {
			return 0, fmt.Errorf("separator %q: it must be one character", o.Separator)
		}
		return list[0], nil
	}
	start, _ := from.Peek(min(from.Size(), 64<<10)) // what there is
	first, _, _ := strings.Cut(string(start), "\n")
	best, most := ',', 0
	for _, c := range separators {
		if n := strings.Count(first, string(c)); n > most {
			best, most = c, n
		}
	}
	return best, nil
}

// rowMeter bounds how much is read for one row: a quote that is never closed
// would else take in the whole file.
type rowMeter struct {
	from *bufio.Reader
	left int
}

func (m *rowMeter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("a row of more than %d bytes (is a quote not closed?): %w", limits.TableRow, limits.ErrTooLarge)
	}
	n, err := m.from.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}
