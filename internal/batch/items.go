// Package batch is the bookkeeping of runs over very many photos: which there are
// (a list of paths, or tar shards), which of them one of several workers does, what
// their results are called, and what is done already, so that a run that was killed
// goes on where it was.
package batch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrList is wrapped by errors about a list of photos or a shard.
var ErrList = errors.New("bad list of photos")

// Item is a photo to do.
type Item struct {
	// Photo says which it is, to people: a path as it was given, or SHARD/MEMBER.
	Photo string
	// ID is what the done-log knows it by, the same in every run.
	ID string
	// Name is what its results are called, without an ending: a path with
	// slashes below the output, the same in every run and for every worker.
	Name string
	// Renamed reports that Name is not the photo's own, since another has that.
	Renamed bool
	// File is its path on this machine, "" for a member of a shard.
	File string
	// Relative is its path below the folder or the shard that it comes from, with
	// slashes; of a line of a manifest the line itself.
	Relative string
	// Stamp tells whether the file has changed since another run: its size and time.
	// "" where neither is known.
	Stamp string
	// Read returns the file's bytes.
	Read func() ([]byte, error)
}

// fileItem is the item of a file; its Name is still to be given.
func fileItem(photo, id, relative string) Item {
	item := Item{Photo: photo, ID: id, File: photo, Relative: relative, Read: func() ([]byte, error) { return ReadFile(photo) }}
	if info, err := os.Stat(photo); err == nil {
		item.Stamp = stamp(info)
	}
	return item
}

// stamp is the [Item.Stamp] of a file.
func stamp(info fs.FileInfo) string {
	return fmt.Sprintf("%d bytes, %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
}

// failed is an item that cannot be read, for a reason.
func failed(item Item, err error) Item {
	item.Read = func() ([]byte, error) { return nil, err }
	return item
}

// Part is the share of one worker: of every N photos (or shards) the one numbered
// I, counted from 0.
type Part struct{ I, N int }

// ParsePart reads "i/n", 0 ≤ i < n.
func ParsePart(s string) (Part, error) {
	a, b, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || i < 0 || n < 1 || i >= n || n > limits.Workers {
		return Part{}, fmt.Errorf("%q is no share: give i/n with 0 ≤ i < n ≤ %d, as 0/16", s, limits.Workers)
	}
	return Part{i, n}, nil
}

// has reports whether the k-th thing is this worker's.
func (p Part) has(k int) bool { return k%p.N == p.I }

// String is as [ParsePart] reads it.
func (p Part) String() string { return fmt.Sprintf("%d/%d", p.I, p.N) }

// MostBytes is the size of the largest file that is read as a photo.
const MostBytes = limits.ImageBytes

// ReadFile reads a photo of the disk.
func ReadFile(photo string) ([]byte, error) {
	info, err := os.Stat(photo)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its other end, for ever
		return nil, fmt.Errorf("%s: it is not a regular file", photo)
	}
	f, err := os.Open(photo)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkBytes(photo, info.Size()); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, MostBytes))
}

func checkBytes(photo string, size int64) error {
	return limits.Check("the size in bytes", photo, size, MostBytes, "save it smaller")
}
