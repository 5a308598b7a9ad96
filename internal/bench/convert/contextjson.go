package convert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

// merged is PASCAL in Detail's "trainval_merged.json", as far as masks need it. Its
// keys and how regions lie over each other are those of its authors' detail API
// (detail/__init__.py, getMask), which mmsegmentation's converter reads it with.
type merged struct {
	Images  []mergedImage
	Regions map[int64][]mergedRegion // by image, in the file's order
}

type mergedImage struct {
	ID       int64  `json:"image_id"`
	FileName string `json:"file_name"`
	// Phase is the split: train, val, test.
	Phase         string
	Width, Height int
}

// mergedRegion is what one annotation covers: COCO's run lengths, read when drawn.
type mergedRegion struct {
	Image        int64 `json:"image_id"`
	Category     int   `json:"category_id"`
	Segmentation json.RawMessage
}

// contextJSON writes the masks of trainval_merged.json into VOC 2010, and a list of
// the photos of each phase: what mmsegmentation's converter gives.
func contextJSON(ctx context.Context, o Options) (*Result, error) {
	in, err := readMerged(o.Input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Input, err)
	}
	r := &Result{Folder: filepath.Join(o.Output, "SegmentationClassContext")}
	class := contextClasses()
	lists := map[string][]string{}
	var tasks []task
	listed := map[int64]bool{}
	for _, im := range in.Images {
		listed[im.ID] = true
		name := strings.TrimSuffix(im.FileName, filepath.Ext(im.FileName))
		lists[im.Phase] = append(lists[im.Phase], name)
		tasks = append(tasks, task{output: filepath.Join(r.Folder, name+".png"), make: func() (*mask.Map, error) {
			m, err := im.draw(in.Regions[im.ID], class)
			if err != nil {
				err = fmt.Errorf("%w: %s: image %s: %w", ErrInput, o.Input, im.FileName, err)
			}
			return m, err
		}})
	}
	if err := all(ctx, tasks, o, r); err != nil {
		return nil, err
	}
	for id, regions := range in.Regions {
		if !listed[id] {
			r.OfNoImage += len(regions)
		}
	}
	unlisted := maps.Clone(lists)
	for _, phase := range []string{"train", "val"} {
		lists[phase] = r.made(lists[phase])
		if len(lists[phase]) == 0 {
			continue
		}
		delete(unlisted, phase)
		slices.Sort(lists[phase])
		path := filepath.Join(o.Output, "ImageSets", "SegmentationContext", phase+".txt")
		if err := writeList(path, lists[phase]); err != nil {
			return nil, err
		}
		r.Lists = append(r.Lists, path)
	}
	for _, phase := range slices.Sorted(maps.Keys(unlisted)) {
		for _, name := range r.made(unlisted[phase]) {
			r.example(&r.Unlisted, name)
		}
	}
	return r, nil
}

// draw draws regions in their order, a later one over an earlier one.
func (im *mergedImage) draw(regions []mergedRegion, class []uint16) (*mask.Map, error) {
	m, err := mask.New(im.Width, im.Height)
	if err != nil {
		return nil, err
	}
	for _, g := range regions {
		if g.Category < 0 || g.Category >= len(class) {
			return nil, fmt.Errorf("category %d is none of the %d labels", g.Category, len(class)-1)
		}
		var runs mask.RLE
		if err := json.Unmarshal(g.Segmentation, &runs); err != nil {
			return nil, err
		}
		if err := runs.Draw(m, class[g.Category]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// readMerged reads the file piece by piece: most of its 600 megabytes are of parts,
// keypoints and boundaries, which are not kept.
func readMerged(path string) (*merged, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := limits.Check("its size in bytes", path, info.Size(), limits.AnnotationBytes, "split it"); err != nil {
		return nil, err
	}
	return parseMerged(io.LimitReader(f, limits.AnnotationBytes))
}

func parseMerged(from io.Reader) (*merged, error) {
	in := &merged{Regions: map[int64][]mergedRegion{}}
	d := json.NewDecoder(from)
	if err := opens(d, '{'); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	for d.More() {
		key, err := d.Token()
		if err == nil {
			err = in.section(d, key)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %v: %w", ErrInput, key, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	return in, in.check()
}

// section reads the value of a key of the outermost object.
func (in *merged) section(d *json.Decoder, key json.Token) error {
	switch key {
	case "images":
		return elements(d, func(im mergedImage) error {
			in.Images = append(in.Images, im)
			return limits.Check("the number of images", "trainval_merged.json", int64(len(in.Images)), limits.DatasetPhotos, "split it")
		})
	case "annos_segmentation":
		return elements(d, func(g mergedRegion) error {
			in.Regions[g.Image] = append(in.Regions[g.Image], g)
			return nil
		})
	}
	return skip(d)
}

// anything is a value that is not kept.
type anything struct{}

func (*anything) UnmarshalJSON([]byte) error { return nil }

// skip reads a value away, one part after the other.
func skip(d *json.Decoder) error {
	t, err := d.Token()
	if _, opened := t.(json.Delim); err != nil || !opened {
		return err
	}
	for d.More() {
		if t == json.Delim('{') {
			if _, err := d.Token(); err != nil {
				return err
			}
		}
		if err := d.Decode(&anything{}); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// opens reads the token that opens an object or a list.
func opens(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err == nil && t != want {
		err = fmt.Errorf("%v stands where %v is expected", t, want)
	}
	return err
}

// elements reads a list one element after the other.
func elements[T any](d *json.Decoder, each func(T) error) error {
	if err := opens(d, '['); err != nil {
		return err
	}
	for d.More() {
		var x T
		if err := d.Decode(&x); err != nil {
			return err
		}
		if err := each(x); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// check refuses what cannot be drawn, and names that lead elsewhere.
func (in *merged) check() error {
	if len(in.Images) == 0 || len(in.Regions) == 0 {
		return fmt.Errorf("%w: %d images and %d with regions: this is no trainval_merged.json (images, annos_segmentation)", ErrInput, len(in.Images), len(in.Regions))
	}
	for _, im := range in.Images {
		if im.FileName == "" || im.FileName != filepath.Base(im.FileName) || strings.HasPrefix(im.FileName, ".") || strings.ContainsAny(im.FileName, "\\/\x00\n") {
			return fmt.Errorf("%w: image %d has the file name %.80q", ErrInput, im.ID, im.FileName)
		}
		if im.Width <= 0 || im.Height <= 0 || im.Width > limits.ImageSide || im.Height > limits.ImageSide || im.Width*im.Height > limits.ImagePixels {
			return fmt.Errorf("%w: image %.80q has %d×%d pixels", ErrInput, im.FileName, im.Width, im.Height)
		}
	}
	return nil
}

// isFile says whether there is a file, not a folder.
func isFile(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("%w: %w", ErrInput, err)
	}
	return err == nil && !info.IsDir(), err
}
