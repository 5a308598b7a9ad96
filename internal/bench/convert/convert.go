// Package convert turns annotations, as data sets publish them, into the masks that
// package bench reads. One file a source. What is written already is left alone, so
// that a conversion which was broken off goes on.
package convert

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/parallel"
	"github.com/groupvit/groupvit/internal/shards"
	"github.com/groupvit/groupvit/mask"
)

// ErrInput is wrapped by errors about annotations that are not what they should be.
var ErrInput = errors.New("bad annotations")

// Options say what to convert.
type Options struct {
	// Input is the data set's folder or file, Output the folder of the results; ""
	// is the input's.
	Input, Output string
	// Strict makes an error of what a conversion would leave out or could only count.
	Strict bool
	// Photos is the folder of the photos, where a source needs it.
	Photos string
	// Layout is what coco-json writes: [LayoutFolder], the default, or
	// [LayoutCOCOObject].
	Layout string
	// Progress, if set, is called from one goroutine at a time with the number of
	// files done, and of all.
	Progress func(done, all int)
}

// Result says what a conversion has written.
type Result struct {
	// Written and Kept are the masks made now, and those that were there.
	Written int `json:"written"`
	Kept    int `json:"kept"`
	// Folder is where they are.
	Folder string `json:"folder"`
	// Lists are files beside the masks: lists of photos, classes.
	Lists []string `json:"lists,omitempty"`
	// WithoutMask are objects of which only a box is known, ImagesWithoutMask the
	// images that have some: their boxes are ignored.
	WithoutMask       int `json:"objects_without_mask,omitempty"`
	ImagesWithoutMask int `json:"images_with_such,omitempty"`
	// OfNoImage are objects of images that are not listed: they are left out.
	OfNoImage int `json:"objects_of_no_image,omitempty"`
	// Unannotated are images without any object: all of them is background.
	Unannotated int `json:"images_without_objects,omitempty"`
	// BrokenMasks are objects of whose mask something cannot be drawn; what can be is.
	BrokenMasks int `json:"objects_with_broken_mask,omitempty"`
	// OfNoCategory are objects of categories that are not listed: they are left out.
	OfNoCategory int `json:"objects_of_no_category,omitempty"`
	// SameCategories have the name of one before them, and are one with it;
	// OtherCategories are not among the layout's: their objects are background.
	SameCategories  int `json:"categories_of_one_name,omitempty"`
	OtherCategories int `json:"categories_of_no_class,omitempty"`
	// WithoutPhoto, OtherSize, BadImages and SameImages are images that are left out:
	// without a photo, with one of another size, without a usable name or size, and
	// with the name of one before them.
	WithoutPhoto int `json:"images_without_photo,omitempty"`
	OtherSize    int `json:"images_of_another_size,omitempty"`
	BadImages    int `json:"bad_images,omitempty"`
	SameImages   int `json:"images_of_one_name,omitempty"`
	// SameIDs are images that share an id with one of another name: which objects are
	// whose is not known, and all of them are left out.
	SameIDs int `json:"images_of_one_id,omitempty"`
	// Turned are images that were annotated as they are stored, and turned upright as
	// EXIF says.
	Turned int `json:"images_turned,omitempty"`

	// WithoutMap are photos of VOC's lists that have no label map: the new lists leave
	// them out. Unlisted are masks that no new list names.
	WithoutMap int `json:"listed_without_map,omitempty"`
	Unlisted   int `json:"masks_of_no_list,omitempty"`
	// LeftOut counts files below the input that are no annotations; nil where all are.
	LeftOut *shards.LeftOut `json:"left_out,omitempty"`

	// Broken are images whose annotations cannot be read: they are left out.
	Broken int `json:"broken,omitempty"`

	examples map[*int]string // the first of each count
	failed   map[string]bool // masks that were not made
}

// example counts something and keeps the first of its kind.
func (r *Result) example(count *int, what string) {
	if *count++; *count > 1 {
		return
	}
	if r.examples == nil {
		r.examples = map[*int]string{}
	}
	r.examples[count] = what
}

// leaveFile counts a file that is no annotation.
func (r *Result) leaveFile(path string) {
	if r.LeftOut == nil {
		r.LeftOut = &shards.LeftOut{}
	}
	r.LeftOut.AddFile(filepath.ToSlash(path))
}

