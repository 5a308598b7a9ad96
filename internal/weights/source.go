package weights

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/weights/safetensors"
	"github.com/groupvit/groupvit/internal/weights/torchfile"
)

// openReaderAt opens a file for reading at any place; a file system that cannot
// do that has the file read into memory.
func openReaderAt(fsys fs.FS, name string) (r io.ReaderAt, size int64, closeFile func() error, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is no regular file", ErrWeights, name)
	}
	if err == nil {
		err = limits.Check("the size in bytes", name, info.Size(), limits.WeightsBytes, "use a smaller model")
	}
	if err != nil {
		f.Close()
		return nil, 0, nil, err
	}
	if at, ok := f.(io.ReaderAt); ok {
		return at, info.Size(), f.Close, nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, info.Size()))
	return bytes.NewReader(b), int64(len(b)), func() error { return nil }, err
}

// source is a file of tensors.
type source interface {
	names() []string
	shape(name string) []int
	floats(name string) ([]float32, error)
}

// sniff recognises the format by the first bytes.
func sniff(r io.ReaderAt, size int64) (source, error) {
	start := make([]byte, min(foreignBytes, size))
	n, _ := r.ReadAt(start, 0)
	start = start[:n]
	if what := foreign(start, size); what != "" {
		return nil, fmt.Errorf("%w: it is %s", ErrWeights, what)
	}
	switch head := start[:min(n, 9)]; {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		f, err := torchfile.Read(r, size)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWeights, err)
		}
		return torchSource{f}, nil
	case len(head) >= 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 && (len(head) < 9 || start[8] != '{'):
		return nil, fmt.Errorf("%w: a file in the format of torch before 1.6, or a bare pickle: "+
			"load it with torch in a place you trust and save it again with torch.save", ErrWeights)
	case len(head) == 9 && start[8] == '{':
		f, err := safetensors.Read(r, size)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWeights, err)
		}
		return safeSource{f}, nil
	}
	if isText(start) {
		return nil, fmt.Errorf("%w: neither safetensors nor a zip file as torch.save writes, but a text that begins with %.80q", ErrWeights, start)
	}
	// Perhaps a damaged safetensors file: its own errors say what is wrong.
	if _, err := safetensors.Read(r, size); err != nil {
		return nil, fmt.Errorf("%w: neither safetensors (%w) nor a zip file as torch.save writes", ErrWeights, err)
	}
	return nil, fmt.Errorf("%w: unknown format", ErrWeights)
}

type safeSource struct{ file *safetensors.File }

func (s safeSource) names() []string {
	var names []string
	for _, t := range s.file.Tensors() {
		names = append(names, t.Name)
	}
	return names
}

func (s safeSource) shape(name string) []int {
	t, _ := s.file.Lookup(name)
	return t.Shape
}

func (s safeSource) floats(name string) ([]float32, error) { return s.file.Floats(name) }

type torchSource struct{ file *torchfile.File }

func (s torchSource) names() []string                       { return s.file.Names() }
func (s torchSource) shape(name string) []int               { return s.file.Shape(name) }
func (s torchSource) floats(name string) ([]float32, error) { return s.file.Floats(name) }
