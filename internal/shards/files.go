package shards

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/groupvit/groupvit/internal/limits"
)

// Part is where one file lies.
type Part struct {
	// File is the number of the file that holds it, −1 for none.
	File int32
	// Size and Offset are in bytes.
	Size   int32
	Offset int64
}

// None is no part.
var None = Part{File: -1}

// Files are the files in which parts lie. What lies in compressed shards is unpacked
// into a temporary file when they are listed, since nothing can be read from their
// middle. Its methods that add files may not be called at the same time as others.
type Files struct {
	paths []string
	// packed marks compressed shards; unpacked holds what was in them.
	packed   map[int32]bool
	unpacked *os.File
	end      int64
}

// Add adds a file and returns its number.
func (f *Files) Add(path string) int32 {
	f.paths = append(f.paths, path)
	return int32(len(f.paths) - 1)
}

// Path is the path of a file.
func (f *Files) Path(number int32) string { return f.paths[number] }

// Read reads a part. A file is opened each time, which costs microseconds and never
// runs out of handles. Errors wrap [ErrRead].
func (f *Files) Read(p Part) ([]byte, error) {
	b := make([]byte, p.Size)
	from := f.unpacked
	if !f.packed[p.File] {
		file, err := os.Open(f.paths[p.File])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRead, err)
		}
		defer file.Close()
		from = file
	}
	if _, err := from.ReadAt(b, p.Offset); err != nil && p.Size != 0 {
		return nil, fmt.Errorf("%w: %w", ErrRead, err)
	}
	return b, nil
}

// Member is a file of a shard or folder and where it lies.
type Member struct {
	Name string
	Part
}

// Tar lists the files of a tar shard that samples consist of (see [Group]); others
// are counted in left. A member that is too large gives an error that wraps [ErrSize]
// beside its name, and the list goes on; other errors end it, see [Entries].
func (f *Files) Tar(ctx context.Context, path string, left *LeftOut) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		number := f.Add(path)
		for e, err := range Entries(ctx, path, left) {
			m := Member{Part: None}
			if e.Header != nil {
				m.Name = e.Header.Name
			}
			switch {
			case err != nil:
				yield(m, err)
				return
			case !wanted(m.Name) && !unread(m.Name):
				left.AddFile(m.Name)
				continue
			case e.Header.Size > limits.ShardMember:
				err = fmt.Errorf("%w: %s has %d bytes, the limit of one file is %d", ErrSize, m.Name, e.Header.Size, limits.ShardMember)
			default:
				m.Part = Part{number, int32(e.Header.Size), e.Offset}
				if e.Offset < 0 && wanted(m.Name) {
					if m.Offset, err = f.unpack(number, e); err != nil {
						yield(m, err)
						return
					}
				}
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// unpack appends a member of a compressed shard to the temporary file.
func (f *Files) unpack(number int32, e *Entry) (offset int64, err error) {
	if f.unpacked == nil {
		file, err := os.CreateTemp("", "groupvit-shards-")
		if err != nil {
			return 0, fmt.Errorf("%w: a place to unpack to: %w", ErrRead, err)
		}
		// Without a name it goes with the process; where that cannot be, the system
		// cleans its temporary folder.
		_ = os.Remove(file.Name())
		f.unpacked, f.packed = file, map[int32]bool{}
	}
	f.packed[number] = true
	offset = f.end
	n, err := io.Copy(io.NewOffsetWriter(f.unpacked, offset), e)
	f.end += n
	if err != nil {
		err = fmt.Errorf("%w: inside %s: %w", ErrShard, e.Header.Name, err)
	}
	return offset, err
}
