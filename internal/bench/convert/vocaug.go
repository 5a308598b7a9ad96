package convert

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/groupvit/groupvit/mask"
)

// vocAug reads SBD ("dataset/cls/*.mat": GTcls.Segmentation, VOC's 20 classes) and
// writes SegmentationClassAug/ into VOC 2012, with the lists trainaug (VOC's train
// and all of SBD that is not in VOC's val) and aug (the part that VOC has not).
func vocAug(ctx context.Context, o Options) (*Result, error) {
	if o.Output == "" {
		return nil, fmt.Errorf("%w: name the folder of VOC 2012 as the output", ErrInput)
	}
	dir := o.Input
	for _, below := range []string{"dataset/cls", "cls"} {
		if info, err := os.Stat(filepath.Join(o.Input, filepath.FromSlash(below))); err == nil && info.IsDir() {
			dir = filepath.Join(o.Input, filepath.FromSlash(below))
			break
		}
	}
	r := &Result{Folder: filepath.Join(o.Output, "SegmentationClassAug")}
	tasks, names, err := r.matTasks(dir, func(path string) (*mask.Map, error) {
		return readMat(path, "GTcls", "Segmentation", func(v float64) (uint16, bool) {
			return uint16(v), v == 255 || v >= 0 && v <= 20 && v == float64(int(v))
		})
	})
	if err != nil {
		return nil, err
	}
	if err := all(ctx, tasks, o, r); err != nil {
		return nil, err
	}
	names = r.made(names)
	lists := filepath.Join(o.Output, "ImageSets", "Segmentation")
	known := map[string]bool{}
	var train []string
	for _, split := range []string{"train", "val"} {
		list, err := readList(filepath.Join(lists, split+".txt"))
		if err != nil {
			return nil, fmt.Errorf("%w: VOC's own lists are needed to tell training photos from others: %w", ErrInput, err)
		}
		for _, id := range list {
			known[id] = true
		}
		if split == "train" {
			train = list
		}
	}
	more := slices.DeleteFunc(names, func(id string) bool { return known[id] })
	for name, list := range map[string][]string{"trainaug": slices.Concat(train, more), "aug": more} {
		path := filepath.Join(lists, name+".txt")
		if err := writeList(path, list); err != nil {
			return nil, err
		}
		r.Lists = append(r.Lists, path)
	}
	slices.Sort(r.Lists)
	return r, nil
}
