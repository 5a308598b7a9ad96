package pairs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/groupvit/groupvit/internal/limits"
)

// The library allocates what the counts in a Parquet file say, before it reads
// that much: a list of 2³¹ row groups, a page of 2 GiB. So the counts are looked
// at first, in the footer and in the header of each page that will be read. Both
// are in Thrift's compact protocol.

var errThrift = errors.New("its metadata is broken")

// guardFooter checks the footer: the last 8 bytes are its length and "PAR1".
func guardFooter(from io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < 12 {
		return errors.New("it is too short for a Parquet file")
	}
	if _, err := from.ReadAt(tail[:], size-8); err != nil && err != io.EOF {
		return err
	}
	if string(tail[4:]) != "PAR1" {
		return errors.New("it does not end as a Parquet file does (encrypted ones are not read)")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-12 {
		return fmt.Errorf("%w: a footer of %d bytes in a file of %d", errThrift, length, size)
	}
	if err := limits.Check("the footer in bytes", "Parquet file", length, limits.ParquetFooter, "write fewer columns and row groups"); err != nil {
		return err
	}
	b := make([]byte, length)
	if _, err := from.ReadAt(b, size-8-length); err != nil && err != io.EOF {
		return err
	}
	_, err := skim(b, nil)
	return err
}

// guardPages checks the pages of a column of a row group.
func guardPages(from io.ReaderAt, size int64, file *parquet.File, group, column int) error {
	groups := file.Metadata().RowGroups
	if group >= len(groups) || column >= len(groups[group].Columns) {
		return fmt.Errorf("%w: row group %d lacks columns", errThrift, group)
	}
	m := groups[group].Columns[column].MetaData
	at := m.DataPageOffset
	if m.DictionaryPageOffset > 0 {
		at = m.DictionaryPageOffset
	}
	if at < 4 || at > m.DataPageOffset || m.TotalCompressedSize < 0 || m.TotalCompressedSize > size-at {
		return fmt.Errorf("%w: a column from byte %d, of %d bytes, in a file of %d", errThrift, at, m.TotalCompressedSize, size)
	}
	for end := at + m.TotalCompressedSize; at < end; {
		header, p, err := pageAt(from, at, end)
		if err != nil {
			return err
		}
		if p.compressed < 0 || p.compressed > end-at-header {
			return fmt.Errorf("%w: a page of %d bytes where %d are left", errThrift, p.compressed, end-at-header)
		}
		if err := limits.Check("a page in bytes, uncompressed", "Parquet file", p.uncompressed, limits.ParquetPage, "write smaller pages"); err != nil {
			return err
		}
		if err := limits.Check("the values of a page", "Parquet file", p.values, limits.ParquetValues, "write smaller pages"); err != nil {
			return err
		}
		at += header + p.compressed
	}
	return nil
}

// pageSizes is what a page's header says.
type pageSizes struct{ uncompressed, compressed, values int64 }

// longestHeader is the longest header of a page: it may hold the least and the
// greatest value.
const longestHeader = 1 << 20

// pageAt reads a page's header and returns its length.
func pageAt(from io.ReaderAt, at, end int64) (length int64, p pageSizes, err error) {
	for n := int64(4096); ; n *= 16 {
		n = min(n, end-at, longestHeader)
		b := make([]byte, n)
		if _, err := from.ReadAt(b, at); err != nil && err != io.EOF {
			return 0, p, err
		}
		p = pageSizes{}
		used, err := skim(b, func(path []int64, v int64) {
			switch {
			case len(path) == 1 && path[0] == 2:
				p.uncompressed = v
			case len(path) == 1 && path[0] == 3:
				p.compressed = v
			case len(path) == 2 && path[1] == 1: // num_values of any of the headers inside
				p.values = max(p.values, v)
			}
		})
		if err == nil {
			return int64(used), p, nil
		}
		if n == min(end-at, longestHeader) {
			return 0, p, err
		}
	}
}

// skim walks over a structure in Thrift's compact protocol and returns its length.
// found, if not nil, is told each whole number by the path of field numbers to it.
// It fails where a length or a count is more than the bytes that are left could
// hold.
func skim(b []byte, found func(path []int64, v int64)) (int, error) {
	s := &skimmer{bytes: b, found: found}
	err := s.structure(nil)
	return s.at, err
}

type skimmer struct {
	bytes []byte
	at    int
	found func(path []int64, v int64)
}

// Types of the compact protocol.
const (
	thriftTrue, thriftFalse, thriftByte    = 1, 2, 3
	thriftI16, thriftI32, thriftI64        = 4, 5, 6
	thriftDouble, thriftBinary             = 7, 8
	thriftList, thriftSet, thriftStructure = 9, 10, 12
	// deepest is the deepest nesting; Parquet's own structures reach 6 or so.
	deepest = 16
	// leastStructure is the least length of a structure in a list: one field and the
	// end. Each takes some hundred bytes of memory.
	leastStructure = 4
)

func (s *skimmer) structure(path []int64) error {
	if len(path) > deepest {
		return fmt.Errorf("%w: nested too deeply", errThrift)
	}
	id := int64(0)
	for {
		head, err := s.byte()
		if err != nil || head == 0 {
			return err
		}
		if delta := head >> 4; delta != 0 {
			id += int64(delta)
		} else if id, err = s.signed(); err != nil {
			return err
		}
		kind := head & 15
		if kind == thriftTrue || kind == thriftFalse {
			continue // the type is the value
		}
		if err := s.value(kind, append(path[:len(path):len(path)], id)); err != nil {
			return err
		}
	}
}

func (s *skimmer) value(kind byte, path []int64) error {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return s.skip(1)
	case thriftI16, thriftI32, thriftI64:
		v, err := s.signed()
		if err == nil && s.found != nil {
			s.found(path, v)
		}
		return err
	case thriftDouble:
		return s.skip(8)
	case thriftBinary:
		n, err := s.unsigned()
		if err != nil {
			return err
		}
		return s.skip(n)
	case thriftList, thriftSet:
		return s.list(path)
	case thriftStructure:
		return s.structure(path)
	}
	return fmt.Errorf("%w: a value of type %d", errThrift, kind) // Parquet has no maps
}

