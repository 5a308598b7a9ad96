package mask

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// COCOJoiner joins COCO files of single photos into the file of a run. It holds one of
// them at a time in memory, and the categories: images go straight to the output,
// annotations through a scratch file.
//
// Images and annotations get new numbers, from 1 in the order in which they come;
// categories of one name become one, numbered in the order in which they first come.
type COCOJoiner struct {
	// Polygons turns run lengths into polygons ([Map.COCOPolygons]).
	Polygons bool

	out, scratch        *bufio.Writer
	file                io.ReadWriteSeeker
	images, annotations int
	categories          map[string]int
	names               []string
}

// NewCOCOJoiner begins a file. scratch must be empty; it is the caller's to remove.
func NewCOCOJoiner(out io.Writer, scratch io.ReadWriteSeeker) *COCOJoiner {
	return &COCOJoiner{out: bufio.NewWriterSize(out, 1<<16), scratch: bufio.NewWriterSize(scratch, 1<<16), file: scratch, categories: map[string]int{}}
}

// Counts says how many images and annotations there are so far.
func (j *COCOJoiner) Counts() (images, annotations int) { return j.images, j.annotations }

// Add takes a file in. After an error that wraps ErrFormat, ErrSize or ErrTooLarge
// nothing of it has been written, and others can be added.
func (j *COCOJoiner) Add(c *COCO) error {
	images, categories := map[int]int{}, map[int]string{}
	sizes := map[int]COCOImage{}
	for i, image := range c.Images {
		if err := checkSize(image.Width, image.Height); err != nil {
			return fmt.Errorf("coco, image %d: %w", image.ID, err)
		}
		images[image.ID], sizes[image.ID] = j.images+i+1, image
	}
	for _, k := range c.Categories {
		categories[k.ID] = k.Name
	}
	if len(images) != len(c.Images) || len(categories) != len(c.Categories) {
		return fmt.Errorf("coco: %w: a number stands for two images or categories", ErrFormat)
	}
	for i := range c.Annotations {
		a := &c.Annotations[i]
		if _, ok := categories[a.Category]; !ok || images[a.Image] == 0 {
			return fmt.Errorf("coco, annotation %d: %w: there is no category %d or no image %d", a.ID, ErrFormat, a.Category, a.Image)
		}
		if err := j.shape(a, sizes[a.Image]); err != nil {
			return fmt.Errorf("coco, annotation %d: %w", a.ID, err)
		}
	}
	return j.write(c, images, categories)
}

// shape brings a region into the form asked for.
func (j *COCOJoiner) shape(a *COCOAnnotation, of COCOImage) error {
	if !j.Polygons || a.Segmentation.RLE == nil {
		return nil
	}
	m, err := New(of.Width, of.Height)
	if err == nil {
		err = a.Segmentation.Draw(m, 1)
	}
	if err == nil {
		a.Segmentation = m.cocoPolygons(m.Stats(1)[1])
	}
	return err
}

// write writes a file that has been checked, under its new numbers.
func (j *COCOJoiner) write(c *COCO, images map[int]int, categories map[int]string) error {
	for _, k := range c.Categories {
		j.category(k.Name)
	}
	for _, image := range c.Images {
		image.ID = images[image.ID]
		before := ",\n"
		if j.images == 0 {
			before = `{"images":[` + "\n"
		}
		j.images++
		if err := element(j.out, before, image); err != nil {
			return err
		}
	}
	for _, a := range c.Annotations {
		before := ",\n"
		if j.annotations == 0 {
			before = "\n"
		}
		j.annotations++
		a.ID, a.Image, a.Category = j.annotations, images[a.Image], j.category(categories[a.Category])
		if err := element(j.scratch, before, a); err != nil {
			return err
		}
	}
	return nil
}

// category is the number of a name.
func (j *COCOJoiner) category(name string) int {
	id, ok := j.categories[name]
	if !ok {
		j.names = append(j.names, name)
		id = len(j.names)
		j.categories[name] = id
	}
	return id
}

func element(w io.Writer, before string, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append([]byte(before), b...))
	}
	return err
}

// Close writes the annotations and categories. It closes no file.
func (j *COCOJoiner) Close() error {
	if j.images == 0 {
		j.out.WriteString(`{"images":[`)
	}
	j.out.WriteString("],\n\"annotations\":[")
	err := j.scratch.Flush()
	if err == nil {
		_, err = j.file.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(j.out, j.file)
	}
	list := []COCOCategory{}
	for i, name := range j.names {
		list = append(list, COCOCategory{ID: i + 1, Name: name})
	}
	err = errors.Join(err, element(j.out, "],\n\"categories\":", list))
	j.out.WriteString("}\n")
	return errors.Join(err, j.out.Flush())
}
