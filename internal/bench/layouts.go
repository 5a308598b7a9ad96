package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
)

// photoEndings are tried in this order.
var photoEndings = []string{".jpg", ".png", ".jpeg"}

// vocSamples reads the list of a VOC layout.
func vocSamples(root, split string) ([]Sample, error) {
	if split == "" {
		split = "val"
	}
	if !filepath.IsLocal(split) || strings.ContainsAny(split, `/\`) {
		return nil, fmt.Errorf("%w: %w: the split %q is no plain name", ErrLayout, ErrUsage, split)
	}
	list := filepath.Join(root, "ImageSets", "Segmentation", split+".txt")
	text, err := readCapped(list, limits.DatasetListBytes)
	if err != nil {
		return nil, err
	}
	var samples []Sample
	seen := map[string]bool{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		id := string(bytes.TrimSpace(line))
		if id == "" {
			continue
		}
		if err := checkID(id); err != nil {
			return nil, fmt.Errorf("%w: %s line %d: %w", ErrLayout, list, number, err)
		}
		if seen[id] {
			return nil, fmt.Errorf("%w: %s line %d: %q is listed twice", ErrLayout, list, number, id)
		}
		seen[id] = true
		if err := limits.Check("the number of photos", list, int64(len(samples)+1), limits.DatasetPhotos, "split the list"); err != nil {
			return nil, err
		}
		s, err := locate(id, filepath.Join(root, "JPEGImages"), filepath.Join(root, "SegmentationClass"))
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", list, number, err)
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// checkID refuses names that lead out of the dataset.
func checkID(id string) error {
	switch {
	case len(id) > 255:
		return fmt.Errorf("%.40q… has %d bytes, at most 255 make a file name", id, len(id))
	case !filepath.IsLocal(filepath.FromSlash(id)) || strings.ContainsAny(id, "\\\x00"):
		return fmt.Errorf("%q leads out of the dataset", id)
	}
	return nil
}

// locate finds the photo and the mask of an ID.
func locate(id, photos, masks string) (Sample, error) {
	s := Sample{ID: id, Mask: filepath.Join(masks, filepath.FromSlash(id)+".png")}
	for _, ending := range photoEndings {
		path := filepath.Join(photos, filepath.FromSlash(id)+ending)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			s.Photo = path
			break
		}
	}
	if s.Photo == "" {
		return s, fmt.Errorf("%w: no photo %s (%s)", ErrSample, filepath.Join(photos, id), strings.Join(photoEndings, ", "))
	}
	if info, err := os.Stat(s.Mask); err != nil {
		return s, fmt.Errorf("%w: mask: %w", ErrSample, err)
	} else if !info.Mode().IsRegular() {
		return s, fmt.Errorf("%w: mask %s is no file", ErrSample, s.Mask)
	}
	return s, nil
}

// folderSamples lists masks/ by name and finds the photos in images/.
func folderSamples(root string) ([]Sample, error) {
	photos, masks := filepath.Join(root, "images"), filepath.Join(root, "masks")
	entries, err := os.ReadDir(masks)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	if err := limits.Check("the number of files", masks, int64(len(entries)), limits.DatasetPhotos, "split the folder"); err != nil {
		return nil, err
	}
	var samples []Sample
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".png")
		if !ok || e.IsDir() || strings.HasPrefix(id, ".") {
			continue
		}
		s, err := locate(id, photos, masks)
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// readClasses reads classes.txt: line number = mask value.
func readClasses(root string) ([]vocab.Class, error) {
	path := filepath.Join(root, "classes.txt")
	text, err := readCapped(path, 2*limits.Labels*limits.LabelBytes)
	if err != nil {
		return nil, err
	}
	content := strings.TrimRight(strings.TrimPrefix(string(text), "\uFEFF"), " \t\r\n")
	var classes []vocab.Class
	for i, line := range strings.Split(content, "\n") {
		names := strings.Split(strings.TrimSpace(line), ",")
		if names[0] == "" {
			return nil, fmt.Errorf("%w: %s: line %d names no class, and the line number is the mask value", ErrLayout, path, i+1)
		}
		classes = append(classes, vocab.Class{Name: names[0], Synonyms: slices.Clip(names[1:])})
	}
	if len(classes) > Ignore {
		return nil, fmt.Errorf("%w: %s: %w", ErrLayout, path, limits.Check("the number of classes", path, int64(len(classes)), Ignore, "mask value 255 is ignored pixels"))
	}
	if classes, err = vocab.CheckLabels(classes); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLayout, path, err)
	}
	return classes, nil
}

// readCapped reads a whole text file of at most limit bytes.
func readCapped(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %w: is the root folder right?", ErrLayout, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	return text, limits.Check("its size in bytes", path, int64(len(text)), limit, "a list holds one name a line")
}
