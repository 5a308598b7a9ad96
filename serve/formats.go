package serve

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// answer is a photograph and what was found in it.
type answer struct {
	name  string
	photo *imaging.Image // nil unless a format needs it
	found *groupvit.Segmentation
}

// format is a form in which a map can be asked for.
type format struct {
	name string
	// photo says that it draws on the photograph, scores that it needs those.
	photo, scores bool
	// png says that it is a picture, which can be the whole answer.
	png  bool
	make func(context.Context, *answer) (any, error)
}

// formats by the names that they have in the command as well.
var formats = []format{
	{name: "overlay", photo: true, png: true, make: overlay},
	{name: "mask", png: true, make: func(_ context.Context, a *answer) (any, error) {
		return encodePNG(a.found.Map)
	}},
	{name: "coco", make: func(_ context.Context, a *answer) (any, error) { return a.found.Map.COCO(a.name, a.found.Labels), nil }},
	{name: "rle", make: func(_ context.Context, a *answer) (any, error) {
		return regions(a, "rle", func(label uint16) any { return a.found.Map.RLE(label) }), nil
	}},
	{name: "polygons", make: func(_ context.Context, a *answer) (any, error) {
		return regions(a, "polygons", func(label uint16) any { return a.found.Map.Polygons(label) }), nil
	}},
	{name: "npy", scores: true, make: func(_ context.Context, a *answer) (any, error) {
		var b bytes.Buffer
		m := a.found.Map
		err := mask.WriteNPY(&b, a.found.Scores, len(a.found.Labels), m.Height, m.Width)
		return b.Bytes(), err
	}},
	{name: "planes", make: planes},
}

// parseFormats finds formats by name.
func parseFormats(names []string) ([]format, error) {
	var list []format
	for _, n := range names {
		i := slices.IndexFunc(formats, func(f format) bool { return f.name == n })
		if i < 0 {
			var all []string
			for _, f := range formats {
				all = append(all, f.name)
			}
			return nil, kindOption.because("there is no format %.40q, there are %s", n, strings.Join(all, ", "))
		}
		if !slices.ContainsFunc(list, func(f format) bool { return f.name == n }) {
			list = append(list, formats[i])
		}
	}
	return list, nil
}

func overlay(_ context.Context, a *answer) (any, error) {
	picture, err := render.Overlay(a.photo, a.found.Map, a.found.Labels, nil)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = png.Encode(&b, picture)
	return b.Bytes(), err
}

// regions are the segments with their shapes under a key.
func regions(a *answer, key string, shape func(label uint16) any) []map[string]any {
	list := []map[string]any{}
	for _, s := range a.found.Segments {
		list = append(list, map[string]any{"id": s.ID, "label": s.Label, key: shape(uint16(s.ID))})
	}
	return list
}

// checkScores refuses answers that would be too large, before they are made.
func checkScores(labels, width, height int, files []format) error {
	if !slices.ContainsFunc(files, func(f format) bool { return f.scores }) {
		return nil
	}
	return limits.Check("number of class scores", "format npy", int64(labels)*int64(width)*int64(height), limits.ServeScores,
		fmt.Sprintf("ask for fewer labels or a smaller result_side than %d", max(width, height)))
}
