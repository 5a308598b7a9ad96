package evaluate

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

// Names in the folder of a measurement.
const (
	doneName       = "done.jsonl"
	predictionsDir = "predictions"
)

// ErrOtherQuestion says that a folder holds what was measured for another question.
var ErrOtherQuestion = errors.New("the folder holds another measurement")

// ErrInUse says that another measurement is writing to the folder.
var ErrInUse = errors.New("another measurement writes to the folder")

// doneFile keeps what is counted, a line a photo, so that a measurement can go on
// after it was broken off at any point. A nil doneFile keeps nothing.
type doneFile struct {
	folder string
	file   *os.File
	lock   *flock.Flock
}

// doneHeader is the first line.
type doneHeader struct {
	Question string `json:"question"`
	// Says is what the question was, for people.
	Says string `json:"says"`
}

// question says what decides the numbers.
func (r *run) question() string {
	ids := sha256.New()
	for _, s := range r.dataset.Samples {
		fmt.Fprintf(ids, "%s\n", s.ID)
	}
	d := r.dataset
	asked := []string{
		"dataset " + d.Name, "classes " + strings.Join(d.Names(), ","), fmt.Sprintf("%d photos %x", len(d.Samples), ids.Sum(nil)[:8]),
		fmt.Sprintf("thresholds %v", r.thresholds), "oracle " + string(r.options.Oracle),
	}
	if d.Background < 0 { // earlier versions counted other boundaries
		asked = append(asked, "boundaries between labelled pixels")
	}
	return strings.Join(append(asked, r.options.Question...), "; ")
}

// openDone opens or begins the file in a folder, which it locks against a second
// measurement until close, and returns what it holds, a place a photo. A line that was
// not written whole is dropped.
func openDone(folder, question string, d *bench.Dataset, maps int) (*doneFile, []imageCounts, error) {
	counts := make([]imageCounts, len(d.Samples))
	if folder == "" {
		return nil, counts, nil
	}
	if err := os.MkdirAll(filepath.Join(folder, predictionsDir), 0o777); err != nil {
		return nil, nil, err
	}
	path := filepath.Join(folder, doneName)
	lock := flock.New(path + ".lock")
	if ok, err := lock.TryLock(); !ok {
		return nil, nil, errors.Join(fmt.Errorf("%w: %s: let it end, or name another folder", ErrInUse, folder), err)
	}
	done := &doneFile{folder: folder, lock: lock}
	if err := done.open(path, question, d, maps, counts); err != nil {
		return nil, nil, errors.Join(err, done.close())
	}
	return done, counts, nil
}

// open opens the file at the end of its whole lines.
func (d *doneFile) open(path, question string, data *bench.Dataset, maps int, counts []imageCounts) error {
	whole, err := readDone(path, question, data, maps, counts)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if d.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666); err != nil {
		return err
	}
	if err = d.file.Truncate(whole); err == nil {
		_, err = d.file.Seek(whole, io.SeekStart)
	}
	if err == nil && whole == 0 {
		err = d.line(doneHeader{Question: hashOf(question), Says: question})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// readDone fills counts and returns the length of the whole lines.
func readDone(path, question string, d *bench.Dataset, maps int, counts []imageCounts) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReader(io.LimitReader(f, limits.DoneBytes))
	var whole int64
	places := map[string]int{}
	for i, s := range d.Samples {
		places[s.ID] = i
	}
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return whole, nil // the end, or a torn line
		}
		if number == 1 {
			var h doneHeader
			if json.Unmarshal(line, &h) != nil || h.Question != hashOf(question) {
				return 0, fmt.Errorf("%w: %s is of (%.400s): name another folder or remove it", ErrOtherQuestion, path, h.Says)
			}
		} else {
			c, err := parseDone(line, len(d.Classes), maps)
			if err != nil {
				return 0, fmt.Errorf("%s line %d: %w: remove the file to begin again", path, number, err)
			}
			i, ok := places[c.ID]
			if !ok {
				return 0, fmt.Errorf("%s line %d: photo %.80q is not in the dataset: remove the file to begin again", path, number, c.ID)
			}
			counts[i] = c
		}
		whole += int64(len(line))
	}
}

// parseDone reads a photo's line.
func parseDone(line []byte, classes, maps int) (imageCounts, error) {
	var c imageCounts
	if err := json.Unmarshal(line, &c); err != nil {
		return c, err
	}
	if c.ID == "" || len(c.Maps) != maps {
		return c, fmt.Errorf("photo %.80q has %d maps, expected %d", c.ID, len(c.Maps), maps)
	}
	for _, m := range c.Maps {
		if !m.fits(classes) {
			return c, fmt.Errorf("photo %.80q has classes or areas that cannot be", c.ID)
		}
	}
	for _, b := range c.Boundaries {
		if b[0] < 0 || b[0] >= int64(classes) {
			return c, fmt.Errorf("photo %.80q has the boundary of a class that cannot be", c.ID)
		}
	}
	return c, nil
}

// add appends a photo.
func (d *doneFile) add(c imageCounts) error {
	if d == nil {
		return nil
	}
	return d.line(c)
}

func (d *doneFile) line(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = d.file.Write(append(b, '\n'))
	}
	return err
}

// keepMap writes the predicted map of a photo: an indexed PNG in labels of the
// dataset's classes.
func (d *doneFile) keepMap(id string, labels []uint8, width int) error {
	if d == nil {
		return nil
	}
	m := &mask.Map{Width: width, Height: len(labels) / width, Labels: make([]uint16, len(labels))}
	for i, l := range labels {
		m.Labels[i] = uint16(l)
	}
	var b bytes.Buffer
	if err := m.EncodePNG(&b, nil); err != nil {
		return err
	}
	return writeWhole(predictionPath(d.folder, id), b.Bytes())
}

func predictionPath(folder, id string) string {
	return filepath.Join(folder, predictionsDir, filepath.FromSlash(id)+".png")
}

// writeWhole writes a file under another name and renames it.
func writeWhole(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	temporary := path + ".part"
	if err := os.WriteFile(temporary, content, 0o666); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// close closes the file, if it was opened, and lets others have the folder.
func (d *doneFile) close() error {
	if d == nil {
		return nil
	}
	var err error
	if d.file != nil {
		err = d.file.Close()
	}
	return errors.Join(err, d.lock.Unlock())
}
