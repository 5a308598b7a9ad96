package output

import (
	"context"
	"io"
	"slices"
	"strings"
)

// Format is a form in which an answer can be had: a file, a value of the server's
// JSON, or both.
type Format struct {
	// Name is what --format and the API call it.
	Name string
	// Folder and Ending make the path of its file: Folder/NAME+Ending. Ending is empty
	// where the command has no such file.
	Folder, Ending string
	// Says is what it holds, for lists of formats.
	Says string
	// Served reports that the server has it too.
	Served bool
	// Photo reports that the photo's pixels are needed, Scores that the class scores
	// are.
	Photo, Scores bool
	// Picture is the media type of a picture, which can be a whole answer of the server;
	// "" where it is none.
	Picture string

	// write, value or files makes it: the bytes of a file, what becomes JSON, or several
	// files. served is the server's value where that is another one.
	write         func(context.Context, io.Writer, *Answer) error
	files         func(*Answer) []labelFile
	value, served func(context.Context, *Answer) (any, error)
	indent        bool // of the JSON
}

const pngType = "image/png"

// table has all formats, those of files in the order in which help lists them.
var table = []Format{
	{Name: "overlay", Ending: ".overlay.png", Says: "the photo with colored regions and a legend", Served: true, Photo: true, Picture: pngType, write: overlayPNG},
	{Name: "overlay-jpeg", Ending: ".overlay.jpg", Says: "the same as JPEG: a fourth of the bytes", Served: true, Photo: true, Picture: "image/jpeg", write: overlayJPEG},
	{Name: "overlay-webp", Ending: ".overlay.webp", Says: "the same as WebP: a tenth of the bytes, slower", Served: true, Photo: true, Picture: "image/webp", write: overlayWebP},
	{Name: "cutout", Ending: ".cutout.png", Says: "what each label found, the rest transparent: an RGBA PNG a label", Served: true, Photo: true, files: cutoutFiles, value: cutouts},
	{Name: "mask", Ending: ".mask.png", Says: "indexed PNG: 0 is background, i the i-th label", Served: true, Picture: pngType, write: indexedPNG},
	{Name: "json", Ending: ".json", Says: "what was found, as --json prints it", value: record, indent: true},
	{Name: "npy", Ending: ".npy", Says: "class scores before the decision, float32 [labels, height, width]", Served: true, Scores: true, write: scores},
	{Name: "confidence", Ending: ".confidence.npy", Says: "float32 [3, height, width]: best label, its confidence, runner-up", write: confidence},
	{Name: "coco", Ending: ".coco.json", Says: "COCO's instance file of this photo, regions as run lengths", Served: true, value: cocoRuns},
	{Name: "coco-polygons", Ending: ".coco-polygons.json", Says: "the same, regions as COCO's polygons", value: cocoPolygons},
	{Name: "yolo", Folder: "labels", Ending: ".txt", Says: "YOLO's segmentation text; data.yaml and images/ lie beside labels/", write: yolo},
	{Name: "labelme", Folder: "labelme", Ending: ".json", Says: "LabelMe's polygons", write: labelMe},
	{Name: "cityscapes", Ending: "_labelIds.png", Says: "grey PNG with Cityscapes' numbers, or those of --label-ids", write: cityscapes},
	{Name: "geojson", Ending: ".geojson", Says: "polygons where a georeferenced TIFF lies, in its own coordinates", write: geoJSON},
	{Name: "rle", Ending: ".rle.json", Says: "regions as COCO's run lengths", Served: true, value: regionFile("rle", runLengths), served: regionList("rle", runLengths)},
	{Name: "polygons", Ending: ".polygons.json", Says: "regions as polygons with holes, in pixel corners", Served: true, value: regionFile("polygons", polygonsOf), served: regionList("polygons", polygonsOf)},
	{Name: "planes", Says: "labels and confidence of every pixel as compressed bytes", Served: true, value: planes},
}

// Files returns the formats of files.
func Files() []Format { return filter(func(f Format) bool { return f.Ending != "" }) }

// Served returns the formats of the server.
func Served() []Format { return filter(func(f Format) bool { return f.Served }) }

func filter(keep func(Format) bool) []Format {
	var list []Format
	for _, f := range table {
		if keep(f) {
			list = append(list, f)
		}
	}
	return list
}

// Names returns the names of formats.
func Names(list []Format) []string {
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = f.Name
	}
	return names
}

// Find returns the formats that are named, each once, in the order of the table;
// unknown is the first name that none of all has, or "".
func Find(all []Format, names []string) (found []Format, unknown string) {
	for _, n := range names {
		if !Has(all, n) {
			return nil, n
		}
	}
	for _, f := range all {
		if slices.Contains(names, f.Name) {
			found = append(found, f)
		}
	}
	return found, ""
}

// Has reports whether a format is in a list.
func Has(list []Format, name string) bool {
	return slices.ContainsFunc(list, func(f Format) bool { return f.Name == name })
}

// Path is the path of the file for the photo whose results are called name, with
// slashes, below the folder of the results. A format with a file a label has LABEL in it.
func (f Format) Path(name string) string {
	if f.files != nil {
		name += ".LABEL"
	}
	return f.path(name)
}

func (f Format) path(name string) string {
	path := name + f.Ending
	if f.Folder != "" {
		path = f.Folder + "/" + path
	}
	return path
}

// IsResult reports whether a file is, by its name, one that a format has written beside
// photos. Endings that others have too (".json") do not tell.
func IsResult(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(table, func(f Format) bool {
		ours := strings.Count(f.Ending, ".") > 1 || strings.HasPrefix(f.Ending, "_")
		return ours && strings.HasSuffix(name, strings.ToLower(f.Ending))
	})
}
