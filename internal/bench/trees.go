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
func (t tree) list(root, split string, l *listing) ([]Sample, error) {
	split = cmp.Or(split, t.split)
	if err := checkSplit(split); err != nil {
		return nil, err
	}
	photos, masks := filepath.Join(root, t.photos, split), filepath.Join(root, t.masks, split)
	if linked, err := filepath.EvalSymlinks(photos); err == nil {
		photos = linked // the walk below does not follow a link
	}
	var samples []Sample
	err := filepath.WalkDir(photos, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		ending := filepath.Ext(path)
		name, ok := strings.CutSuffix(strings.TrimSuffix(path, ending), t.photoEnd)
		if !ok || !imaging.IsPhoto(path) || strings.HasPrefix(e.Name(), ".") {
			l.left.AddFile(e.Name())
			return nil
		}
		id, err := filepath.Rel(photos, name)
		if err != nil {
			return err
		}
		s := Sample{ID: filepath.ToSlash(id), Photo: path, Mask: filepath.Join(masks, id+t.maskEnd)}
		if err := checkMask(s.Mask); err != nil {
			return l.missing(s.ID, err)
		}
		samples = append(samples, s)
		return limits.Check("the number of photos", photos, int64(len(samples)), limits.DatasetPhotos, "use fewer")
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

// folderSamples lists masks/ and the folders below it by name and finds the photos in
// images/.
func folderSamples(root, _ string, l *listing) ([]Sample, error) {
	return masksWithPhotos(filepath.Join(root, "masks"), filepath.Join(root, "images"), l)
}

// masksWithPhotos lists the masks in a folder and the folders below it by name and
// finds their photos in another.
func masksWithPhotos(masks, photos string, l *listing) ([]Sample, error) {
	var samples []Sample
	finder := photoFinder{}
	err := filepath.WalkDir(masks, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		ending := filepath.Ext(file)
		if !strings.EqualFold(ending, ".png") || strings.HasPrefix(e.Name(), ".") {
			l.left.AddFile(e.Name())
			return nil
		}
		id, err := filepath.Rel(masks, strings.TrimSuffix(file, ending))
		if err != nil {
			return err
		}
		s, err := finder.locate(filepath.ToSlash(id), photos, file)
		if err != nil {
			return l.missing(s.ID, err)
		}
		samples = append(samples, s)
		return limits.Check("the number of files", masks, int64(len(samples)), limits.DatasetPhotos, "split the folder")
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	return samples, nil
}

// camvidSamples lists the photos of a split, which is the name of their folder, and
// finds their masks in the folder beside it.
func camvidSamples(root, split string, l *listing) ([]Sample, error) {
	split = cmp.Or(split, "test")
	if err := checkSplit(split); err != nil {
		return nil, err
	}
	masks := filepath.Join(root, split+"annot")
	entries, err := os.ReadDir(filepath.Join(root, split))
	if err != nil {
		return nil, fmt.Errorf("%w: %w: CamVid is %s/ and %sannot/, or images/, masks/ and classes.txt", ErrLayout, err, split, split)
	}
	var samples []Sample
	for _, e := range entries {
		id := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))
		if e.IsDir() || !imaging.IsPhoto(e.Name()) || strings.HasPrefix(e.Name(), ".") {
			l.left.AddFile(e.Name())
			continue
		}
		s := Sample{ID: id, Photo: filepath.Join(root, split, e.Name()), Mask: filepath.Join(masks, id+".png")}
		if err := checkMask(s.Mask); err != nil {
			if err := l.missing(id, err); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrLayout, err)
			}
			continue
		}
		samples = append(samples, s)
		if err := limits.Check("the number of photos", root, int64(len(samples)), limits.DatasetPhotos, "use fewer"); err != nil {
			return nil, err
		}
	}
	return samples, nil
}
