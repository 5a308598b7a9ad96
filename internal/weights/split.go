package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// indexSuffix ends the name of the index of weights in several files.
const indexSuffix = ".index.json"

// maxParts is the largest number of files that weights may be split into.
const maxParts = 64

// weightFiles are the open files that the weights of a model lie in.
type weightFiles struct {
	source
	size  int64 // of all together
	hash  hash.Hash
	close []func() error
}

// openWeights opens the weight file name of a directory, or, where it is an index,
// the files that it names.
func openWeights(fsys fs.FS, dir, name string) (*weightFiles, error) {
	w := &weightFiles{hash: sha256.New()}
	if !strings.HasSuffix(name, indexSuffix) {
		s, err := w.add(fsys, dir, name)
		w.source = s
		return w, err
	}
	index, err := readIndex(fsys, dir, name)
	if err != nil {
		return w, err
	}
	parts := map[string]source{}
	for _, file := range slices.Sorted(maps.Keys(index.tensors)) {
		if parts[file], err = w.add(fsys, dir, file); err != nil {
			return w, err
		}
	}
	w.source, err = joinParts(name, index.tensors, parts)
	return w, err
}

// add opens one file and adds it to the size and the hash.
func (w *weightFiles) add(fsys fs.FS, dir, name string) (source, error) {
	r, size, closeFile, err := openReaderAt(fsys, path.Join(dir, name))
	if err != nil {
		return nil, err
	}
	w.close = append(w.close, closeFile)
	if w.size += size; w.size > limits.WeightsBytes {
		return nil, limits.Check("the size in bytes of all weight files", dir, w.size, limits.WeightsBytes, "use a smaller model")
	}
	s, err := sniff(r, size)
	if err == nil {
		_, err = io.Copy(w.hash, io.NewSectionReader(r, 0, size))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// sum is the SHA-256 of the file, or of all files one after the other by name.
func (w *weightFiles) sum() string { return hex.EncodeToString(w.hash.Sum(nil)) }

func (w *weightFiles) closeAll() {
	for _, f := range w.close {
		_ = f() // only read
	}
}

// weightIndex is what an index says: the names of each file's tensors.
type weightIndex struct{ tensors map[string][]string }

// readIndex reads an index and makes sure that every file it names is there.
func readIndex(fsys fs.FS, dir, name string) (weightIndex, error) {
	index := weightIndex{map[string][]string{}}
	b, err := readSmall(fsys, path.Join(dir, name), limits.SafetensorsHeader)
	if err != nil {
		return index, err
	}
	var text struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(b, &text); err != nil {
		return index, fmt.Errorf("%w: %s: %v", ErrWeights, name, err)
	}
	if err := limits.Check("number of tensors", name, int64(len(text.Map)), limits.Tensors, "it cannot belong to a GroupViT"); err != nil {
		return index, err
	}
	for _, tensor := range slices.Sorted(maps.Keys(text.Map)) {
		file := text.Map[tensor]
		if file == "" || file != path.Base(file) || strings.ContainsRune(file, '\\') || !fs.ValidPath(file) {
			return index, fmt.Errorf("%w: %s: tensor %.200q is said to be in %.200q, a file of this directory is needed", ErrWeights, name, tensor, file)
		}
		index.tensors[file] = append(index.tensors[file], tensor)
	}
	if n := len(index.tensors); n == 0 || n > maxParts {
		return index, fmt.Errorf("%w: %s names %d weight files, from 1 to %d are read", ErrWeights, name, n, maxParts)
	}
	var missing []string
	for _, file := range slices.Sorted(maps.Keys(index.tensors)) {
		if _, err := fs.Stat(fsys, path.Join(dir, file)); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, fmt.Sprintf("%s (%d tensors)", file, len(index.tensors[file])))
		} else if err != nil {
			return index, err
		}
	}
	if len(missing) > 0 {
		return index, fmt.Errorf("%w: of the %d files that %s names, %d %s missing: %s: fetch the model again", ErrWeights,
			len(index.tensors), name, len(missing), isOrAre(len(missing)), strings.Join(missing, ", "))
	}
	return index, nil
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// splitSource are the tensors of several files.
type splitSource struct {
	order []string
	of    map[string]source
}

func (s *splitSource) names() []string                       { return s.order }
func (s *splitSource) shape(name string) []int               { return s.of[name].shape(name) }
func (s *splitSource) floats(name string) ([]float32, error) { return s.of[name].floats(name) }

// joinParts makes one source of files; every tensor must be in the file that the
// index says, and in no other.
func joinParts(index string, tensors map[string][]string, parts map[string]source) (source, error) {
	joined := &splitSource{of: map[string]source{}}
	where := map[string]string{}
	for _, file := range slices.Sorted(maps.Keys(parts)) {
		for _, name := range parts[file].names() {
			if other, twice := where[name]; twice {
				return nil, fmt.Errorf("%w: tensor %.200q is both in %s and in %s", ErrWeights, name, other, file)
			}
			where[name], joined.of[name] = file, parts[file]
			joined.order = append(joined.order, name)
		}
	}
	for file, names := range tensors {
		for _, name := range names {
			if where[name] != file {
				return nil, fmt.Errorf("%w: %s says that tensor %.200q is in %s, which does not have it: the files belong to different models, or one is damaged", ErrWeights, index, name, file)
			}
		}
	}
	return joined, nil
}
