package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/geotiff"
	"github.com/groupvit/groupvit/mask"
)

// classesName is the file that names YOLO's classes, one a line.
const classesName = "classes.txt"

// asks tells whether a format is among those to write.
func (j *segmentJob) asks(name string) bool {
	return slices.ContainsFunc(j.files, func(f format) bool { return f.name == name })
}

// labelNames are the names of the labels asked for, without their synonyms.
func (j *segmentJob) labelNames() []string {
	var names []string
	for _, l := range j.labels {
		name, _, _ := strings.Cut(l, "|")
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// writeClasses writes the list of classes if format yolo is asked for.
func (j *segmentJob) writeClasses(path string) error {
	if !j.asks("yolo") {
		return nil
	}
	names := j.labelNames()
	for _, n := range names {
		if strings.ContainsAny(n, "\r\n") {
			return usagef("--labels: %q: %s has a line for each label, which cannot hold another", n, classesName)
		}
	}
	return storeBytes(path, []byte(strings.Join(names, "\n")+"\n"))
}

// batchClasses is where a batch writes the list of classes: in its folder, or beside
// its tar.
func batchClasses(out string) string {
	if base, ok := strings.CutSuffix(out, ".tar"); ok {
		return base + "." + classesName
	}
	return filepath.Join(out, classesName)
}

// ids are the numbers of the labels, if format cityscapes is asked for.
func (f *segmentFlags) ids(j *segmentJob) ([]uint8, error) {
	if !j.asks("cityscapes") {
		if f.labelIDs != "" {
			return nil, usagef("--label-ids is for --format cityscapes")
		}
		return nil, nil
	}
	table, from := mask.CityscapesIDs(), "Cityscapes; --label-ids names a table of your own"
	if f.labelIDs != "" {
		from = f.labelIDs
		file, err := os.Open(f.labelIDs)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		if table, err = mask.ReadIDs(file); err != nil {
			return nil, fmt.Errorf("%s: %w", f.labelIDs, err)
		}
	}
	var ids []uint8
	for _, name := range j.labelNames() {
		id, ok := table[name]
		if !ok {
			return nil, usagef("--format cityscapes: label %q has no number in %s", name, from)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// placeOf reads where a photo lies, if format geojson is asked for.
func (j *segmentJob) placeOf(photo string, r io.ReaderAt) (*geotiff.Place, error) {
	if !j.asks("geojson") {
		return nil, nil
	}
	place, err := geotiff.Read(r)
	if err != nil {
		return nil, fmt.Errorf("%s: format geojson: %w", photo, err)
	}
	return &place, nil
}

// placeOfFile is [segmentJob.placeOf] of a file.
func (j *segmentJob) placeOfFile(path string) (_ *geotiff.Place, err error) {
	if !j.asks("geojson") {
		return nil, nil
	}
	if path == stdinName {
		return nil, usagef("--format geojson reads the photo twice: name a file, not -")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return j.placeOf(path, f)
}
