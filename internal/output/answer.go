package output

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/geotiff"
	"github.com/groupvit/groupvit/internal/imaging"
)

// Answer is a photo and what was found in it.
type Answer struct {
	// Photo is its pixels; nil where no format needs them.
	Photo *imaging.Image
	Found *groupvit.Segmentation
	// Record is what the format json writes; others take the photo's name from it.
	Record groupvit.Record
	// FileName is what COCO calls the photo, ImagePath where LabelMe finds it from the
	// folder of its JSON file; both are the record's name where they are empty.
	FileName, ImagePath string
	// IDs are the numbers of the labels, by label from 0, for format cityscapes.
	IDs []uint8
	// KeepSpecks draws the smallest parts in overlays and cut-outs too, as they are where
	// the user has said which parts are too small.
	KeepSpecks bool
	// Parts are the instances where regions are to be those, nil where they are labels.
	Parts *groupvit.Instances
	// Place is where the photo lies, for format geojson.
	Place *geotiff.Place
}

// File is a file of a format for a photo.
type File struct {
	// Path is below the folder of the results, with slashes.
	Path string
	// Write writes it. Nil says that there is no such file for this photo: one that is
	// there is of an earlier run.
	Write func(io.Writer) error
}

// Files are those of a format for a photo whose results are called name.
func (f Format) Files(ctx context.Context, a *Answer, name string) []File {
	if f.files == nil {
		return []File{{f.path(name), func(w io.Writer) error { return f.one(ctx, w, a) }}}
	}
	var list []File
	for _, l := range f.files(a) {
		list = append(list, File{f.path(name + "." + l.name), l.write})
	}
	return list
}

// one writes the only file of a format.
func (f Format) one(ctx context.Context, w io.Writer, a *Answer) error {
	if f.write != nil {
		return f.write(ctx, w, a)
	}
	v, err := f.value(ctx, a)
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	if f.indent {
		e.SetIndent("", "  ")
	}
	return e.Encode(v)
}

// Value is what the server sends: a value for JSON, or the bytes of a file.
func (f Format) Value(ctx context.Context, a *Answer) (any, error) {
	switch {
	case f.served != nil:
		return f.served(ctx, a)
	case f.value != nil:
		return f.value(ctx, a)
	}
	var b bytes.Buffer
	err := f.write(ctx, &b, a)
	return b.Bytes(), err
}

func record(_ context.Context, a *Answer) (any, error) { return a.Record, nil }
