package convert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
	"github.com/groupvit/groupvit/mask"
)

// Layouts are what coco-json writes: masks/NAME.png and classes.txt, or COCO-Object's.
const (
	LayoutFolder     = "folder"
	LayoutCOCOObject = "coco-object"
)

// cocoRun is a conversion of COCO's instances.
type cocoRun struct {
	Options
	in     *instances
	result *Result
	record record
	// class is the label of each category, names are those of classes.txt.
	class  map[identifier]uint16
	names  []string
	images []placed
	// objects are those of each image.
	objects map[identifier][]instance
}

// cocoJSON reads instances and writes the layout "folder": masks/NAME.png and
// classes.txt, background first, categories by their numbers (of COCO's own file,
// the classes of COCO-Object), those of one name as one; or straight the layout
// "coco-object". All instances of a category are one; where some lie over each other
// the smaller is on top. An instance without a mask, or with one that cannot be drawn,
// is counted, and its box is ignored where no mask covers it: which pixels of it are
// the object's nobody says, so that they are no truth, neither of its class nor of
// background.
func cocoJSON(ctx context.Context, o Options) (*Result, error) {
	o.Layout = cmp.Or(o.Layout, LayoutFolder)
	switch {
	case o.Output == "":
		return nil, fmt.Errorf("%w: name a folder for masks and classes.txt as the output", ErrInput)
	case o.Layout != LayoutFolder && o.Layout != LayoutCOCOObject:
		return nil, fmt.Errorf("%w: layout %q: %s or %s", ErrInput, o.Layout, LayoutFolder, LayoutCOCOObject)
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
	r := &cocoRun{Options: o, result: &Result{}, objects: map[identifier][]instance{}}
	if r.in, err = parseInstances(text); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Input, err)
	}
	r.record = record{"coco-json", fmt.Sprintf("%x", sha256.Sum256(text)), o.Layout}
	r.classes()
	r.placeImages()
	r.sortObjects()
	switch left := r.result.leftOut(); {
	case o.Strict && left > 0:
		return nil, fmt.Errorf("%w: %s: %s", ErrInput, o.Input, strings.Join(r.result.Notes(), "; "))
	case len(r.images) == 0:
		return nil, fmt.Errorf("%w: %s: no image is left: %s", ErrInput, o.Input, strings.Join(r.result.Notes(), "; "))
	}
	if err := r.record.check(o.Output); err != nil {
		return nil, err
	}
	return r.result, r.write(ctx)
}

// classes gives the categories their labels.
func (r *cocoRun) classes() {
	r.class, r.names = map[identifier]uint16{}, []string{vocab.Background}
	known, _ := vocab.Classes(LayoutCOCOObject)
	for _, c := range r.in.Categories {
		name := strings.TrimSpace(strings.NewReplacer(",", " ", "\n", " ", "\r", " ").Replace(c.Name))
		if r.Layout == LayoutCOCOObject {
			if place, err := vocab.Find(known, name); err == nil && place > 0 {
				r.class[c.ID] = uint16(place)
				continue
			}
			r.result.example(&r.result.OtherCategories, fmt.Sprintf("%q", c.Name))
			continue
		}
		same := func(other string) bool { return strings.EqualFold(other, name) }
		if at := slices.IndexFunc(r.names, same); at >= 0 && name != "" {
			if at > 0 {
				r.result.example(&r.result.SameCategories, fmt.Sprintf("%q", c.Name))
			}
			r.class[c.ID] = uint16(at)
			continue
		}
		r.names = append(r.names, cmp.Or(name, "category "+string(c.ID)))
		r.class[c.ID] = uint16(len(r.names) - 1)
	}
}

// placeImages finds the images' photos, and leaves out those that cannot be measured.
func (r *cocoRun) placeImages() {
	common := commonFolder(r.in.Images)
	taken := map[string]bool{}
	names, ambiguous := map[identifier]string{}, map[identifier]bool{}
	for _, im := range r.in.Images {
		if name, again := names[im.ID]; again && name != im.FileName {
			ambiguous[im.ID] = true
		}
		names[im.ID] = im.FileName
	}
	for _, im := range r.in.Images {
		if ambiguous[im.ID] {
			r.result.example(&r.result.SameIDs, fmt.Sprintf("%.80q, id %.40s", im.FileName, im.ID))
			continue
		}
		p, err := place(im, r.Photos, common)
		stem := strings.ToLower(strings.TrimSuffix(p.name, path.Ext(p.name)))
		example := fmt.Sprintf("%.80q: %v", im.FileName, err)
		switch {
		case errors.Is(err, errNoPhoto):
			r.result.example(&r.result.WithoutPhoto, example)
		case errors.Is(err, errSizes):
			r.result.example(&r.result.OtherSize, example)
		case err != nil:
			r.result.example(&r.result.BadImages, example)
		case taken[stem]:
			r.result.example(&r.result.SameImages, fmt.Sprintf("%.80q", im.FileName))
		default:
			taken[stem] = true
			r.images = append(r.images, p)
		}
	}
}

