package photos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/geotiff"
	"github.com/groupvit/groupvit/internal/output"
	"github.com/groupvit/groupvit/internal/textio"
	"github.com/groupvit/groupvit/mask"
)

// classesName is the file that names YOLO's classes, one a line.
const classesName = "classes.txt"

// yoloName is the file that describes YOLO's data set.
const yoloName = "data.yaml"

// asks reports whether a format is among those to write.
func (j *segmentJob) asks(name string) bool { return output.Has(j.files, name) }

// labelNames are the names of the labels asked for, without their synonyms.
func (j *segmentJob) labelNames() []string {
	var names []string
	for _, l := range j.labels {
		name, _, _ := strings.Cut(l, "|")
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// writeClasses writes the lists of classes that belong to YOLO's texts, if those are
// asked for: classes.txt and data.yaml in a folder, or classes.txt beside a tar. Ones
// that are there and differ belong to other texts, and are replaced with overwrite
// alone.
func (j *segmentJob) writeClasses(out string, overwrite bool) error {
	if !j.asks("yolo") {
		return nil
	}
	names := j.labelNames()
	for _, n := range names {
		if strings.ContainsAny(n, "\r\n") {
			return command.Usagef("--labels: %q: %s has a line for each label, which cannot hold another", n, classesName)
		}
	}
	lists := map[string][]byte{}
	classes := []byte(strings.Join(names, "\n") + "\n")
	if base, ok := strings.CutSuffix(out, ".tar"); ok {
		lists[base+"."+classesName] = classes
	} else {
		lists[filepath.Join(out, classesName)] = classes
		lists[filepath.Join(out, yoloName)] = yoloData(names)
	}
	for _, path := range slices.Sorted(maps.Keys(lists)) {
		before, err := os.ReadFile(path)
		switch {
		case err == nil && bytes.Equal(before, lists[path]):
			continue
		case err == nil && !overwrite:
			return fmt.Errorf("%s has other classes than --labels, and the texts beside it have their numbers; name another --output, or replace it with --overwrite", path)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := command.StoreBytes(path, lists[path]); err != nil {
			return err
		}
	}
	return nil
}

// yoloData is YOLO's description of a data set: where its photos are, from the file's
// own folder, and what its classes are called.
func yoloData(names []string) []byte {
	var b bytes.Buffer
	b.WriteString("train: images\nval: images\nnames:\n")
	for i, n := range names {
		fmt.Fprintf(&b, "  %d: %s\n", i, strconv.Quote(n))
	}
	return b.Bytes()
}

// ids are the numbers of the labels, if format cityscapes is asked for.
func (f *segmentFlags) ids(j *segmentJob) ([]uint8, error) {
	if !j.asks("cityscapes") {
		if f.labelIDs != "" {
			return nil, command.Usagef("--label-ids is for --format cityscapes")
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
		if table, err = mask.ReadIDs(textio.NewReader(file)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.labelIDs, err)
		}
	}
	var ids []uint8
	for _, name := range j.labelNames() {
		id, ok := table[name]
		if !ok {
			return nil, command.Usagef("--format cityscapes: label %q has no number in %s", name, from)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// placeOf reads where a photo lies, if format geojson is asked for, and counts those
// whose coordinate system is not known.
func (j *segmentJob) placeOf(photo string, r io.ReaderAt) (*geotiff.Place, error) {
	if !j.asks("geojson") {
		return nil, nil
	}
	place, err := geotiff.Read(r)
	if err != nil {
		return nil, fmt.Errorf("%s: format geojson: %w", photo, err)
	}
	if place.EPSG == 0 {
		j.unplaced.add(photo, place.UserDefined)
	}
	return &place, nil
}

// unplaced counts photos with coordinates of a system that is not known, and remembers
// the first. It is safe for concurrent use.
type unplaced struct {
	mutex       sync.Mutex
	first       string
	photos, own int
}

func (u *unplaced) add(photo string, own bool) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if u.photos == 0 {
		u.first = photo
	}
	u.photos++
	if own {
		u.own++
	}
}

// tell warns of them.
func (u *unplaced) tell(env *command.Environment) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if u.photos == 0 {
		return
	}
	which := u.first
	if u.photos > 1 {
		which = fmt.Sprintf("%s and %d more", u.first, u.photos-1)
	}
	why := "names no coordinate system"
	if u.own > 0 {
		why = "has a coordinate system of its own (user-defined), without an EPSG number"
	}
	env.Warn("warning: %s %s: its GeoJSON has the coordinates of the file and no \"crs\", which programs then take for longitude and latitude; assign the system there, or write it into the TIFF (gdal_edit.py -a_srs)", which, why)
}
