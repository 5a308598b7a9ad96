package parquetio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/groupvit/groupvit/internal/limits"
)

type photo struct {
	Picture []byte   `parquet:"picture,optional"`
	Path    string   `parquet:"path"`
	Texts   []string `parquet:"captions,list"`
	A       int32    `parquet:"a"`
	B       int64    `parquet:"b"`
	C       float64  `parquet:"c"`
	D       bool     `parquet:"d"`
}

// photos are n rows; every seventh has no picture.
func photos(n int) []photo {
	var all []photo
	for i := range n {
		p := photo{Path: fmt.Sprintf("%d.png", i), Texts: []string{"a cat", fmt.Sprint("number ", i)}[:i%3%2+1]}
		if i%7 != 6 {
			p.Picture = bytes.Repeat([]byte{byte(i)}, 100+i)
		}
		all = append(all, p)
	}
	return all
}

// stored are rows as a file with small pages and row groups.
func stored(t testing.TB, rows []photo, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[photo](&b, append([]parquet.WriterOption{parquet.PageBufferSize(512), parquet.MaxRowsPerRowGroup(40)}, options...)...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opened(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := open("test.parquet", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestValues: any value in any order is that of its row, for every codec, version of
// pages and encoding, and any size of the cache.
func TestValues(t *testing.T) {
	rows := photos(100)
	for name, options := range map[string][]parquet.WriterOption{
		"plain":      nil,
		"version 1":  {parquet.DataPageVersion(1)},
		"snappy":     {parquet.Compression(&parquet.Snappy)},
		"zstd":       {parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1)},
		"gzip":       {parquet.Compression(&parquet.Gzip)},
		"brotli":     {parquet.Compression(&parquet.Brotli)},
		"lz4":        {parquet.Compression(&parquet.Lz4Raw)},
		"lz4, 1":     {parquet.Compression(&parquet.Lz4Raw), parquet.DataPageVersion(1)},
		"dictionary": {parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.RLEDictionary)},
		"delta":      {parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.DeltaLengthByteArray)},
	} {
		t.Run(name, func(t *testing.T) {
			f := opened(t, stored(t, rows, options...))
			column := slices.Index(f.Names(), "picture")
			for _, cache := range []int64{0, 3000, 1 << 20} {
				v, err := f.Values(column, NewCache(cache))
				if err != nil {
					t.Fatal(err)
				}
				var group sync.WaitGroup
				for worker := range 4 {
					group.Go(func() {
						for _, i := range rand.New(rand.NewPCG(uint64(worker), 1)).Perm(len(rows)) {
							got, err := v.At(int64(i))
							if err != nil || !bytes.Equal(got, rows[i].Picture) || (got == nil) != (rows[i].Picture == nil) {
								t.Errorf("row %d: %d bytes, %v, want %d", i, len(got), err, len(rows[i].Picture))
							}
						}
					})
				}
				group.Wait()
				if v.cache.used > cache && len(v.cache.pages) > 1 {
					t.Errorf("the cache of %d bytes keeps %d in %d pages", cache, v.cache.used, len(v.cache.pages))
				}
				for _, i := range []int64{-1, int64(len(rows)), 1 << 40} {
					if _, err := v.At(i); err == nil {
						t.Errorf("there is a row %d", i)
					}
				}
			}
		})
	}
}

func TestRead(t *testing.T) {
	rows := photos(100)
	f := opened(t, stored(t, rows))
	if got := strings.Join(f.Names(), " "); got != "picture path captions a b c d" || f.Rows() != 100 {
		t.Errorf("columns %s, %d rows", got, f.Rows())
	}
	n := 0
	for values, err := range f.Read(2, -1, 1) {
		if err != nil || !slices.Equal(values[0], rows[n].Texts) || values[1] != nil || values[2][0] != rows[n].Path {
			t.Errorf("row %d: %q, %v, want %q and %s", n, values, err, rows[n].Texts, rows[n].Path)
		}
		n++
	}
	if n != len(rows) {
		t.Errorf("%d rows, want %d", n, len(rows))
	}
	if _, err := f.Values(2, NewCache(0)); err == nil {
		t.Error("values of lists")
	}
	if _, err := f.Values(3, NewCache(0)); err == nil {
		t.Error("values of numbers")
	}
}

// TestGuard: whatever the footer's lists hold, they are read when they are there and
// refused from the footer alone when they are not: at once and without memory.
func TestGuard(t *testing.T) {
	// A list of one-byte structures, the shortest there can be, of the field id.
	list := func(id, claimed, there int) []byte {
		b := append([]byte{byte(id<<4 | thriftList), 0xf0 | thriftStructure}, binary.AppendUvarint(nil, uint64(claimed))...)
		return append(append(b, make([]byte, there)...), 0)
	}
	for _, c := range []struct {
		name   string
		footer []byte
		want   string
	}{
		{"row groups that are not there", list(4, 1<<31, 10), "a list of 2147483648"},
		{"one element too many", list(7, 22, 20), "its metadata is broken"},
		{"short row groups", list(4, 1<<23, 1<<23), limits.ErrTooLarge.Error()},
		{"short columns", append([]byte{4<<4 | thriftList, 0x10 | thriftStructure}, append(list(1, 1<<20, 1<<20), 0)...), limits.ErrTooLarge.Error()},
		{"entries of one byte", list(7, 20, 20), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := slices.Concat([]byte("PAR1"), c.footer, binary.LittleEndian.AppendUint32(nil, uint32(len(c.footer))), []byte("PAR1"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := guardFooter(bytes.NewReader(data), int64(len(data)))
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > uint64(len(data))+1<<20 || took > 2*time.Second {
				t.Errorf("%d bytes and %v for a file of %d bytes", used, took, len(data))
			}
		})
	}
}

// TestRowsOfNothing: rows that no bytes stand for.
func TestRowsOfNothing(t *testing.T) {
	data := stored(t, make([]photo, 50), parquet.MaxRowsPerRowGroup(50))
	// The number of rows is a zigzag number in the footer: 100 for 50.
	broken := bytes.ReplaceAll(data, []byte{0x16, 100}, []byte{0x16, 0xfe})
	if _, err := open("x", bytes.NewReader(broken), int64(len(broken))); err == nil {
		t.Error("a broken number of rows is taken")
	}
}

func FuzzParquet(f *testing.F) {
	f.Add(stored(f, photos(3)))
	f.Add(stored(f, photos(9), parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1)))
	f.Add([]byte("PAR1PAR1"))
	for _, name := range []string{"polars.parquet", "v2.parquet", "delta.parquet", "fastparquet.parquet"} {
		if b, err := os.ReadFile(filepath.Join("..", "pairs", "testdata", "parquet", name)); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { exercise(t, data) })
}

// exercise reads all of a file, whatever it holds, and returns what went wrong.
func exercise(t *testing.T, data []byte) error {
	t.Helper()
	file, err := open("fuzz.parquet", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	if n := file.Rows(); n > int64(len(data))*limits.ParquetRowsPerByte {
		t.Errorf("%d rows of %d bytes", n, len(data))
	}
	var all []int
	var failures []error
	cache := NewCache(1 << 16)
	for i := range file.Columns() {
		all = append(all, i)
		v, err := file.Values(i, cache)
		if err != nil {
			continue
		}
		for row := range min(file.Rows(), 50) {
			if _, err := v.At(file.Rows() - 1 - row); err != nil {
				failures = append(failures, err)
			}
		}
	}
	rows := int64(0)
	for _, err := range file.Read(all...) {
		if err != nil {
			failures = append(failures, err)
		}
		if rows++; rows > 100_000 {
			break
		}
	}
	return errors.Join(failures...)
}

// A file with a few wrong bytes is read or refused: no panic, no endless loop.
func TestNoise(t *testing.T) {
	good := stored(t, photos(50))
	d := rand.New(rand.NewPCG(1, 2))
	refused := 0
	const tries = 1500
	for range tries {
		data := bytes.Clone(good)
		for range 1 + d.IntN(4) {
			data[d.IntN(len(data))] = byte(d.IntN(256))
		}
		if d.IntN(4) == 0 {
			data = data[:d.IntN(len(data))]
		}
		if exercise(t, data) != nil {
			refused++
		}
	}
	t.Logf("%d of %d refused", refused, tries)
}