// sortObjects gives the objects to their images, and counts those that have no mask or
// no place.
func (r *cocoRun) sortObjects() {
	sizes := map[identifier]*placed{}
	listed := map[identifier]bool{}
	for i := range r.images {
		sizes[r.images[i].ID] = &r.images[i]
	}
	for _, im := range r.in.Images {
		listed[im.ID] = true
	}
	boxed := map[identifier]bool{}
	for _, a := range r.in.Annotations {
		im := sizes[a.ImageID]
		_, known := r.class[a.CategoryID]
		switch {
		case im == nil:
			if !listed[a.ImageID] {
				r.result.OfNoImage++
			}
			continue
		case !known && r.Layout == LayoutFolder:
			r.result.example(&r.result.OfNoCategory, fmt.Sprintf("category %.40s of image %.80q", a.CategoryID, im.FileName))
			continue
		case !known:
			continue // told with its category
		}
		if why := a.Segmentation.settle(im.width, im.height); why != nil {
			r.result.example(&r.result.BrokenMasks, fmt.Sprintf("%.80q: %v", im.FileName, why))
		}
		if !a.hasMask() {
			r.result.WithoutMask++
			boxed[a.ImageID] = true
		}
		r.objects[a.ImageID] = append(r.objects[a.ImageID], a)
	}
	r.result.ImagesWithoutMask = len(boxed)
	for _, im := range r.images {
		if len(r.objects[im.ID]) == 0 {
			r.result.Unannotated++
		}
		if im.orientation > 1 {
			r.result.Turned++
		}
	}
}

// splitName finds the name of a split in that of COCO's files.
var splitName = regexp.MustCompile(`(train|val|test)\d{4}`)

// write draws the masks and writes what stands beside them.
func (r *cocoRun) write(ctx context.Context) error {
	split := cmp.Or(splitName.FindString(filepath.Base(r.Input)), "val2017")
	masks, end := "masks", ".png"
	if r.Layout == LayoutCOCOObject {
		masks, end = filepath.Join("annotations", split), objectEnd
	}
	r.result.Folder = filepath.Join(r.Output, masks)
	var tasks []task
	for _, im := range r.images {
		objects := r.objects[im.ID]
		slices.SortStableFunc(objects, func(a, b instance) int { return cmp.Compare(b.Area, a.Area) })
		tasks = append(tasks, task{
			output: filepath.Join(r.result.Folder, filepath.FromSlash(strings.TrimSuffix(im.name, path.Ext(im.name)))+end),
			make: func() (*mask.Map, error) {
				m, err := drawInstances(im.width, im.height, objects, r.class)
				if err == nil && im.orientation > 1 {
					m, err = turned(m, im.orientation)
				}
				if err != nil {
					err = fmt.Errorf("%w: image %s: %w", ErrInput, im.FileName, err)
				}
				return m, err
			},
		})
	}
	if err := all(ctx, tasks, r.Options, r.result); err != nil {
		return err
	}
	if r.Layout == LayoutCOCOObject {
		return r.linkEach(filepath.Join(r.Output, "images", split))
	}
	classes := filepath.Join(r.Output, "classes.txt")
	if err := writeList(classes, r.names); err != nil {
		return err
	}
	r.result.Lists = []string{classes}
	if r.Photos != "" {
		return linkPhotos(r.Photos, filepath.Join(r.Output, "images"))
	}
	return nil
}

// linkEach makes a link to each photo: what has no mask would be refused.
func (r *cocoRun) linkEach(folder string) error {
	if r.Photos == "" {
		return nil
	}
	for _, im := range r.images {
		link := filepath.Join(folder, filepath.FromSlash(im.name))
		if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
			return err
		}
		if err := linkPhotos(filepath.Join(r.Photos, filepath.FromSlash(im.name)), link); err != nil {
			return err
		}
	}
	return nil
}

// linkPhotos makes a link to photos or their folder, unless something is there.
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
func drawInstances(width, height int, objects []instance, class map[identifier]uint16) (*mask.Map, error) {
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
func ignoreBox(m *mask.Map, box []number) {
	if len(box) != 4 {
		return
	}
	edge := func(v number, round func(float64) float64, size int) int {
		return int(max(0, min(round(float64(v)), float64(size))))
	}
	x0, x1 := edge(box[0], math.Floor, m.Width), edge(box[0]+box[2], math.Ceil, m.Width)
	y0, y1 := edge(box[1], math.Floor, m.Height), edge(box[1]+box[3], math.Ceil, m.Height)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			m.Labels[y*m.Width+x] = ignored
		}
	}
}
