package parquetio

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/groupvit/groupvit/internal/limits"
)

// page is where a page with values lies.
type page struct {
	first                int64 // row of the group
	offset, length       int64 // with its header
	uncompressed, values int64
	dictionary           bool // its values are numbers of a dictionary's
	// Of its length, header bytes are the header and levels those after it that are
	// never compressed; plain says that nothing is.
	header, levels int64
	plain          bool
}

// layout is where the pages of a column of a row group lie.
type layout struct {
	base       int64 // where the library begins to read
	dictionary *page // nil without
	pages      []page
}

// Kinds of pages and encodings, as Parquet numbers them.
const (
	dictionaryPage                    = 2
	plainDictionary, dictionaryValues = 2, 8
)

// pages checks the pages of a column of a row group and says where they lie.
func (f *File) pages(group, column int) (*layout, error) {
	groups := f.file.Metadata().RowGroups
	if group >= len(groups) || column >= len(groups[group].Columns) {
		return nil, fmt.Errorf("%w: row group %d lacks columns", errThrift, group)
	}
	m := groups[group].Columns[column].MetaData
	at := m.DataPageOffset
	if m.DictionaryPageOffset > 0 {
		at = m.DictionaryPageOffset
	}
	if at < 4 || at > m.DataPageOffset || m.TotalCompressedSize < 0 || m.TotalCompressedSize > f.size-at {
		return nil, fmt.Errorf("%w: a column from byte %d, of %d bytes, in a file of %d", errThrift, at, m.TotalCompressedSize, f.size)
	}
	l := &layout{base: at}
	row := int64(0)
	for end := at + m.TotalCompressedSize; at < end; {
		header, h, err := pageAt(f.from, at, end)
		if err != nil {
			return nil, err
		}
		if h.compressed < 0 || h.compressed > end-at-header {
			return nil, fmt.Errorf("%w: a page of %d bytes where %d are left", errThrift, h.compressed, end-at-header)
		}
		if err := limits.Check("a page in bytes, uncompressed", "Parquet file", h.uncompressed, limits.ParquetPage, "write smaller pages"); err != nil {
			return nil, err
		}
		if err := limits.Check("the values of a page", "Parquet file", h.values, limits.ParquetValues, "write smaller pages"); err != nil {
			return nil, err
		}
		if h.levels < 0 || h.levels > min(h.compressed, h.uncompressed) {
			return nil, fmt.Errorf("%w: levels of %d bytes in a page of %d", errThrift, h.levels, h.compressed)
		}
		p := page{
			first: row, offset: at, length: header + h.compressed, uncompressed: h.uncompressed, values: h.values,
			dictionary: h.encoding == plainDictionary || h.encoding == dictionaryValues,
			header:     header, levels: h.levels, plain: h.plain,
		}
		switch {
		case h.kind == dictionaryPage:
			l.dictionary = &p
		case h.values > 0: // the library does not bear empty ones, which pyarrow may write
			l.pages = append(l.pages, p)
			row += h.values
		}
		at += p.length
	}
	return l, nil
}

// Values gives the values of a column of bytes in any order. It is safe for
// concurrent use.
type Values struct {
	file   *File
	column int
	cache  *Cache
	groups []valueGroup
}

// valueGroup is a row group: where it begins, and where its pages are once something
// was read from it.
type valueGroup struct {
	first, rows int64
	mu          sync.Mutex
	layout      *layout
}

// Values opens a column that has one value a row. Pages that were read are kept in
// the cache.
func (f *File) Values(column int, cache *Cache) (*Values, error) {
	if c := f.columns[column]; !c.Bytes || c.Repeated {
		return nil, fmt.Errorf("%s: column %q: one value of bytes in each row is wanted", f.path, c.Name)
	}
	groups := f.file.RowGroups()
	v := &Values{file: f, column: column, cache: cache, groups: make([]valueGroup, len(groups))}
	row := int64(0)
	for i, g := range groups {
		v.groups[i].first, v.groups[i].rows = row, g.NumRows()
		row += g.NumRows()
	}
	return v, nil
}

