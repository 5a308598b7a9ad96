package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/weights/safetensors"
)

// SaveOptions say how a model is written.
type SaveOptions struct {
	// Half stores tensors with two axes and more as half precision (F16).
	Half bool
	// More, if set, writes further files into the directory before it appears
	// under its name.
	More func(dir string) error
}

// maxHalf is the largest finite half-precision number.
const maxHalf = 65504

// Save writes a model as a directory in Hugging Face's layout. The directory
// appears whole or not at all: it is written under another name beside it,
// synced and renamed. One that is there already is replaced if it is a model
// directory or empty; anything else is an error.
func Save(dir string, m *Model, o SaveOptions) error {
	dir = filepath.Clean(dir)
	if err := replaceable(dir); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	temporary, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".tmp-")
	if err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	if err := m.write(temporary, o); err != nil {
		return fmt.Errorf("save model %s: %w", dir, err)
	}
	return swap(temporary, dir)
}

// replaceable refuses to replace what is no model directory.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("save model: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err != nil {
		return fmt.Errorf("save model: %s is there and is no model directory: name another", dir)
	}
	return nil
}

// swap moves temporary to dir, which may be there already.
func swap(temporary, dir string) error {
	old := ""
	if _, err := os.Lstat(dir); err == nil {
		old = temporary + "-old"
		if err := os.Rename(dir, old); err != nil {
			return fmt.Errorf("save model: %w", err)
		}
	}
	if err := os.Rename(temporary, dir); err != nil {
		if old != "" {
			os.Rename(old, dir)
		}
		return fmt.Errorf("save model: %w", err)
	}
	if old != "" {
		os.RemoveAll(old)
	}
	return syncDir(filepath.Dir(dir))
}

func (m *Model) write(dir string, o SaveOptions) error {
	tensors, err := m.tensors(o.Half)
	if err != nil {
		return err
	}
	config, err := m.Config.JSON()
	if err != nil {
		return err
	}
	preprocessor, err := m.preprocessorJSON()
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	maps.Copy(files, m.Extra)
	maps.Copy(files, m.TokenizerFiles)
	files[ConfigFile], files[PreprocessorFile] = config, preprocessor
	for name, b := range files {
		if name != filepath.Base(name) {
			return fmt.Errorf("file name %q has a path", name)
		}
		err := writeFile(filepath.Join(dir, name), func(w io.Writer) error {
			_, err := w.Write(b)
			return err
		})
		if err != nil {
			return err
		}
	}
	err = writeFile(filepath.Join(dir, WeightsFile), func(w io.Writer) error {
		return safetensors.Write(w, tensors, map[string]string{"format": "pt"})
	})
	if err == nil && o.More != nil {
		err = o.More(dir)
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// tensors lists what is written: every parameter, and for each BatchNorm the
// counter that the port expects.
func (m *Model) tensors(half bool) ([]safetensors.Tensor, error) {
	var out []safetensors.Tensor
	for _, p := range m.Config.Params() {
		values, ok := m.Tensors[p.Name]
		if !ok || len(values) != p.Size() {
			return nil, fmt.Errorf("%w: tensor %q has %d values, its shape is %v", ErrWeights, p.Name, len(values), p.Shape)
		}
		t := safetensors.Tensor{Name: p.Name, DType: safetensors.F32, Shape: p.Shape, Floats: values}
		if half && len(p.Shape) > 1 {
			t.DType = safetensors.F16
			if i := slices.IndexFunc(values, func(x float32) bool { return math.Abs(float64(x)) > maxHalf }); i >= 0 {
				return nil, fmt.Errorf("tensor %q has %g, half precision ends at %d: save it in full precision", p.Name, values[i], maxHalf)
			}
		}
		out = append(out, t)
		if norm, ok := strings.CutSuffix(p.Name, ".running_mean"); ok {
			out = append(out, safetensors.Tensor{Name: norm + ".num_batches_tracked", DType: safetensors.I64, Ints: []int64{0}})
		}
	}
	return out, nil
}

// writeFile writes a new file and syncs it.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes renames in a directory last. Not every file system can.
func syncDir(dir string) error {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		return f.Close()
	}
	return nil
}
