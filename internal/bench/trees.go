package bench

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
)

// tree is the layout of COCO, ADE20K and Cityscapes: one tree of photos, one of
// masks, with the same folders below their splits.
type tree struct {
	photos, masks string
	// photoEnd stands before the ending of a photo's name, maskEnd at the end of
	// a mask's.
	photoEnd, maskEnd string
	// split is the usual one.
	split string
}

// list finds every photo of a split, sorted by name, and its mask.
func (l tree) list(root, split string) ([]Sample, error) {
	split = cmp.Or(split, l.split)
	if err := checkSplit(split); err != nil {
		return nil, err
	}
	photos, masks := filepath.Join(root, l.photos, split), filepath.Join(root, l.masks, split)
	var samples []Sample
	err := filepath.WalkDir(photos, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		ending := filepath.Ext(path)
		name, ok := strings.CutSuffix(strings.TrimSuffix(path, ending), l.photoEnd)
		if !ok || !imaging.IsPhoto(path) || strings.HasPrefix(e.Name(), ".") {
			return nil
		}
		id, err := filepath.Rel(photos, name)
		if err != nil {
			return err
		}
		s := Sample{ID: filepath.ToSlash(id), Photo: path, Mask: filepath.Join(masks, id+l.maskEnd)}
		samples = append(samples, s)
		if err := limits.Check("the number of photos", photos, int64(len(samples)), limits.DatasetPhotos, "use fewer"); err != nil {
			return err
		}
		return checkMask(s.Mask)
	})
	if err != nil {
		if _, missing := os.Stat(photos); missing != nil {
			err = fmt.Errorf("%w: is the root folder right?", err)
		}
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	return samples, nil
}

// checkMask says what is wrong with a mask that cannot be read later.
func checkMask(path string) error {
	if info, err := os.Stat(path); err != nil {
		return fmt.Errorf("%w: mask: %w: does it need \"groupvit data convert\"?", ErrSample, err)
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: mask %s is no file", ErrSample, path)
	}
	return nil
}

// folderSamples lists masks/ by name and finds the photos in images/.
func folderSamples(root, _ string) ([]Sample, error) {
	photos, masks := filepath.Join(root, "images"), filepath.Join(root, "masks")
	entries, err := os.ReadDir(masks)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	if err := limits.Check("the number of files", masks, int64(len(entries)), limits.DatasetPhotos, "split the folder"); err != nil {
		return nil, err
	}
	var samples []Sample
	finder := photoFinder{}
	for _, e := range entries {
		ending := filepath.Ext(e.Name())
		id := strings.TrimSuffix(e.Name(), ending)
		if !strings.EqualFold(ending, ".png") || e.IsDir() || strings.HasPrefix(id, ".") {
			continue
		}
		s, err := finder.locate(id, photos, filepath.Join(masks, e.Name()))
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
	}
	return samples, nil
}
