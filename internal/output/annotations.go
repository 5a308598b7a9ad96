package output

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"io"

	"github.com/groupvit/groupvit/mask"
)

func cocoRuns(_ context.Context, a *Answer) (any, error) {
	return a.coco((*mask.Map).COCO), nil
}

func cocoPolygons(_ context.Context, a *Answer) (any, error) {
	return a.coco((*mask.Map).COCOPolygons), nil
}

// region is a segment, or an instance of one.
type region struct {
	id, category int
	label        string
	box          image.Rectangle
	score        float64
}

// regions are the segments and the map of their numbers, or the instances where they are
// asked for.
func (a *Answer) regions() (list []region, m *mask.Map) {
	box := func(b [4]int) image.Rectangle { return image.Rect(b[0], b[1], b[2], b[3]) }
	if a.Parts == nil {
		for _, s := range a.Found.Segments {
			list = append(list, region{s.ID, s.ID, s.Label, box(s.Box), s.Score})
		}
		return list, a.Found.Map
	}
	for _, i := range a.Parts.List {
		list = append(list, region{i.ID, i.LabelID, i.Label, box(i.Box), i.Score})
	}
	return list, a.Parts.Map
}

// coco makes a COCO file with an annotation a region, its score, and how they were made.
func (a *Answer) coco(form func(m *mask.Map, file string, labels []string) mask.COCO) mask.COCO {
	list, m := a.regions()
	names := a.Found.Labels
	if a.Parts != nil {
		names = make([]string, len(list))
	}
	c := form(m, cmp.Or(a.FileName, a.Record.Photo), names)
	c.Info = &mask.COCOInfo{Description: fmt.Sprintf("segmented by groupvit, model %s (%.12s), protocol %s", a.Record.Model.Name, a.Record.Model.SHA256, a.Record.Protocol)}
	byID := map[int]region{}
	for _, r := range list {
		byID[r.id] = r
	}
	for i := range c.Annotations {
		to := &c.Annotations[i]
		if r, known := byID[to.Category]; known {
			to.Category, to.Score = r.category, &r.score
		}
	}
	c.Categories = []mask.COCOCategory{}
	for i, name := range a.Found.Labels {
		c.Categories = append(c.Categories, mask.COCOCategory{ID: i + 1, Name: name})
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

// shape makes the shapes of regions in some form: of region i.
type shape func(m *mask.Map, list []region) func(i int) any

// regionFile makes an object of the photo and its regions, each with its shape under a
// key.
func regionFile(key string, of shape) func(context.Context, *Answer) (any, error) {
	return func(_ context.Context, a *Answer) (any, error) {
		return map[string]any{
			"photo": a.Record.Photo, "width": a.Record.Width, "height": a.Record.Height, "segments": a.shapes(key, of),
		}, nil
	}
}

// regionList makes the list of regions alone.
func regionList(key string, of shape) func(context.Context, *Answer) (any, error) {
	return func(_ context.Context, a *Answer) (any, error) { return a.shapes(key, of), nil }
}

func runLengths(m *mask.Map, list []region) func(int) any {
	most := 0
	for _, r := range list {
		most = max(most, r.id)
	}
	all := m.RLEs(most)
	return func(i int) any { return all[list[i].id-1] }
}

func polygonsOf(m *mask.Map, list []region) func(int) any {
	return func(i int) any { return m.PolygonsIn(list[i].box, uint16(list[i].id)) }
}

// shapes are the regions of the answer with their shapes under a key.
func (a *Answer) shapes(key string, of shape) []map[string]any {
	regions, m := a.regions()
	shapeOf := of(m, regions)
	list := []map[string]any{}
	for i, r := range regions {
		one := map[string]any{"id": r.id, "label": r.label, key: shapeOf(i)}
		if a.Parts != nil {
			one["label_id"] = r.category
		}
		list = append(list, one)
	}
	return list
}
