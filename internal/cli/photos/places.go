package photos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/output"
)

// places says what photos are called inside of results: COCO names them relative to a
// root, LabelMe relative to its own file.
type places struct {
	// root is the folder of COCO's names, absolute; "" leaves what the photo's source
	// calls it.
	root string
	// labelMe is the folder of LabelMe's files, absolute; "" where there are none.
	labelMe string
}

// newPlaces returns them for results in a folder, or in a tar that is unpacked where it
// lies.
func newPlaces(root, out string, files []output.Format) (places, error) {
	var p places
	var err error
	if root != "" {
		if info, statErr := os.Stat(root); statErr != nil || !info.IsDir() {
			return p, command.Usagef("--root %s: it is not a folder", root)
		}
		if p.root, err = filepath.Abs(root); err != nil {
			return p, err
		}
	}
	if strings.HasSuffix(out, ".tar") {
		out = filepath.Dir(out)
	}
	for _, f := range files {
		if f.Name != "labelme" {
			continue
		}
		if p.labelMe, err = filepath.Abs(filepath.Join(out, f.Folder)); err != nil {
			return p, err
		}
	}
	return p, nil
}

// fileName is what COCO calls a photo.
func (p places) fileName(item batch.Item) string {
	if p.root == "" || item.File == "" {
		return item.Relative
	}
	return relativeTo(p.root, item.File)
}

// imagePath is where LabelMe finds a photo from its JSON file.
func (p places) imagePath(item batch.Item) string {
	if p.labelMe == "" || item.File == "" {
		return item.Relative
	}
	return relativeTo(filepath.Join(p.labelMe, filepath.FromSlash(path.Dir(item.Name))), item.File)
}

// relativeTo is the path of a file from a folder, with slashes; the whole path where
// there is none, as between volumes.
func relativeTo(folder, file string) string {
	whole, err := filepath.Abs(file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	rel, err := filepath.Rel(folder, whole)
	if err != nil {
		rel = whole
	}
	return filepath.ToSlash(rel)
}

// imagesFolder is where YOLO looks for the photos of the texts in its folder labels.
const imagesFolder = "images"

// placeImage puts a photo where YOLO looks for it, as a link to the file if it has one,
// and returns its path.
func placeImage(out string, item batch.Item, data []byte) (string, error) {
	name := item.Name + strings.ToLower(path.Ext(item.Relative))
	place := filepath.Join(out, imagesFolder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
		return "", fmt.Errorf("output folder: %w", err)
	}
	if item.File == "" {
		return place, command.StoreBytes(place, data)
	}
	if a, err := os.Stat(place); err == nil {
		if b, err := os.Stat(item.File); err == nil && os.SameFile(a, b) {
			return place, nil
		}
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(place)) // ".." in a link is the real folder's
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", err
	}
	// Links are renamed into place as files are; where there are none, a copy does.
	link := filepath.Join(filepath.Dir(place), fmt.Sprintf("%s%016x", command.Temporary, rand.Uint64()))
	if os.Symlink(filepath.FromSlash(relativeTo(dir, item.File)), link) != nil {
		return place, command.StoreBytes(place, data)
	}
	if err := os.Rename(link, place); err != nil {
		os.Remove(link)
		return "", err
	}
	return place, nil
}