// leftOut is how much is not truth as the file has it.
func (r *Result) leftOut() int {
	return r.WithoutMask + r.OfNoImage + r.BrokenMasks + r.OfNoCategory + r.OtherCategories + r.WithoutPhoto + r.OtherSize + r.BadImages + r.SameImages + r.SameIDs
}

// Notes says in words what was left out, or is no truth.
func (r *Result) Notes() []string {
	var notes []string
	if r.WithoutMask > 0 {
		notes = append(notes, fmt.Sprintf("%s no mask, but at most a box, on %s: what no mask covers there is ignored, and is truth of nothing",
			counted(r.WithoutMask, "object has", "objects have"), counted(r.ImagesWithoutMask, "image", "images")))
	}
	if r.OfNoImage > 0 {
		notes = append(notes, counted(r.OfNoImage, "object is", "objects are")+" of images that the file does not list: left out")
	}
	for _, c := range []struct {
		count     *int
		one, many string
		then      string
	}{
		{&r.Broken, "image has", "images have", " broken annotations: left out"},
		{&r.BrokenMasks, "object has", "objects have", " a mask that cannot be drawn, or not whole: left out"},
		{&r.OfNoCategory, "object is", "objects are", " of categories that the file does not list: left out"},
		{&r.SameCategories, "category has", "categories have", " the name of one before: taken as one"},
		{&r.OtherCategories, "category is", "categories are", " none of COCO-Object's: background"},
		{&r.WithoutPhoto, "image has", "images have", " no photo: left out"},
		{&r.OtherSize, "image has", "images have", " a photo of another size: left out"},
		{&r.BadImages, "image has", "images have", " no usable name or size: left out"},
		{&r.SameImages, "image has", "images have", " the name of one before: left out"},
		{&r.SameIDs, "image has", "images have", " an id that another has too: left out with their objects, since whose those are is not known"},
		{&r.WithoutMap, "listed photo has", "listed photos have", " no label map: not in the new lists"},
		{&r.Unlisted, "mask is", "masks are", " of a photo that neither list names: written, and in no list"},
	} {
		if *c.count > 0 {
			notes = append(notes, counted(*c.count, c.one, c.many)+c.then+" (the first: "+r.examples[c.count]+")")
		}
	}
	if left := r.LeftOut.String(); left != "" {
		notes = append(notes, left)
	}
	if r.Turned > 0 {
		notes = append(notes, counted(r.Turned, "image was", "images were")+" annotated as stored: turned upright, as EXIF says")
	}
	if r.Unannotated > 0 {
		notes = append(notes, counted(r.Unannotated, "image has", "images have")+" no object: all background")
	}
	return notes
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Source is a kind of annotations.
type Source struct {
	// Name is what --from takes, Says one line of help.
	Name, Says string
	// Run converts.
	Run func(ctx context.Context, o Options) (*Result, error)
}

// Run converts annotations of a source by its name.
func Run(ctx context.Context, source string, o Options) (*Result, error) {
	for _, s := range Sources() {
		if s.Name == source {
			return s.Run(ctx, o)
		}
	}
	return nil, fmt.Errorf("%w: no source %q", ErrInput, source)
}

// Sources returns all sources.
func Sources() []Source {
	return []Source{
		{"coco-object", "COCO-Stuff's pixel maps to the 80 things of COCO-Object", cocoObject},
		{"coco-stuff", "COCO-Stuff's pixel maps to the train ids of its 171 classes", cocoStuff},
		{"coco-json", "COCO's instances (JSON: polygons, run lengths) to masks and classes.txt", cocoJSON},
		{"context", "PASCAL Context (trainval_merged.json, or a folder of .mat) to 59 classes and background", pascalContext},
		{"cityscapes", "Cityscapes' label ids to train ids", cityscapes},
		{"voc-aug", "SBD's classes (.mat) to more masks for VOC 2012", vocAug},
	}
}

// task is one mask to make.
type task struct {
	output string
	make   func() (*mask.Map, error)
}

// all makes the masks of tasks, several at once. One whose annotations are broken is
// counted and left out, or ends a strict conversion.
func all(ctx context.Context, tasks []task, o Options, r *Result) error {
	var mutex sync.Mutex
	var first error // of broken annotations
	err := parallel.For(ctx, len(tasks), 0, func(_ context.Context, i int) error {
		kept, err := tasks[i].run()
		mutex.Lock()
		defer mutex.Unlock()
		var broken brokenInput
		switch {
		case errors.As(err, &broken) && !o.Strict:
			first = cmp.Or(first, err)
			r.leaveOut(tasks[i].output, err)
		case err != nil:
			return err
		case kept:
			r.Kept++
		default:
			r.Written++
		}
		if o.Progress != nil {
			o.Progress(r.Kept+r.Written+r.Broken, len(tasks))
		}
		return nil
	})
	if err == nil && r.Kept+r.Written == 0 {
		err = first
	}
	return err
}

// brokenInput is an error about the annotations of one image, not about the output.
type brokenInput struct{ error }

func (b brokenInput) Unwrap() error { return b.error }

// leaveOut counts a mask that could not be made.
func (r *Result) leaveOut(output string, err error) {
	r.example(&r.Broken, err.Error())
	if r.failed == nil {
		r.failed = map[string]bool{}
	}
	r.failed[output] = true
}

// made are the names whose masks, NAME.png in the result's folder, are there.
func (r *Result) made(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return r.failed[filepath.Join(r.Folder, name+".png")] })
}

