package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
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
func (v listed) list(root, split string, l *listing) ([]Sample, error) {
	split = cmp.Or(split, "val")
	if err := checkSplit(split); err != nil {
		return nil, err
	}
	list := filepath.Join(root, "ImageSets", v.lists, split+".txt")
	text, err := readCapped(list, limits.DatasetListBytes)
	if err != nil {
		return nil, err
	}
	ids, err := parseList(list, text)
	if err != nil {
		return nil, err
	}
	samples := make([]Sample, 0, len(ids))
	finder := photoFinder{}
	for i, id := range ids {
		s, err := v.locate(finder, root, id)
		if err == nil {
			samples = append(samples, s)
		} else if err := l.missing(id, err); err != nil {
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
func (v listed) locate(finder photoFinder, root, id string) (s Sample, err error) {
	for i, masks := range v.masks {
		at := func(id string) (Sample, error) {
			return finder.locate(id, filepath.Join(root, "JPEGImages"), filepath.Join(root, masks, filepath.FromSlash(id)+".png"))
		}
		other, otherErr := at(id)
		if other.Photo == "" && imaging.IsPhoto(id) { // lists of other programs name files
			if whole, err := at(strings.TrimSuffix(id, filepath.Ext(id))); whole.Photo != "" {
				other, otherErr = whole, err
			}
		}
		if i == 0 || otherErr == nil {
			s, err = other, otherErr
		}
		if err == nil || s.Photo == "" {
			break
		}
	}
	return s, err
}
