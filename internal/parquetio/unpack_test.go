package parquetio

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/groupvit/groupvit/internal/limits"
)

// A page may become as long as its header says and no longer, and broken data is an
// error, at once and without the memory that it asks for.
func TestPacked(t *testing.T) {
	const most = 1000
	for _, codec := range []compress.Codec{&parquet.Snappy, &parquet.Gzip, &parquet.Brotli, &parquet.Zstd, &parquet.Lz4Raw} {
		pack := func(n int) []byte {
			b, err := codec.Encode(nil, bytes.Repeat([]byte("x"), n))
			if err != nil {
				t.Fatal(err)
			}
			return bytes.Clone(b)
		}
		number := codec.CompressionCodec()
		for _, n := range []int{1, 500, most} {
			if err := checkPacked(number, pack(n), most); err != nil {
				t.Errorf("%v: %d bytes: %v", codec, n, err)
			}
		}
		bomb := pack(64 << 20)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := checkPacked(number, bomb, most)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%v: 64 MiB are taken for %d bytes", codec, most)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 40<<20 {
			t.Errorf("%v: %d bytes of memory for a page of %d", codec, used, most)
		}
		// Snappy's length alone is looked at: the library checks the rest against it.
		if broken := pack(most); number != parquet.Snappy.CompressionCodec() && checkPacked(number, broken[:len(broken)/2], most) == nil {
			t.Errorf("%v: half of its data is taken", codec)
		}
	}
}

// Files whose page header says less than the page holds are refused, by every way of
// reading them.
func TestPackedFile(t *testing.T) {
	rows := []photo{{Picture: bytes.Repeat([]byte("x"), 5<<20), Texts: []string{"a"}, Path: "b"}}
	data := stored(t, rows, parquet.Compression(&parquet.Gzip), parquet.DataPageVersion(1))
	f := opened(t, data)
	l, err := f.pages(0, 0)
	if err != nil || len(l.pages) != 1 {
		t.Fatal(l, err)
	}
	p := l.pages[0]
	p.uncompressed = 1000
	v, err := f.Values(0, NewCache(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.read(0, l, p); !errors.Is(err, limits.ErrTooLarge) || !strings.Contains(err.Error(), "GZIP") {
		t.Errorf("a page of 5 MiB whose header says 1000 bytes: %v", err)
	}
}