// run makes the mask unless it is there.
func (t task) run() (kept bool, err error) {
	if _, err := os.Stat(t.output); err == nil {
		return true, nil
	}
	m, err := t.make()
	if err != nil {
		return false, brokenInput{err}
	}
	var b bytes.Buffer
	if err := m.EncodePNG(&b, nil); err != nil {
		return false, fmt.Errorf("%s: %w", t.output, err)
	}
	return false, write(t.output, b.Bytes())
}

// write writes a file under another name and renames it.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	temporary := path + ".part"
	if err := os.WriteFile(temporary, content, 0o666); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// writeList writes one name a line.
func writeList(path string, names []string) error {
	return write(path, []byte(strings.Join(names, "\n")+"\n"))
}

// filesBelow lists the files below a folder whose names have an ending and not
// another, sorted. Files with neither are counted as left out.
func (r *Result) filesBelow(dir, ending string, not ...string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		for _, other := range not {
			if strings.HasSuffix(path, other) {
				return nil
			}
		}
		if !strings.HasSuffix(path, ending) {
			r.leaveFile(path)
			return nil
		}
		list = append(list, path)
		return limits.Check("the number of files", dir, int64(len(list)), limits.DatasetPhotos, "convert a part")
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: there is no *%s below %s", ErrInput, ending, dir)
	}
	slices.Sort(list)
	return list, nil
}

// table gives each value of a mask another; −1 is a value that must not occur.
type table [256]int

// newTable maps everything to one value.
func newTable(value int) *table {
	var t table
	for i := range t {
		t[i] = value
	}
	return &t
}

// relabel reads a mask and gives its pixels other values.
func (t *table) relabel(path string) (*mask.Map, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := mask.DecodePNG(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, l := range m.Labels {
		if l > 255 || t[l] < 0 {
			return nil, fmt.Errorf("%w: %s: value %d at (%d, %d) is no class", ErrInput, path, l, i%m.Width, i/m.Width)
		}
		m.Labels[i] = uint16(t[l])
	}
	return m, nil
}

// relabelTree gives the masks below the folders of some splits other values and
// writes them beside, or at the same place below another folder.
func relabelTree(ctx context.Context, o Options, tree string, from, to string, not []string, t *table) (*Result, error) {
	root := filepath.Join(o.Input, tree)
	r := &Result{Folder: filepath.Join(cmp.Or(o.Output, o.Input), tree)}
	files, err := r.filesBelow(root, from, append(not, to)...)
	if err != nil {
		return nil, err
	}
	var tasks []task
	for _, path := range files {
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, task{
			output: filepath.Join(r.Folder, strings.TrimSuffix(rel, from)+to),
			make:   func() (*mask.Map, error) { return t.relabel(path) },
		})
	}
	return r, all(ctx, tasks, o, r)
}
