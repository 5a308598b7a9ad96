package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/weights/safetensors"
	"github.com/groupvit/groupvit/internal/weights/torchfile"
)

// SaveOfficial writes a model as a file of the official code: {"model":
// tensors}, under its names. Half is as in [SaveOptions]. The file appears whole
// or not at all; one that is there is an error.
//
// The official code knows the paper's network alone: variants are errors that
// wrap [ErrWeights]. It has its tokenizer and its normalisation in the code, so
// the file has neither.
func SaveOfficial(name string, m *Model, half bool) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("save model: %s is there: name another file", name)
	}
	tensors, err := m.tensors(half)
	if err != nil {
		return err
	}
	saved, err := toOfficial(tensors)
	if err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".tmp")
	defer os.Remove(temporary)
	os.Remove(temporary) // left by a killed run
	err = writeFile(temporary, func(w io.Writer) error { return torchfile.Write(w, "model", saved) })
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	return syncDir(filepath.Dir(name))
}

// toOfficial gives the port's tensors the official code's names and forms.
func toOfficial(tensors []safetensors.Tensor) ([]torchfile.Saved, error) {
	var saved []torchfile.Saved
	place := map[string]int{} // in saved, by name
	for _, t := range tensors {
		r, name, part, ok := matchPort(t.Name)
		if !ok {
			return nil, fmt.Errorf("%w: tensor %q has no place in the official code's network: only the paper's own network can be saved so", ErrWeights, t.Name)
		}
		s := torchfile.Saved{Name: name, Shape: slices.Clone(t.Shape), Floats: t.Floats, Ints: t.Ints, Half: t.DType == safetensors.F16}
		if r.squeeze && len(s.Shape) == 2 {
			s.Shape = append(s.Shape, 1)
		}
		i, begun := place[name]
		if !begun {
			i, place[name] = len(saved), len(saved)
			if r.split {
				s.Shape[0] *= 3
				s.Floats = make([]float32, 3*len(t.Floats))
			}
			saved = append(saved, s)
		}
		if r.split {
			copy(saved[i].Floats[part*len(t.Floats):], t.Floats)
		}
	}
	return saved, nil
}

// matchPort finds the rule of one of the port's names and fills in the official
// one; part tells which of three it is where the rule splits.
func matchPort(name string) (r rule, officialName string, part int, ok bool) {
	parts := strings.Split(name, ".")
	for _, r := range rules {
		for part, letter := range []string{"q", "k", "v"} {
			if !r.split && part > 0 {
				break
			}
			numbers, last, fits := fit(strings.Split(strings.Replace(r.port, "?", letter, 1), "."), parts)
			if !fits {
				continue
			}
			return r, fill(r.official, numbers, last), part, true
		}
	}
	return rule{}, "", 0, false
}
