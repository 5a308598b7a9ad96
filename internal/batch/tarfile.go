package batch

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is a result of a photo.
type File struct {
	// Name is its path in the tar.
	Name string
	Data []byte
}

// Tar is an output tar that can be gone on with: whatever lies behind the last
// photo of the done-log is cut off first.
type Tar struct {
	file *os.File
	end  int64
}

// OpenTar opens or begins a tar that is whole up to end.
func OpenTar(name string, end int64) (*Tar, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < end {
		err = fmt.Errorf("%w: it has %d bytes, the done-log says %d: it is not the tar of this log; remove both to begin anew", ErrList, info.Size(), end)
	}
	if err == nil {
		err = f.Truncate(end)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Tar{file: f, end: end}, nil
}

// counter counts what goes through.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// Add appends the results of a photo and returns where the tar ends then. After an
// error the tar is as it was.
func (t *Tar) Add(files []File) (end int64, err error) {
	if _, err := t.file.Seek(t.end, io.SeekStart); err != nil {
		return 0, err
	}
	c := &counter{w: t.file}
	w := tar.NewWriter(c)
	for _, f := range files {
		// No times and owners: the same photos give the same bytes.
		if err = w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Data)), Format: tar.FormatPAX}); err == nil {
			_, err = w.Write(f.Data)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = w.Flush() // pads; the two empty blocks of the end come with Close
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("%s: %w", t.file.Name(), err), t.file.Truncate(t.end))
	}
	t.end += c.n
	return t.end, nil
}

// Close writes the tar's end and closes the file.
func (t *Tar) Close() error {
	_, err := t.file.Seek(t.end, io.SeekStart)
	if err == nil {
		err = tar.NewWriter(t.file).Close()
	}
	return errors.Join(err, t.file.Close())
}
