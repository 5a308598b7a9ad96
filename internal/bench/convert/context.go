package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/groupvit/groupvit/mask"
)

// contextIDs are the numbers, among PASCAL Context's 459 labels, of the 59 frequent
// ones, by class from 1; all others are background. They are in the order of the
// alphabet, as the labels are.
var contextIDs = []int{
	2, 9, 18, 19, 22, 23, 25, 31, 33, 34, 44, 45, 46, 59, 65, 68, 72, 80, 85, 98, 104, 105, 113, 115, 144, 158, 159, 162, 187, 189,
	207, 220, 232, 258, 259, 260, 284, 295, 296, 308, 324, 326, 347, 349, 354, 355, 360, 366, 368, 397, 415, 416, 420, 424, 427, 440, 445, 454, 458,
}

// contextClasses are the classes of PASCAL Context's labels, by number from 0.
func contextClasses() []uint16 {
	class := make([]uint16, 460)
	for i, id := range contextIDs {
		class[id] = uint16(i + 1)
	}
	return class
}

// pascalContext writes SegmentationClassContext/ into VOC 2010, from either form in
// which PASCAL Context is published: trainval_merged.json, or a folder of label maps.
func pascalContext(ctx context.Context, o Options) (*Result, error) {
	if o.Output == "" {
		return nil, fmt.Errorf("%w: name the folder of VOC 2010 as the output", ErrInput)
	}
	file, err := isFile(o.Input)
	if err != nil {
		return nil, err
	}
	if file {
		return contextJSON(ctx, o)
	}
	return contextMaps(ctx, o)
}

// contextMaps reads label maps ("trainval/*.mat": LabelMap, 459 labels); the lists
// are of the photos that VOC's own lists of its main competition name.
func contextMaps(ctx context.Context, o Options) (*Result, error) {
	class := contextClasses()
	r := &Result{Folder: filepath.Join(o.Output, "SegmentationClassContext")}
	tasks, names, err := r.matTasks(o.Input, func(path string) (*mask.Map, error) {
		return readMat(path, "LabelMap", "", func(v float64) (uint16, bool) {
			if v < 0 || v >= float64(len(class)) || v != float64(int(v)) {
				return 0, false
			}
			return class[int(v)], true
		})
	})
	if err != nil {
		return nil, err
	}
	if err := all(ctx, tasks, o, r); err != nil {
		return nil, err
	}
	names = r.made(names)
	unlisted := map[string]bool{}
	for _, name := range names {
		unlisted[name] = true
	}
	for _, split := range []string{"train", "val"} {
		list, err := readList(filepath.Join(o.Output, "ImageSets", "Main", split+".txt"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(id string) bool {
			made := slices.Contains(names, id)
			if !made {
				r.example(&r.WithoutMap, id)
			}
			delete(unlisted, id)
			return !made
		})
		path := filepath.Join(o.Output, "ImageSets", "SegmentationContext", split+".txt")
		if err := writeList(path, list); err != nil {
			return nil, err
		}
		r.Lists = append(r.Lists, path)
	}
	for _, name := range slices.Sorted(maps.Keys(unlisted)) {
		r.example(&r.Unlisted, name)
	}
	return r, nil
}
