package parquetio

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/groupvit/groupvit/internal/limits"
)

// File is a Parquet file whose footer was checked and read. It holds no handle: the
// file is opened again whenever something of it is read. It is safe for concurrent
// use.
type File struct {
	path    string
	from    io.ReaderAt
	size    int64
	file    *parquet.File
	columns []Column
	footer  [sha256.Size]byte
}

// Column is one of the columns that hold values.
type Column struct {
	// Name is what it is called: a list by the name of its field, a field of a
	// structure with a dot, "image.bytes".
	Name string
	// Repeated columns have a list in each row.
	Repeated bool
	// Bytes columns hold bytes; of these Text columns are said to hold UTF-8.
	Bytes, Text bool
}

// Open reads the footer of a file.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return open(path, reopening(path), info.Size())
}

// open reads the footer of what is named path in errors.
func open(path string, from io.ReaderAt, size int64) (f *File, err error) {
	err = quietly(func() error {
		footer, err := guardFooter(from, size)
		if err != nil {
			return err
		}
		file, err := parquet.OpenFile(from, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err != nil {
			return err
		}
		f = &File{path: path, from: from, size: size, file: file, columns: columnsOf(file), footer: sha256.Sum256(footer)}
		if err := limits.Check("the number of columns", "Parquet file", int64(len(f.columns)), limits.ParquetColumns, "drop some"); err != nil {
			return err
		}
		var rows int64
		for _, g := range file.RowGroups() {
			if n := g.NumRows(); n < 0 || n > size*limits.ParquetRowsPerByte-rows {
				return fmt.Errorf("%w: a row group of %d rows in a file of %d bytes", errThrift, n, size)
			}
			rows += g.NumRows()
		}
		return limits.Check("the number of rows", "Parquet file", rows, limits.TableRows, "split it")
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// reopening reads a file that it opens each time, which costs microseconds and never
// runs out of handles.
type reopening string

func (r reopening) ReadAt(p []byte, at int64) (int, error) {
	f, err := os.Open(string(r))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.ReadAt(p, at)
}

// quietly turns a panic of the library, which bad bytes can cause, into an error.
func quietly(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its data is broken: %v", p)
		}
	}()
	return work()
}

// columnsOf describes the columns that hold values.
func columnsOf(file *parquet.File) []Column {
	var out []Column
	schema := file.Schema()
	for _, path := range schema.Columns() {
		c := Column{Name: nameOf(path)}
		if leaf, ok := schema.Lookup(path...); ok {
			c.Repeated = leaf.MaxRepetitionLevel > 0
			kind := leaf.Node.Type()
			c.Bytes = kind.Kind() == parquet.ByteArray
			logical, converted := kind.LogicalType(), kind.ConvertedType()
			c.Text = c.Bytes && (logical != nil && logical.Value != nil || converted != nil)
		}
		out = append(out, c)
	}
	return out
}

// nameOf names a column: a list by the name of its field, a field of a structure
// with dots.
func nameOf(path []string) string {
	var names []string
	for i, s := range path {
		// How writers call the levels between a list and its elements.
		if i > 0 && slices.Contains([]string{"list", "element", "item", "array", "bag", "array_element"}, s) {
			continue
		}
		names = append(names, s)
	}
	return strings.Join(names, ".")
}

// Path is the file's path.
func (f *File) Path() string { return f.path }

// Columns are the columns that hold values, in their order.
func (f *File) Columns() []Column { return f.columns }

// Names are the columns' names.
func (f *File) Names() []string {
	names := make([]string, len(f.columns))
	for i, c := range f.columns {
		names[i] = c.Name
	}
	return names
}

// Rows is the number of rows.
func (f *File) Rows() int64 { return f.file.NumRows() }

// Sum is a hash of the footer, which says of every column where it lies, how large it
// is and mostly what its least and greatest values are.
func (f *File) Sum() [sha256.Size]byte { return f.footer }

// Read lists the rows: of each the values, as texts, of the columns chosen by their
// places (none for −1). A list has several values, a null none. One page of each
// column is in memory at a time. After an error there are no more rows.
func (f *File) Read(chosen ...int) iter.Seq2[[][]string, error] {
	return func(yield func([][]string, error) bool) {
		more := true
		err := quietly(func() error {
			for group := range f.file.RowGroups() {
				goOn, err := f.eachRow(group, chosen, func(values [][]string) bool {
					more = yield(values, nil)
					return more
				})
				if err != nil || !goOn {
					return err
				}
			}
			return nil
		})
		if err != nil && more {
			yield(nil, fmt.Errorf("%s: %w", f.path, err))
		}
	}
}

// eachRow reads the chosen columns of a row group beside each other, until take
// returns false.
func (f *File) eachRow(group int, chosen []int, take func([][]string) bool) (goOn bool, err error) {
	rows := f.file.RowGroups()[group].NumRows()
	if rows == 0 {
		return true, nil // with pages or without: writers differ
	}
	readers := make([]*columnReader, len(chosen))
	for i, c := range chosen {
		if c < 0 {
			continue
		}
		l, err := f.pages(group, c)
		if err != nil {
			return false, err
		}
		pages := l.pages
		if l.dictionary != nil {
			pages = append([]page{*l.dictionary}, pages...)
		}
		chunk, err := f.chunk(group, c, l.base, pages)
		if err != nil {
			return false, err
		}
		readers[i] = &columnReader{pages: chunk}
		defer readers[i].close()
	}
	for range rows {
		values := make([][]string, len(chosen))
		for i, r := range readers {
			if r == nil {
				continue
			}
			if values[i], err = r.row(); err != nil {
				return false, err
			}
		}
		if !take(values) {
			return false, nil
		}
	}
	return true, nil
}

// columnReader reads a column row by row.
type columnReader struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buffer [64]parquet.Value
	have   []parquet.Value
}

// row returns the values of the next row.
func (c *columnReader) row() (out []string, err error) {
	for first := true; ; first = false {
		if len(c.have) == 0 {
			switch err := c.fill(); {
			case err == io.EOF && first:
				return nil, errors.New("a column has fewer values than the file has rows")
			case err == io.EOF:
				return out, nil
			case err != nil:
				return nil, err
			}
		}
		v := c.have[0]
		if !first && v.RepetitionLevel() == 0 {
			return out, nil // it begins the next row
		}
		c.have = c.have[1:]
		switch {
		case v.IsNull():
		case v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray:
			if err := checkValue(len(v.ByteArray())); err != nil {
				return nil, err
			}
			out = append(out, string(v.ByteArray()))
		default:
			out = append(out, v.String())
		}
		if len(out) > limits.Captions {
			return nil, fmt.Errorf("a list of more than %d values: %w", limits.Captions, limits.ErrTooLarge)
		}
	}
}

// checkValue refuses a value that is too large.
func checkValue(size int) error {
	return limits.Check("a value in bytes", "Parquet file", int64(size), limits.ShardMember, "leave it out")
}

// fill reads further values, at least one.
func (c *columnReader) fill() error {
	for {
		if c.values != nil {
			n, err := c.values.ReadValues(c.buffer[:])
			if c.have = c.buffer[:n]; n > 0 {
				return nil
			}
			if err != nil && err != io.EOF {
				return err
			}
			parquet.Release(c.page)
			c.page, c.values = nil, nil
		}
		page, err := c.pages.ReadPage()
		if err == io.EOF {
			return io.EOF
		}
		if err != nil {
			return err
		}
		c.page, c.values = page, page.Values()
	}
}

func (c *columnReader) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	_ = c.pages.Close() // only read
}
