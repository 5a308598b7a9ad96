package convert

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/bench/convert/mat5"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/textio"
	"github.com/groupvit/groupvit/mask"
)

// readMat reads an array of a MAT-file as a map: of a struct's field, or of the
// array itself where field is "". value gives a number's label.
func readMat(path, name, field string, value func(v float64) (uint16, bool)) (*mask.Map, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	arrays, err := mat5.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInput, path, err)
	}
	var a *mat5.Array
	if field != "" {
		a, err = mat5.Field(arrays, name, field)
	} else if i := slices.IndexFunc(arrays, func(a *mat5.Array) bool { return a.Name == name }); i >= 0 {
		a = arrays[i]
	} else {
		err = fmt.Errorf("there is no array %s", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInput, path, err)
	}
	if len(a.Dims) != 2 || len(a.Numbers) == 0 {
		return nil, fmt.Errorf("%w: %s: %s is no map: its dimensions are %v", ErrInput, path, cmp.Or(field, name), a.Dims)
	}
	height, width := a.Dims[0], a.Dims[1]
	m, err := mask.New(width, height)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for x := range width {
		for y := range height {
			v := a.Numbers[x*height+y]
			label, ok := value(v)
			if !ok {
				return nil, fmt.Errorf("%w: %s: value %g at (%d, %d) is no class", ErrInput, path, v, x, y)
			}
			m.Labels[y*width+x] = label
		}
	}
	return m, nil
}

// matTasks makes a mask of each MAT-file of a folder, and of two with one name of the
// first.
func (r *Result) matTasks(dir string, read func(path string) (*mask.Map, error)) ([]task, []string, error) {
	files, err := r.filesBelow(dir, ".mat")
	if err != nil {
		return nil, nil, err
	}
	var tasks []task
	var names []string
	seen := map[string]bool{}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".mat")
		if seen[name] {
			r.example(&r.SameImages, path)
			continue
		}
		seen[name] = true
		names = append(names, name)
		tasks = append(tasks, task{output: filepath.Join(r.Folder, name+".png"), make: func() (*mask.Map, error) { return read(path) }})
	}
	return tasks, names, nil
}

// readList reads one name a line; what follows a name, as in the lists of VOC's main
// competition, is left out.
func readList(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := limits.Check("its size in bytes", path, info.Size(), limits.DatasetListBytes, "a list holds one name a line"); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(textio.Normalize(text))) {
		if fields := strings.Fields(line); len(fields) > 0 {
			names = append(names, fields[0])
		}
	}
	return names, nil
}