// At returns the value of a row, counted from 0, nil where it is null. It must not
// be changed.
func (v *Values) At(row int64) (value []byte, err error) {
	number := sort.Search(len(v.groups), func(i int) bool { return v.groups[i].first > row }) - 1
	if row < 0 || number < 0 || row-v.groups[number].first >= v.groups[number].rows {
		return nil, fmt.Errorf("%s: there is no row %d", v.file.path, row)
	}
	err = quietly(func() error {
		l, err := v.layout(number)
		if err != nil {
			return err
		}
		row -= v.groups[number].first
		i := sort.Search(len(l.pages), func(i int) bool { return l.pages[i].first > row }) - 1
		if i < 0 || row-l.pages[i].first >= l.pages[i].values {
			return errors.New("a column has fewer values than the file has rows")
		}
		p := l.pages[i]
		all, err := v.cache.get(place{v, p.offset}, p.uncompressed, func() ([][]byte, error) { return v.read(number, l, p) })
		if err == nil {
			value = all[row-p.first]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.file.path, err)
	}
	return value, nil
}

// layout says where the pages of a row group are.
func (v *Values) layout(number int) (l *layout, err error) {
	g := &v.groups[number]
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.layout == nil {
		g.layout, err = v.file.pages(number, v.column)
	}
	return g.layout, err
}

// read decodes one page, with the dictionary that it may need.
func (v *Values) read(group int, l *layout, p page) ([][]byte, error) {
	only := []page{p}
	if p.dictionary && l.dictionary != nil {
		only = []page{*l.dictionary, p}
	}
	pages, err := v.file.chunk(group, v.column, l.base, only)
	if err != nil {
		return nil, err
	}
	defer pages.Close()
	data, err := pages.ReadPage()
	if err != nil {
		return nil, err
	}
	defer parquet.Release(data)
	all := make([][]byte, 0, p.values)
	left := limits.ParquetPage
	buffer := make([]parquet.Value, 64)
	for values := data.Values(); ; {
		n, err := values.ReadValues(buffer)
		for _, value := range buffer[:n] {
			var b []byte
			if !value.IsNull() {
				if left -= len(value.ByteArray()); left < 0 {
					return nil, fmt.Errorf("the values of a page take more than %d bytes: %w", limits.ParquetPage, limits.ErrTooLarge)
				}
				b = append([]byte{}, value.ByteArray()...)
			}
			all = append(all, b)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(len(all)) != p.values {
		return nil, fmt.Errorf("%w: a page of %d values has %d", errThrift, p.values, len(all))
	}
	return all, nil
}

// chunk lets the library read some pages of a column of a row group.
func (f *File) chunk(group, column int, base int64, pages []page) (*parquet.FilePages, error) {
	chunk, ok := f.file.RowGroups()[group].ColumnChunks()[column].(*parquet.FileColumnChunk)
	if !ok {
		return nil, errors.New("the column is not of a file")
	}
	return chunk.PagesFrom(&pageReader{from: f.from, base: base, pages: pages, codec: f.codec(column), checked: make([]bool, len(pages))}), nil
}

// pageReader shows the library a column that consists of some of its pages alone:
// else it would decode all those before the one that is wanted. It checks each before
// the library sees more than its header.
type pageReader struct {
	from    io.ReaderAt
	base    int64 // where the column begins
	pages   []page
	codec   format.CompressionCodec
	checked []bool // by page
}

// check fails where a page is longer, decompressed, than its header says.
func (r *pageReader) check(i int) error {
	if r.checked[i] || r.codec == format.Uncompressed || r.pages[i].plain {
		return nil
	}
	p := r.pages[i]
	data := make([]byte, p.length-p.header-p.levels)
	if _, err := r.from.ReadAt(data, p.offset+p.header+p.levels); err != nil && err != io.EOF {
		return err
	}
	if err := checkPacked(r.codec, data, p.uncompressed-p.levels); err != nil {
		return err
	}
	r.checked[i] = true
	return nil
}

func (r *pageReader) ReadAt(b []byte, at int64) (n int, err error) {
	begin := r.base
	for i, p := range r.pages {
		if end := begin + p.length; at < end && len(b) > 0 {
			if err := r.check(i); err != nil {
				return n, err
			}
			take := min(int64(len(b)), end-at)
			m, err := r.from.ReadAt(b[:take], p.offset+at-begin)
			n += m
			if int64(m) < take {
				return n, err
			}
			at, b = at+take, b[take:]
		}
		begin += p.length
	}
	if len(b) > 0 {
		return n, io.EOF
	}
	return n, nil
}
