package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// listed is VOC's layout: JPEGImages, a folder of masks, lists of names.
type listed struct {
	// masks are the folders that may hold a photo's mask, the first that has one
	// counts.
	masks []string
	// lists is the folder below ImageSets.
	lists string
}

// list reads a list of photos.
func (l listed) list(root, split string) ([]Sample, error) {
	split = cmp.Or(split, "val")
	if err := checkSplit(split); err != nil {
		return nil, err
	}
	list := filepath.Join(root, "ImageSets", l.lists, split+".txt")
	text, err := readCapped(list, limits.DatasetListBytes)
	if err != nil {
		return nil, err
	}
	ids, err := parseList(list, text)
	if err != nil {
		return nil, err
	}
	samples := make([]Sample, len(ids))
	for i, id := range ids {
		if samples[i], err = l.locate(root, id); err != nil {
			return nil, fmt.Errorf("%s, number %d: %w", list, i+1, err)
		}
	}
	return samples, nil
}

// parseList reads one name a line.
func parseList(path string, text []byte) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		id := string(bytes.TrimSpace(line))
		if id == "" {
			continue
		}
		if err := checkID(id); err != nil {
			return nil, fmt.Errorf("%w: %s line %d: %w", ErrLayout, path, number, err)
		}
		if seen[id] {
			return nil, fmt.Errorf("%w: %s line %d: %q is listed twice", ErrLayout, path, number, id)
		}
		seen[id] = true
		ids = append(ids, id)
		if err := limits.Check("the number of photos", path, int64(len(ids)), limits.DatasetPhotos, "split the list"); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// locate finds the photo and the mask of a name.
func (l listed) locate(root, id string) (Sample, error) {
	s, err := locate(id, filepath.Join(root, "JPEGImages"), filepath.Join(root, l.masks[0]))
	for _, masks := range l.masks[1:] {
		if err == nil || s.Photo == "" {
			break
		}
		other, otherErr := locate(id, filepath.Join(root, "JPEGImages"), filepath.Join(root, masks))
		if otherErr == nil {
			s, err = other, nil
		}
	}
	return s, err
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
