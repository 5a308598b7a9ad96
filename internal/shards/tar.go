package shards

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// What may be wrong with a shard or a file in it.
var (
	ErrShard = errors.New("broken or cut shard")
	ErrRead  = errors.New("not readable")
	ErrSize  = errors.New("larger than the limit")
)

// Entry is a file in a shard, whose content can be read until the next entry is asked
// for.
type Entry struct {
	// Header is that of the tar.
	Header *tar.Header
	// Offset is where the content lies in the shard, −1 in a compressed one.
	Offset int64
	from   io.Reader
}

// Read reads the content.
func (e *Entry) Read(b []byte) (int, error) { return e.from.Read(b) }

// Entries lists the regular files of a tar shard in their order; one that gzip
// compressed is told by its first bytes. Several tars written one after the other
// (cat a.tar b.tar) are read to the last. Links, hidden files and what macOS adds are
// counted in left.
//
// An error ends the list. It comes beside the entry that it cuts, if any, and wraps
// [ErrRead] or [ErrShard].
func Entries(ctx context.Context, name string, left *LeftOut) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		t, err := openTar(name)
		if err != nil {
			yield(&Entry{}, err)
			return
		}
		defer t.file.Close()
		for ctx.Err() == nil {
			h, err := t.next()
			if err == io.EOF {
				return
			}
			e := &Entry{Header: h, Offset: -1, from: t.tar}
			if err == nil && !t.compressed {
				e.Offset, err = t.place(h)
			}
			if err != nil {
				yield(e, err)
				return
			}
			if !skipped(h, left) && !yield(e, nil) {
				return
			}
		}
	}
}

// skipped reports whether a member is not used because of what it is.
func skipped(h *tar.Header, left *LeftOut) bool {
	switch base := path.Base(h.Name); {
	case h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader:
		return true // no files
	case h.Typeflag == tar.TypeLink || h.Typeflag == tar.TypeSymlink:
		left.Add(KindLink)
		return true
	case h.Typeflag != tar.TypeReg || h.PAXRecords["GNU.sparse.major"] != "":
		left.Add(KindSpecial)
		return true
	case strings.HasPrefix(base, "."):
		left.AddFile(base)
		return true
	}
	return false
}

// tarFile is a shard that is being read.
type tarFile struct {
	file       *os.File
	size       int64
	compressed bool
	stream     io.Reader // what the tars are read from
	tar        *tar.Reader
	members    int
}

// foreign are the first bytes of what is no tar, and what it is.
var foreign = []struct{ magic, what string }{
	{"\x28\xb5\x2f\xfd", "compressed by Zstandard: unpack it with zstd -d, or compress it by gzip"},
	{"BZh", "compressed by bzip2: unpack it with bunzip2, or compress it by gzip"},
	{"\xfd7zXZ\x00", "compressed by xz: unpack it with unxz, or compress it by gzip"},
	{"PK\x03\x04", "a ZIP file: unpack it into a folder"},
	{"PAR1", "a Parquet file: call it .parquet"},
}

func openTar(name string) (*tarFile, error) {
	info, err := os.Stat(name) // first: opening a pipe would wait for its other end, for ever
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRead, err)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRead, err)
	}
	t := &tarFile{file: f, size: info.Size(), stream: f}
	if err := t.begin(); err != nil {
		f.Close()
		return nil, err
	}
	t.tar = tar.NewReader(t.stream)
	return t, nil
}

// begin looks at the first bytes.
func (t *tarFile) begin() error {
	head := make([]byte, 512)
	n, err := t.file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("%w: %w", ErrRead, err)
	}
	head = head[:n]
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return fmt.Errorf("%w: it is %s", ErrShard, f.what)
		}
	}
	if !bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		return nil
	}
	t.compressed = true
	z, err := gzip.NewReader(t.file)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrShard, err)
	}
	t.stream = &bounded{from: z, left: limits.PackedRatio*t.size + limits.ShardMember, size: t.size}
	return nil
}

// bounded ends a stream that becomes much longer than what was compressed.
type bounded struct {
	from       io.Reader
	left, size int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%d compressed bytes unpack to more than %d times as many: %w", b.size, limits.PackedRatio, limits.ErrTooLarge)
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// next reads the next header, of this tar or of the one that follows.
func (t *tarFile) next() (*tar.Header, error) {
	for {
		h, err := t.tar.Next()
		switch {
		case err == nil:
			t.members++
			return h, nil
		case err != io.EOF:
			return nil, fmt.Errorf("%w: %w", ErrShard, err)
		}
		if more, err := t.following(); err != nil || !more {
			return nil, err
		}
	}
}

// following looks for another tar behind the end of one. At the end of the file it
// returns [io.EOF], or an error where the file does not end as tars do.
func (t *tarFile) following() (bool, error) {
	block := make([]byte, 512)
	zeros := make([]byte, 512)
	for {
		switch n, err := io.ReadFull(t.stream, block); {
		case err == io.EOF, err == io.ErrUnexpectedEOF && bytes.Equal(block[:n], zeros[:n]):
			return false, t.atEnd()
		case err == io.ErrUnexpectedEOF:
			return false, fmt.Errorf("%w: %d bytes behind its end are no tar", ErrShard, n)
		case err != nil:
			return false, fmt.Errorf("%w: %w", ErrShard, err)
		}
		if bytes.Equal(block, zeros) {
			continue
		}
		if t.compressed {
			t.stream = io.MultiReader(bytes.NewReader(block), t.stream)
		} else if _, err := t.file.Seek(-int64(len(block)), io.SeekCurrent); err != nil {
			return false, fmt.Errorf("%w: %w", ErrRead, err)
		}
		t.tar = tar.NewReader(t.stream)
		return true, nil
	}
}

// atEnd returns [io.EOF] where the file ends with a block of zeros, as every tar does
// that was written to its end.
func (t *tarFile) atEnd() error {
	if t.compressed {
		return io.EOF // gzip has a checksum and an end of its own
	}
	block := make([]byte, 512)
	if t.size >= int64(len(block)) {
		if _, err := t.file.ReadAt(block, t.size-int64(len(block))); err == nil && bytes.Equal(block, make([]byte, len(block))) {
			return io.EOF
		}
	}
	return fmt.Errorf("%w: it ends at byte %d without the mark of a tar's end", ErrShard, t.size)
}

// place is where the content of a member begins; an error says that the file ends
// before it does.
func (t *tarFile) place(h *tar.Header) (int64, error) {
	at, err := t.file.Seek(0, io.SeekCurrent) // the reader takes whole headers and no more
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrRead, err)
	}
	if h.Typeflag == tar.TypeReg && h.Size > t.size-at {
		return 0, fmt.Errorf("%w: it ends at byte %d, inside %s, which ends at %d", ErrShard, t.size, h.Name, at+h.Size)
	}
	return at, nil
}
