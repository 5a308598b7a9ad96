package bench

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/shards"
	"github.com/groupvit/groupvit/internal/vocab"
)

// Folders is a benchmark of classification: photos in one folder a class.
type Folders struct {
	// Root is the folder it was opened in.
	Root string
	// Classes are in the order of the folders' names.
	Classes []vocab.Class
	// Photos are sorted by class and path.
	Photos []LabelledPhoto

	left shards.LeftOut
}

// LabelledPhoto is a photo and the number of its class.
type LabelledPhoto struct {
	Path  string
	Class int
}

// OpenFolders lists the photos of every folder in root, and below it. A folder's
// name is its class's, underscores standing for spaces; a file classes.txt in
// root gives other names where they are needed, one "FOLDER: name, synonym" a
// line. Folders called as ImageNet's (n01440764) have ImageNet's names. Of the
// options, Limit counts.
func OpenFolders(root string, o Options) (*Folders, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("%w: %w: is the root folder right?", ErrLayout, err)
	}
	names, err := folderNames(filepath.Join(root, "classes.txt"))
	if err != nil {
		return nil, err
	}
	f := &Folders{Root: root}
	imageNet := imageNetNames()
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			if e.Name() != "classes.txt" {
				f.left.AddFile(e.Name())
			}
			continue
		}
		photos, err := f.photosBelow(filepath.Join(root, e.Name()))
		if err != nil {
			return nil, err
		}
		if len(photos) == 0 {
			return nil, fmt.Errorf("%w: folder %s has no photo (%s)", ErrLayout, filepath.Join(root, e.Name()), strings.Join(imaging.Extensions(), ", "))
		}
		class, ok := names[e.Name()]
		if name := imageNet[e.Name()]; !ok && name != "" {
			class, ok = vocab.Class{Name: name}, true
		}
		if !ok {
			class = vocab.Class{Name: strings.ReplaceAll(e.Name(), "_", " ")}
		}
		f.Classes, f.Photos = append(f.Classes, class), append(f.Photos, photos...)
	}
	if len(f.Classes) < 2 {
		return nil, fmt.Errorf("%w: %s has %d folders with photos: classification needs at least 2, one a class", ErrLayout, root, len(f.Classes))
	}
	if err = checkClasses(f.Classes); err == nil {
		err = noRepeats(f.Classes, imageNet)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLayout, root, err)
	}
	f.Photos, err = evenly(f.Photos, o.Limit)
	return f, err
}

// photosBelow lists the photos of the next class.
func (f *Folders) photosBelow(dir string) ([]LabelledPhoto, error) {
	var photos []LabelledPhoto
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if !e.Type().IsRegular() || !imaging.IsPhoto(path) || strings.HasPrefix(e.Name(), ".") {
			f.left.AddFile(filepath.ToSlash(path))
			return nil
		}
		photos = append(photos, LabelledPhoto{path, len(f.Classes)})
		return limits.Check("the number of photos", f.Root, int64(len(f.Photos)+len(photos)), limits.DatasetPhotos, "use fewer")
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	slices.SortFunc(photos, func(a, b LabelledPhoto) int { return cmp.Compare(a.Path, b.Path) })
	return photos, nil
}

// folderNames reads classes.txt, if there is one.
func folderNames(path string) (map[string]vocab.Class, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	text, err := readCapped(path, limits.DatasetListBytes)
	if err != nil {
		return nil, err
	}
	names := map[string]vocab.Class{}
	for i, line := range strings.Split(strings.TrimPrefix(string(text), "\uFEFF"), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		folder, list, ok := strings.Cut(line, ":")
		if words := strings.Split(list, ","); ok && strings.TrimSpace(words[0]) != "" {
			names[strings.TrimSpace(folder)] = trimmed(words)
			continue
		}
		return nil, fmt.Errorf("%w: %s line %d: write \"FOLDER: name, synonym\"", ErrLayout, path, i+1)
	}
	return names, nil
}

// imageNetNames are ImageNet's names by the folders they lie in.
func imageNetNames() map[string]string {
	ids, names := vocab.ImageNet()
	known := map[string]string{}
	for i, id := range ids {
		known[id] = names[i]
	}
	return known
}

// trimmed is a class with such names, which may be empty.
func trimmed(names []string) vocab.Class {
	for i, n := range names {
		names[i] = strings.TrimSpace(n)
	}
	return vocab.Class{Name: names[0], Synonyms: names[1:]}
}

// checkClasses checks classes of whole photos: there may be more than labels of a
// segmentation, and two may have the same name, as in ImageNet.
func checkClasses(classes []vocab.Class) error {
	if err := limits.Check("the number of classes", "classes", int64(len(classes)), limits.Classes, "use fewer"); err != nil {
		return err
	}
	for i, c := range classes {
		for _, n := range c.Names() {
			if _, err := vocab.LabelsOf([]string{n}); err != nil {
				return fmt.Errorf("class %d: %w", i+1, err)
			}
		}
	}
	return nil
}

// noRepeats refuses names that stand for two classes, but for ImageNet's two.
func noRepeats(classes []vocab.Class, imageNet map[string]string) error {
	known := map[string]bool{}
	for _, name := range imageNet {
		known[name] = true
	}
	seen := map[string]bool{}
	for _, c := range classes {
		for _, n := range c.Names() {
			if key := strings.ToLower(n); !seen[key] || known[n] {
				seen[key] = true
				continue
			}
			return fmt.Errorf("%w: two classes are called %q: name it once", vocab.ErrLabels, n)
		}
	}
	return nil
}

// Skipped says which files are not measured, by what they are; "" where all are.
func (f *Folders) Skipped() string { return f.left.String() }

// Len is the number of photos.
func (f *Folders) Len() int { return len(f.Photos) }

// Photo reads photo i; class is the number of its class, id its path.
func (f *Folders) Photo(i int) (photo *imaging.Image, class int, id string, err error) {
	photo, err = f.Load(i)
	return photo, f.Photos[i].Class, f.Photos[i].Path, err
}

// List are the classes.
func (f *Folders) List() []vocab.Class { return f.Classes }

// Load reads photo i, upright.
func (f *Folders) Load(i int) (*imaging.Image, error) {
	photo, err := readPhoto(f.Photos[i].Path)
	if err != nil {
		return nil, fmt.Errorf("%w: photo %w", ErrSample, err)
	}
	return photo, nil
}
