package convert

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

// instances are COCO's, as far as masks need them.
type instances struct {
	Images []struct {
		ID            int64
		FileName      string `json:"file_name"`
		Width, Height int
	}
	Categories []struct {
		ID   int64
		Name string
	}
	Annotations []instance
}

// instance is one object: polygons, or run lengths for crowds.
type instance struct {
	ImageID      int64 `json:"image_id"`
	CategoryID   int64 `json:"category_id"`
	Area         float64
	Box          []float64 `json:"bbox"` // x, y, width, height
	Segmentation segmentation
}

// hasMask reports whether it says which pixels are the object's: detectors' files have
// boxes alone.
func (a *instance) hasMask() bool {
	return a.Segmentation.runs != nil || len(a.Segmentation.polygons) > 0
}

// segmentation is a list of polygons, each x, y, x, y, …, or run lengths.
type segmentation struct {
	polygons [][]float64
	runs     *mask.RLE
}

// UnmarshalJSON reads both forms.
func (s *segmentation) UnmarshalJSON(b []byte) error {
	if string(b) == `""` { // some exporters write nothing as an empty text
		return nil
	}
	if len(b) > 0 && b[0] == '{' {
		s.runs = &mask.RLE{}
		return json.Unmarshal(b, s.runs)
	}
	return json.Unmarshal(b, &s.polygons)
}

// parseInstances reads and checks the annotations.
func parseInstances(text []byte) (*instances, error) {
	var in instances
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("%w: no COCO instances: %w", ErrInput, err)
	}
	if len(in.Categories) == 0 || len(in.Categories) > 254 || len(in.Images) == 0 {
		return nil, fmt.Errorf("%w: %d categories and %d images: masks hold 1 to 254 classes", ErrInput, len(in.Categories), len(in.Images))
	}
	slices.SortFunc(in.Categories, func(a, b struct {
		ID   int64
		Name string
	}) int {
		return cmp.Compare(a.ID, b.ID)
	})
	for _, im := range in.Images {
		name := filepath.FromSlash(im.FileName)
		if !filepath.IsLocal(name) || filepath.Clean(name) == "." || strings.ContainsAny(im.FileName, "\\\x00") {
			return nil, fmt.Errorf("%w: image %d has the file name %.80q", ErrInput, im.ID, im.FileName)
		}
		if im.Width <= 0 || im.Height <= 0 || im.Width > limits.ImageSide || im.Height > limits.ImageSide || im.Width*im.Height > limits.ImagePixels {
			return nil, fmt.Errorf("%w: image %.80q has %d×%d pixels", ErrInput, im.FileName, im.Width, im.Height)
		}
	}
	return &in, nil
}

// cocoJSON reads instances and writes the layout "folder": masks/NAME.png and
// classes.txt, background first, categories by their numbers (of COCO's own file,
// the classes of COCO-Object). All instances of a category are one; where some lie
// over each other the smaller is on top. An instance without a mask is counted, and
// its box is ignored where no mask covers it: which pixels of it are the object's
// nobody says, so that they are no truth, neither of its class nor of background.
func cocoJSON(ctx context.Context, o Options) (*Result, error) {
	if o.Output == "" {
		return nil, fmt.Errorf("%w: name a folder for masks and classes.txt as the output", ErrInput)
	}
	info, err := os.Stat(o.Input)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if err := limits.Check("its size in bytes", o.Input, info.Size(), limits.AnnotationBytes, "split it"); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(o.Input)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	in, err := parseInstances(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Input, err)
	}
	class, names := map[int64]uint16{}, []string{"background"}
	for i, c := range in.Categories {
		class[c.ID] = uint16(i + 1)
		names = append(names, strings.NewReplacer(",", " ", "\n", " ", "\r", " ").Replace(c.Name))
	}
	byImage, listed := map[int64][]instance{}, map[int64]bool{}
	for _, im := range in.Images {
		listed[im.ID] = true
	}
	r := &Result{Folder: filepath.Join(o.Output, "masks")}
	boxed := map[int64]bool{}
	for _, a := range in.Annotations {
		if class[a.CategoryID] == 0 {
			return nil, fmt.Errorf("%w: %s: an annotation of image %d has the category %d, which is not listed", ErrInput, o.Input, a.ImageID, a.CategoryID)
		}
		if !listed[a.ImageID] {
			r.OfNoImage++
			continue
		}
		if !a.hasMask() {
			r.WithoutMask++
			boxed[a.ImageID] = true
		}
		byImage[a.ImageID] = append(byImage[a.ImageID], a)
	}
	r.ImagesWithoutMask = len(boxed)
	for _, im := range in.Images {
		if len(byImage[im.ID]) == 0 {
			r.Unannotated++
		}
	}
	if o.Strict && r.WithoutMask+r.OfNoImage > 0 {
		return nil, fmt.Errorf("%w: %s: %s", ErrInput, o.Input, strings.Join(r.Notes(), "; "))
	}
	var tasks []task
	for _, im := range in.Images {
		objects := byImage[im.ID]
		slices.SortStableFunc(objects, func(a, b instance) int { return cmp.Compare(b.Area, a.Area) })
		file := filepath.FromSlash(im.FileName)
		tasks = append(tasks, task{
			output: filepath.Join(r.Folder, strings.TrimSuffix(file, filepath.Ext(file))+".png"),
			make: func() (*mask.Map, error) {
				m, err := drawInstances(im.Width, im.Height, objects, class)
				if err != nil {
					err = fmt.Errorf("%w: image %s: %w", ErrInput, im.FileName, err)
				}
				return m, err
			},
		})
	}
	if err := all(ctx, tasks, o.Progress, r); err != nil {
		return nil, err
	}
	classes := filepath.Join(o.Output, "classes.txt")
	if err := writeList(classes, names); err != nil {
		return nil, err
	}
	r.Lists = []string{classes}
	if o.Photos != "" {
		return r, linkPhotos(o.Photos, filepath.Join(o.Output, "images"))
	}
	return r, nil
}

// linkPhotos makes a link to the folder of the photos, unless something is there.
func linkPhotos(photos, link string) error {
	if _, err := os.Lstat(link); err == nil {
		return nil
	}
	full, err := filepath.Abs(photos)
	if err != nil {
		return err
	}
	return os.Symlink(full, link)
}

// drawInstances draws objects in order.
func drawInstances(width, height int, objects []instance, class map[int64]uint16) (*mask.Map, error) {
	m, err := mask.New(width, height)
	if err != nil {
		return nil, err
	}
	for _, a := range objects {
		if !a.hasMask() {
			ignoreBox(m, a.Box)
		}
	}
	for _, a := range objects {
		label := class[a.CategoryID]
		if runs := a.Segmentation.runs; runs != nil {
			if err := runs.Draw(m, label); err != nil {
				return nil, err
			}
			continue
		}
		for _, p := range a.Segmentation.polygons {
			if err := drawPolygon(m, p, label); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// ignored is what masks say of pixels that do not count.
const ignored = 255

// ignoreBox marks the pixels that a box x, y, width, height touches; anything else, and
// what lies outside of the image, is left alone.
func ignoreBox(m *mask.Map, box []float64) {
	if len(box) != 4 {
		return
	}
	edge := func(v float64, size int) int { return int(max(0, min(v, float64(size)))) }
	x0, x1 := edge(math.Floor(box[0]), m.Width), edge(math.Ceil(box[0]+box[2]), m.Width)
	y0, y1 := edge(math.Floor(box[1]), m.Height), edge(math.Ceil(box[1]+box[3]), m.Height)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			m.Labels[y*m.Width+x] = ignored
		}
	}
}