func (s *skimmer) list(path []int64) error {
	head, err := s.byte()
	if err != nil {
		return err
	}
	n, kind := uint64(head>>4), head&15
	if n == 15 {
		if n, err = s.unsigned(); err != nil {
			return err
		}
	}
	least := uint64(1)
	if kind == thriftStructure {
		least = leastStructure
	}
	if left := uint64(len(s.bytes) - s.at); n > left/least+1 {
		return fmt.Errorf("%w: a list of %d where %d bytes are left", errThrift, n, left)
	}
	for range n {
		if err := s.value(kind, append(path[:len(path):len(path)], -1)); err != nil {
			return err
		}
	}
	return nil
}

func (s *skimmer) byte() (byte, error) {
	if s.at >= len(s.bytes) {
		return 0, fmt.Errorf("%w: it ends too early", errThrift)
	}
	s.at++
	return s.bytes[s.at-1], nil
}

func (s *skimmer) skip(n uint64) error {
	if n > uint64(len(s.bytes)-s.at) {
		return fmt.Errorf("%w: it ends too early", errThrift)
	}
	s.at += int(n)
	return nil
}

func (s *skimmer) unsigned() (uint64, error) {
	v, n := binary.Uvarint(s.bytes[s.at:])
	if n <= 0 {
		return 0, fmt.Errorf("%w: a number does not end", errThrift)
	}
	s.at += n
	return v, nil
}

// signed is a zigzag number.
func (s *skimmer) signed() (int64, error) {
	v, err := s.unsigned()
	return int64(v>>1) ^ -int64(v&1), err
}
