package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
)

// vocSamples lists VOC's folders: a split where one is named, else all masks.
func vocSamples(root, split string, l *listing) ([]Sample, error) {
	if split != "" {
		return vocFolders.list(root, split, l)
	}
	return masksWithPhotos(filepath.Join(root, vocFolders.masks[0]), filepath.Join(root, "JPEGImages"), l)
}

// maskNames are the ends of a mask's name beside its photo, in the order in which they
// are looked for. The last, NAME.png, is the mask of a photo that is no PNG itself.
var maskNames = []string{"_mask.png", ".mask.png", "_masks.png", "_label.png", "_labels.png", ".labels.png", ".png"}

// besideSamples lists the photos of a folder, and of the folders below it, that have a
// mask beside them.
func besideSamples(root, _ string, l *listing) ([]Sample, error) {
	var samples []Sample
	err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		id, err := filepath.Rel(root, strings.TrimSuffix(file, filepath.Ext(file)))
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(e.Name(), ".") || !imaging.IsPhoto(e.Name()):
			if e.Name() != "classes.txt" {
				l.left.AddFile(e.Name())
			}
			return nil
		case isMask(file):
			return nil
		}
		s := Sample{ID: filepath.ToSlash(id), Photo: file, Mask: maskBeside(file)}
		if s.Mask == "" {
			return l.missing(s.ID, fmt.Errorf("%w: photo %s has no mask beside it (%s)", ErrSample, file, strings.Join(maskNames, ", ")))
		}
		samples = append(samples, s)
		return limits.Check("the number of photos", root, int64(len(samples)), limits.DatasetPhotos, "split the folder")
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	return samples, nil
}

// maskBeside returns the mask of a photo, "" where there is none.
func maskBeside(photo string) string {
	stem := strings.TrimSuffix(photo, filepath.Ext(photo))
	for _, end := range maskNames {
		if mask := stem + end; mask != photo && isFile(mask) {
			return mask
		}
	}
	return ""
}

// isMask reports whether a file is the mask of a photo beside it.
func isMask(file string) bool {
	for _, end := range maskNames {
		stem, ok := strings.CutSuffix(file, end)
		if ok && slices.ContainsFunc(imaging.Extensions(), func(ending string) bool {
			return stem+ending != file && isFile(stem+ending)
		}) {
			return true
		}
	}
	return false
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
