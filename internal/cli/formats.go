package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/geotiff"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// answer is a photo and what was found in it.
type answer struct {
	photo  *imaging.Image
	found  *groupvit.Segmentation
	result groupvit.Record
	// ids are the numbers of the labels, by label from 0, for format cityscapes.
	ids []uint8
	// place is where the photo lies, for format geojson.
	place *geotiff.Place
}

// format is a file that segment can write for a photo.
type format struct {
	name, ending, says string
	write              func(context.Context, io.Writer, *answer) error
}

var formats = []format{
	{"overlay", ".overlay.png", "the photo with coloured regions and a legend", writeOverlay},
	{"mask", ".mask.png", "indexed PNG: 0 is background, i the i-th label", func(_ context.Context, w io.Writer, a *answer) error {
		return a.found.Map.EncodePNG(w, mask.VOCPalette())
	}},
	{"json", ".json", "what was found, as --json prints it", func(_ context.Context, w io.Writer, a *answer) error {
		return writeIndented(w, a.result)
	}},
	{"npy", ".npy", "class scores before the decision, float32 [labels, height, width]", func(_ context.Context, w io.Writer, a *answer) error {
		return mask.WriteNPY(w, a.found.Scores, len(a.found.Labels), a.found.Map.Height, a.found.Map.Width)
	}},
	{"confidence", ".confidence.npy", "float32 [3, height, width]: best label, its confidence, runner-up", writeConfidence},
	{"coco", ".coco.json", "COCO's instance file of this photo, regions as run lengths", func(_ context.Context, w io.Writer, a *answer) error {
		return json.NewEncoder(w).Encode(a.found.Map.COCO(a.result.Photo, a.found.Labels))
	}},
	{"coco-polygons", ".coco-polygons.json", "the same, regions as COCO's polygons", func(_ context.Context, w io.Writer, a *answer) error {
		return json.NewEncoder(w).Encode(a.found.Map.COCOPolygons(a.result.Photo, a.found.Labels))
	}},
	{"yolo", ".txt", "YOLO's segmentation text; classes.txt beside it names the classes", func(_ context.Context, w io.Writer, a *answer) error {
		return a.found.Map.WriteYOLO(w)
	}},
	{"labelme", ".labelme.json", "LabelMe's polygons", func(_ context.Context, w io.Writer, a *answer) error {
		return a.found.Map.WriteLabelMe(w, a.result.Photo, a.found.Labels)
	}},
	{"cityscapes", "_labelIds.png", "grey PNG with Cityscapes' numbers, or those of --label-ids", func(_ context.Context, w io.Writer, a *answer) error {
		return a.found.Map.EncodeIDs(w, a.ids)
	}},
	{"geojson", ".geojson", "polygons where a georeferenced TIFF lies, in its own coordinates", func(_ context.Context, w io.Writer, a *answer) error {
		return a.found.Map.WriteGeoJSON(w, a.found.Labels, a.place.Affine, a.place.EPSG)
	}},
	{"rle", ".rle.json", "regions as COCO's run lengths", func(_ context.Context, w io.Writer, a *answer) error {
		return writeRegions(w, a, "rle", func(label uint16) any { return a.found.Map.RLE(label) })
	}},
	{"polygons", ".polygons.json", "regions as polygons with holes, in pixel corners", func(_ context.Context, w io.Writer, a *answer) error {
		return writeRegions(w, a, "polygons", func(label uint16) any { return a.found.Map.Polygons(label) })
	}},
}

func formatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// formatHelp lists the formats, one a line.
func formatHelp() string {
	var b strings.Builder
	for _, f := range formats {
		fmt.Fprintf(&b, "  %-13s NAME%-20s %s\n", f.name, f.ending, f.says)
	}
	return b.String()
}

// parseFormats reads the list of files to write; empty is none.
func parseFormats(list string) ([]format, error) {
	var wanted []format
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" || slices.ContainsFunc(wanted, func(f format) bool { return f.name == name }) {
			continue
		}
		i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
		if i < 0 {
			return nil, usagef("--format %q, there are %s", name, strings.Join(formatNames(), ", "))
		}
		wanted = append(wanted, formats[i])
	}
	return wanted, nil
}

func writeOverlay(_ context.Context, w io.Writer, a *answer) error {
	picture, err := render.Overlay(a.photo, a.found.Map, a.found.Labels, nil)
	if err != nil {
		return err
	}
	return png.Encode(w, picture)
}

// writeConfidence writes what another threshold needs: the likeliest label of every
// pixel before any, its confidence (negative where a hidden word is likelier), and the
// label that comes next.
func writeConfidence(ctx context.Context, w io.Writer, a *answer) error {
	c, err := a.found.Confidence(ctx)
	if err != nil {
		return err
	}
	n := len(c.Value)
	values := make([]float32, 3*n)
	copy(values[n:], c.Value)
	for i := range n {
		values[i], values[2*n+i] = float32(c.Likely.Labels[i]), float32(c.RunnerUp.Labels[i])
	}
	return mask.WriteNPY(w, values, 3, c.Likely.Height, c.Likely.Width)
}

// writeRegions writes each segment with its shape under a key.
func writeRegions(w io.Writer, a *answer, key string, shape func(label uint16) any) error {
	segments := []map[string]any{}
	for _, s := range a.found.Segments {
		segments = append(segments, map[string]any{"id": s.ID, "label": s.Label, key: shape(uint16(s.ID))})
	}
	return json.NewEncoder(w).Encode(map[string]any{
		"photo": a.result.Photo, "width": a.result.Width, "height": a.result.Height, "segments": segments,
	})
}

func writeIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
