package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
)

// photoFinder finds photos by their names without extensions. It keeps the names in
// each folder that it had to look through.
type photoFinder map[string]map[string]string

// locate finds the photo of an ID, and looks for its mask.
func (f photoFinder) locate(id, photos, mask string) (Sample, error) {
	s := Sample{ID: id, Photo: f.photo(filepath.Join(photos, filepath.FromSlash(id))), Mask: mask}
	if s.Photo == "" {
		return s, fmt.Errorf("%w: no photo %s (%s)", ErrSample, filepath.Join(photos, id), strings.Join(imaging.Extensions(), ", "))
	}
	if info, err := os.Stat(s.Mask); err != nil {
		return s, fmt.Errorf("%w: mask: %w", ErrSample, err)
	} else if !info.Mode().IsRegular() {
		return s, fmt.Errorf("%w: mask %s is no file", ErrSample, s.Mask)
	}
	return s, nil
}

// usual are the extensions that most data sets have, tried before a folder is read.
var usual = []string{".jpg", ".png", ".jpeg"}

// photo returns the path of a photo by its path without extension, "" where there is
// none.
func (f photoFinder) photo(stem string) string {
	for _, ending := range usual {
		if info, err := os.Stat(stem + ending); err == nil && info.Mode().IsRegular() {
			return stem + ending
		}
	}
	dir, name := filepath.Split(stem)
	names, ok := f[dir]
	if !ok {
		names = photoNames(dir)
		f[dir] = names
	}
	if names[name] == "" {
		return ""
	}
	return filepath.Join(dir, names[name])
}

// photoNames are the photos of a folder by their names without extensions; of several
// that with the extension that package imaging lists first.
func photoNames(dir string) map[string]string {
	names := map[string]string{}
	entries, _ := os.ReadDir(dir) // one that cannot be read has no photos
	rank := func(name string) int {
		return slices.Index(imaging.Extensions(), strings.ToLower(filepath.Ext(name)))
	}
	for _, e := range entries {
		stem := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))
		if !imaging.IsPhoto(e.Name()) || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if old := names[stem]; old == "" || rank(e.Name()) < rank(old) {
			names[stem] = e.Name()
		}
	}
	return names
}
