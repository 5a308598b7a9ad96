package output

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/groupvit/groupvit/mask"
)

func cocoRuns(_ context.Context, a *Answer) (any, error) {
	return a.coco(a.Found.Map.COCO), nil
}

func cocoPolygons(_ context.Context, a *Answer) (any, error) {
	return a.coco(a.Found.Map.COCOPolygons), nil
}

// coco adds to a COCO file the score of each region, and how they were made.
func (a *Answer) coco(regions func(file string, labels []string) mask.COCO) mask.COCO {
	c := regions(cmp.Or(a.FileName, a.Record.Photo), a.Found.Labels)
	c.Info = &mask.COCOInfo{Description: fmt.Sprintf("segmented by groupvit, model %s (%.12s), protocol %s", a.Record.Model.Name, a.Record.Model.SHA256, a.Record.Protocol)}
	for i := range c.Annotations {
		for k := range a.Found.Segments {
			if s := &a.Found.Segments[k]; s.ID == c.Annotations[i].Category {
				c.Annotations[i].Score = &s.Score
			}
		}
	}
	return c
}

func yolo(_ context.Context, w io.Writer, a *Answer) error { return a.Found.Map.WriteYOLO(w) }

func labelMe(_ context.Context, w io.Writer, a *Answer) error {
	return a.Found.Map.WriteLabelMe(w, cmp.Or(a.ImagePath, a.Record.Photo), a.Found.Labels)
}

func geoJSON(_ context.Context, w io.Writer, a *Answer) error {
	return a.Found.Map.WriteGeoJSON(w, a.Found.Labels, a.Place.Affine, a.Place.EPSG)
}

// shape is a label's region in some form.
type shape func(m *mask.Map, label uint16) any

// regionFile makes an object of the photo and its segments, each with its shape under
// a key.
func regionFile(key string, of shape) func(context.Context, *Answer) (any, error) {
	return func(_ context.Context, a *Answer) (any, error) {
		return map[string]any{
			"photo": a.Record.Photo, "width": a.Record.Width, "height": a.Record.Height, "segments": a.segments(key, of),
		}, nil
	}
}

// regionList makes the list of segments alone.
func regionList(key string, of shape) func(context.Context, *Answer) (any, error) {
	return func(_ context.Context, a *Answer) (any, error) { return a.segments(key, of), nil }
}

func runLengths(m *mask.Map, label uint16) any { return m.RLE(label) }

func polygonsOf(m *mask.Map, label uint16) any { return m.Polygons(label) }

// segments are those of the answer with their shapes under a key.
func (a *Answer) segments(key string, of shape) []map[string]any {
	list := []map[string]any{}
	for _, s := range a.Found.Segments {
		list = append(list, map[string]any{"id": s.ID, "label": s.Label, key: of(a.Found.Map, uint16(s.ID))})
	}
	return list
}
