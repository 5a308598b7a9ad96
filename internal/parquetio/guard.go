package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go/format"

	"github.com/groupvit/groupvit/internal/limits"
)

// The library allocates what the counts in a file say before it reads that much: a
// list of 2³¹ row groups, a page of 2 GiB. So everything that it will decode is
// walked over first, in the footer and in the header of each page that will be
// read: whatever a list claims to hold must be there, and what holding it takes is
// counted by the library's own types. Both are in Thrift's compact protocol.

var errThrift = errors.New("its metadata is broken")

// guardFooter checks the footer, which it returns: the last 8 bytes are its length
// and "PAR1".
func guardFooter(from io.ReaderAt, size int64) ([]byte, error) {
	var tail [8]byte
	if size < 12 {
		return nil, errors.New("it is too short for a Parquet file")
	}
	if _, err := from.ReadAt(tail[:], size-8); err != nil && err != io.EOF {
		return nil, err
	}
	if string(tail[4:]) != "PAR1" {
		return nil, errors.New("it does not end as a Parquet file does (encrypted ones are not read)")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-12 {
		return nil, fmt.Errorf("%w: a footer of %d bytes in a file of %d", errThrift, length, size)
	}
	if err := limits.Check("the footer in bytes", "Parquet file", length, limits.ParquetFooter, "write fewer columns and row groups"); err != nil {
		return nil, err
	}
	b := make([]byte, length)
	if _, err := from.ReadAt(b, size-8-length); err != nil && err != io.EOF {
		return nil, err
	}
	_, err := skim(b, reflect.TypeFor[format.FileMetaData](), nil)
	return b, err
}

// pageHeader is what a page's header says.
type pageHeader struct {
	kind, encoding                   int64
	uncompressed, compressed, values int64
	// levels are the bytes before the values of a page of version 2, which are never
	// compressed; plain says that its values are not either.
	levels int64
	plain  bool
}

// longestHeader is the longest header of a page: it may hold the least and the
// greatest value, which are photos.
const longestHeader = 2*limits.ShardMember + 1<<20

// pageAt reads a page's header and returns its length.
func pageAt(from io.ReaderAt, at, end int64) (length int64, p pageHeader, err error) {
	for n := int64(4096); ; n *= 16 {
		n = min(n, end-at, longestHeader)
		b := make([]byte, n)
		if _, err := from.ReadAt(b, at); err != nil && err != io.EOF {
			return 0, p, err
		}
		p = pageHeader{}
		used, err := skim(b, reflect.TypeFor[format.PageHeader](), func(path []int64, v int64) {
			switch {
			case len(path) == 1 && path[0] == 1:
				p.kind = v
			case len(path) == 1 && path[0] == 2:
				p.uncompressed = v
			case len(path) == 1 && path[0] == 3:
				p.compressed = v
			case len(path) == 2 && path[1] == 1: // num_values of any of the headers inside
				p.values = max(p.values, v)
			case len(path) == 2 && (path[0] == 5 && path[1] == 2 || path[0] == 8 && path[1] == 4):
				p.encoding = v // of a data page, version 1 or 2
			case len(path) == 2 && path[0] == 8 && (path[1] == 5 || path[1] == 6): // lengths of levels
				p.levels += v
			case len(path) == 2 && path[0] == 8 && path[1] == 7: // is_compressed
				p.plain = v == 0
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

// skim walks over a structure in Thrift's compact protocol, which the library
// decodes into a value of type t, and returns its length. found, if not nil, is
// told each whole number by the path of field numbers to it, and false as 0. It fails where what a
// length or a count claims is not there, and where the lists inside take more
// memory than [limits.ParquetMemory].
func skim(b []byte, t reflect.Type, found func(path []int64, v int64)) (int, error) {
	s := &skimmer{bytes: b, found: found}
	err := s.structure(t)
	return s.at, err
}

type skimmer struct {
	bytes  []byte
	at     int
	path   []int64 // numbers of the fields around what is read; −1 is an element of a list
	memory int64   // of the lists so far, decoded
	found  func(path []int64, v int64)
}

// fieldsOf are the types of a structure's fields by their numbers in Thrift. The
// library skips fields that its type lacks.
func fieldsOf(t reflect.Type) map[int64]reflect.Type {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	if known, ok := knownFields.Load(t); ok {
		return known.(map[int64]reflect.Type)
	}
	fields := map[int64]reflect.Type{}
	for i := range t.NumField() {
		number, _, _ := strings.Cut(t.Field(i).Tag.Get("thrift"), ",")
		if id, err := strconv.ParseInt(number, 10, 16); err == nil {
			fields[id] = t.Field(i).Type
		}
	}
	knownFields.Store(t, fields)
	return fields
}

var knownFields sync.Map // of reflect.Type

// Types of the compact protocol.
const (
	thriftTrue, thriftFalse, thriftByte    = 1, 2, 3
	thriftI16, thriftI32, thriftI64        = 4, 5, 6
	thriftDouble, thriftBinary             = 7, 8
	thriftList, thriftSet, thriftStructure = 9, 10, 12
	// deepest is the deepest nesting; Parquet's own structures reach 6 or so.
	deepest = 16
)

func (s *skimmer) structure(t reflect.Type) error {
	if len(s.path) > deepest {
		return fmt.Errorf("%w: nested too deeply", errThrift)
	}
	fields := fieldsOf(t)
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
		if kind == thriftTrue || kind == thriftFalse { // the type is the value
			if s.found != nil && kind == thriftFalse {
				s.found(append(s.path, id), 0)
			}
			continue
		}
		if err := s.value(kind, id, fields[id]); err != nil {
			return err
		}
	}
}

// value reads a value of a kind: of the field number id, or an element of a list.
func (s *skimmer) value(kind byte, id int64, t reflect.Type) error {
	s.path = append(s.path, id)
	defer func() { s.path = s.path[:len(s.path)-1] }()
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return s.skip(1)
	case thriftI16, thriftI32, thriftI64:
		v, err := s.signed()
		if err == nil && s.found != nil {
			s.found(s.path, v)
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
		return s.list(t)
	case thriftStructure:
		return s.structure(t)
	}
	return fmt.Errorf("%w: a value of type %d", errThrift, kind) // Parquet has no maps
}

func (s *skimmer) list(t reflect.Type) error {
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
	// Whatever it is, an element takes a byte at least: the walk below finds out
	// whether they are there.
	if left := uint64(len(s.bytes) - s.at); n > left {
		return fmt.Errorf("%w: a list of %d where %d bytes are left", errThrift, n, left)
	}
	var element reflect.Type
	if t != nil && t.Kind() == reflect.Slice {
		element = t.Elem()
		s.memory += int64(n) * int64(element.Size())
		if err := limits.Check("the memory that its metadata takes, in bytes", "Parquet file", s.memory, limits.ParquetMemory, "write fewer columns and row groups"); err != nil {
			return err
		}
	}
	for range n {
		if err := s.value(kind, -1, element); err != nil {
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
