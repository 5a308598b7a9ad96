package selftrain

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/limits"
)

// ErrOutput is wrapped by errors about a folder that something else was written into.
var ErrOutput = errors.New("the folder holds something else")

// The files of a folder of labelled shards that are no shards.
const (
	// recordFile says what made the shards, doneFile which of them are whole and
	// what they hold, a line each.
	recordFile = "labels.json"
	doneFile   = "labels.jsonl"
)

// record is what decides the content of a folder of labelled shards.
type record struct {
	Format     int             `json:"format"`
	Models     []groupvit.Info `json:"models"`
	Precision  string          `json:"precision"`
	Settings   Settings        `json:"settings"`
	Vocabulary string          `json:"vocabulary_sha256"`
	Sources    string          `json:"sources_fingerprint"`
	Samples    int             `json:"samples"`
	ShardSize  int             `json:"shard_size"`
	Share      float64         `json:"share"`
	Limit      int             `json:"limit"`
	Seed       uint64          `json:"seed"`
	// Bonuses are what balance found, by word: [among things, against stuff].
	Bonuses map[string][2]float64 `json:"bonuses,omitempty"`
}

// recordFormat is the version of these files.
const recordFormat = 1

// done is a line of doneFile.
type done struct {
	Shard   int     `json:"shard"`
	File    string  `json:"file,omitempty"` // "" where no sample could be used
	Bytes   int64   `json:"bytes"`
	Summary Summary `json:"summary"`
}

// resume reads what an earlier run left in the folder. Its record replaces r's
// bonuses; found is false in a new folder. It is an error, which names what differs,
// where another run wrote there.
func (r *record) resume(dir string) (finished map[int]done, found bool, err error) {
	path := filepath.Join(dir, recordFile)
	b, err := readLimited(path, limits.LabelRecordBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, freshFolder(dir)
	}
	if err != nil {
		return nil, false, err
	}
	var old record
	if err := json.Unmarshal(b, &old); err != nil {
		return nil, false, fmt.Errorf("%w: %s: %w: remove the folder or name another", ErrOutput, path, err)
	}
	if what := r.differs(&old); what != "" {
		return nil, false, fmt.Errorf("%w: %s was labelled with another %s: name a new folder, or remove that one", ErrOutput, dir, what)
	}
	r.Bonuses = old.Bonuses
	finished, err = readDone(dir)
	return finished, true, err
}

// freshFolder refuses a folder with something in it.
func freshFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		return fmt.Errorf("%w: %s is not empty (%s) and has no %s: name a new folder", ErrOutput, dir, e.Name(), recordFile)
	}
	return nil
}

// differs names the first difference that matters between two records; where a model
// lies does not.
func (r *record) differs(old *record) string {
	hashes := func(r *record) (list []string) {
		for _, m := range r.Models {
			list = append(list, m.SHA256)
		}
		return list
	}
	if a, b := hashes(old), hashes(r); !slices.Equal(a, b) {
		return fmt.Sprintf("model (SHA-256 %.12s, now %.12s)", a, b)
	}
	a, b := reflect.ValueOf(*old), reflect.ValueOf(*r)
	for i := range a.NumField() {
		field := a.Type().Field(i)
		switch field.Name {
		case "Models", "Bonuses", "Settings":
			continue
		}
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("%s (%v, now %v)", field.Tag.Get("json"), x, y)
		}
	}
	a, b = a.FieldByName("Settings"), b.FieldByName("Settings")
	for i := range a.NumField() {
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("setting %s (%v, now %v)", a.Type().Field(i).Tag.Get("json"), x, y)
		}
	}
	return ""
}

// readDone returns the shards that are whole: those with a line whose file is there
// in its length. What a run was killed in the middle of is made again.
func readDone(dir string) (map[int]done, error) {
	b, err := readLimited(filepath.Join(dir, doneFile), limits.DoneBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	finished := map[int]done{}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, len(b)+1)
	for lines.Scan() {
		var d done
		if json.Unmarshal(lines.Bytes(), &d) != nil {
			continue // cut in the middle
		}
		if d.File != "" {
			info, err := os.Stat(filepath.Join(dir, d.File))
			if err != nil || d.File != filepath.Base(d.File) || !info.Mode().IsRegular() || info.Size() != d.Bytes {
				continue
			}
		}
		finished[d.Shard] = d
	}
	return finished, lines.Err()
}

// finish adds a line about a shard.
func (d done) finish(dir string) error {
	line, err := json.Marshal(d)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, doneFile), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	// A line that was cut must not swallow this one.
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], size-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// write stores the record whole or not at all.
func (r *record) write(dir string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+recordFile+".tmp-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, recordFile))
}

func (r *record) setBonuses(w *Words, list []bonus) {
	r.Bonuses = map[string][2]float64{}
	for i, b := range list {
		if b != (bonus{}) {
			r.Bonuses[w.names[i]] = [2]float64{b.among, b.against}
		}
	}
}

// bonuses are those of the record by word.
func (r *record) bonuses(w *Words) ([]bonus, error) {
	list := make([]bonus, len(w.names))
	for name, b := range r.Bonuses {
		i, ok := w.index[name]
		if !ok || math.IsNaN(b[0]+b[1]) || math.IsInf(b[0]+b[1], 0) {
			return nil, fmt.Errorf("%w: %s: bonus %v of %q: remove the folder or name another", ErrOutput, recordFile, b, name)
		}
		list[i] = bonus{b[0], b[1]}
	}
	return list, nil
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil {
		err = limits.Check("size in bytes", path, int64(len(b)), limit, "remove it")
	}
	return b, err
}
