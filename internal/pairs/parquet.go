package pairs

import (
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

// parquetRows lists the rows of a Parquet file that holds paths.
func (o TableOptions) parquetRows(path string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		choose := func(columns []string) ([]int, error) {
			image, caption, err := o.columnsOf(path, columns)
			return []int{image, caption}, err
		}
		for values, err := range parquetValues(path, choose) {
			var r row
			if err == nil {
				r.path = strings.TrimSpace(strings.Join(values[0], ""))
				for _, v := range values[1] {
					r.captions = append(r.captions, texts(v)...)
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// parquetValues lists the rows of a Parquet file: of each the values, as texts, of
// the columns that choose names by their places in the list (none for −1). A list
// has several values, a null none. After an error there are no more rows.
func parquetValues(path string, choose func(columns []string) ([]int, error)) iter.Seq2[[][]string, error] {
	return func(yield func([][]string, error) bool) {
		more := true
		err := quietly(func() error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return err
			}
			return eachParquetRow(f, info.Size(), choose, func(values [][]string) bool {
				more = yield(values, nil)
				return more
			})
		})
		if err != nil && more {
			yield(nil, fmt.Errorf("%w: %s: %w", ErrTable, path, err))
		}
	}
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

// eachParquetRow reads a file row group by row group until take returns false.
func eachParquetRow(from io.ReaderAt, size int64, choose func([]string) ([]int, error), take func([][]string) bool) error {
	if err := guardFooter(from, size); err != nil {
		return err
	}
	file, err := parquet.OpenFile(from, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	leaves := file.Schema().Columns()
	if err := limits.Check("the number of columns", "Parquet file", int64(len(leaves)), limits.ParquetColumns, "drop some"); err != nil {
		return err
	}
	chosen, err := choose(leafNames(leaves))
	if err != nil {
		return err
	}
	for i, group := range file.RowGroups() {
		for _, c := range chosen {
			if c < 0 {
				continue
			}
			if err := guardPages(from, size, file, i, c); err != nil {
				return err
			}
		}
		if goOn, err := eachGroupRow(group, chosen, take); err != nil || !goOn {
			return err
		}
	}
	return nil
}

// leafNames names the columns: a list by the name of its field, a field of a
// structure with dots.
func leafNames(leaves [][]string) []string {
	var names []string
	for _, path := range leaves {
		path = slices.DeleteFunc(slices.Clone(path), func(s string) bool {
			return s == "list" || s == "element" || s == "item" || s == "array" || s == "bag"
		})
		names = append(names, strings.Join(path, "."))
	}
	return names
}

// eachGroupRow reads the chosen columns of a row group beside each other.
func eachGroupRow(group parquet.RowGroup, chosen []int, take func([][]string) bool) (goOn bool, err error) {
	readers := make([]*columnReader, len(chosen))
	for i, c := range chosen {
		if c >= 0 {
			readers[i] = &columnReader{pages: group.ColumnChunks()[c].Pages()}
			defer readers[i].close()
		}
	}
	for range group.NumRows() {
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
			if err := limits.Check("a value in bytes", "Parquet file", int64(len(v.ByteArray())), limits.ShardMember, "leave it out"); err != nil {
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
