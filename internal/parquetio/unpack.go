package parquetio

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"

	"github.com/groupvit/groupvit/internal/limits"
)

// The library decompresses a page into as much memory as it takes, whatever the page's
// header says: a few kilobytes of gzip may be gigabytes, and broken LZ4 lets it double
// its buffer without end. So each page is decompressed here first, into no more than
// its header says.

// codec is how the pages of a column are compressed: as the library has it, that of the
// first row group.
func (f *File) codec(column int) format.CompressionCodec {
	return f.file.Metadata().RowGroups[0].Columns[column].MetaData.Codec
}

// smallZstd is how much a page of Zstandard may always take: the decoder's least
// window.
const smallZstd = 8 << 20

// checkPacked fails where compressed data is broken or becomes longer than a number of
// bytes. What the library knows no codec for is left to it.
func checkPacked(codec format.CompressionCodec, data []byte, most int64) error {
	n, err := int64(0), error(nil)
	switch codec {
	case format.Snappy:
		var size int
		size, err = snappy.DecodedLen(data)
		n = int64(size)
	case format.Gzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(data)); err == nil {
			n, err = io.Copy(io.Discard, io.LimitReader(r, most+1))
		}
	case format.Brotli:
		n, err = io.Copy(io.Discard, io.LimitReader(brotli.NewReader(bytes.NewReader(data)), most+1))
	case format.Zstd:
		n, err = zstdSize(data, most)
	case format.Lz4Raw:
		_, err = lz4.UncompressBlock(data, make([]byte, most))
	}
	if err == nil && n > most {
		err = fmt.Errorf("it is longer than its header says, %d bytes: %w", most, limits.ErrTooLarge)
	}
	if err != nil {
		return fmt.Errorf("decompressing a page (%v): %w", codec, err)
	}
	return nil
}

// zstdSize is the size of data that Zstandard compressed.
func zstdSize(data []byte, most int64) (int64, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max(most, smallZstd))))
	if err != nil {
		return 0, err
	}
	defer d.Close()
	b, err := d.DecodeAll(data, nil)
	return int64(len(b)), err
}
