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
	// Place is where the photo lies, for format geojson.
	Place *geotiff.Place
}

// Write writes the file of a format.
func (f Format) Write(ctx context.Context, w io.Writer, a *Answer) error {
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
