package tune

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// The files and folders of a run.
const (
	recordFile = "tune.json"
	startDir   = "start"
	dataDir    = "data"
	learnDir   = "train"
	heldOutDir = "held-out"
	runDir     = "run"
	finalDir   = "final"
)

// record is tune.json: what decides a run, and what it has found.
type record struct {
	Format int `json:"format"`
	// What follows must be the same where a run is continued.
	Model    string  `json:"model_sha256"`
	Masks    string  `json:"masks_fingerprint"`
	Captions string  `json:"captions"`
	HoldOut  float64 `json:"hold_out"`
	Seed     uint64  `json:"seed"`
	Steps    int     `json:"steps"`
	Batch    int     `json:"batch"`
	// Settings are those that were given above tune's own, KEY=VALUE.
	Settings string `json:"settings"`
	// Data is there once OUTPUT/data is, Before once the first model was measured,
	// Result at the end.
	Data   *data        `json:"data,omitempty"`
	Before *Measurement `json:"before,omitempty"`
	Result *Result      `json:"result,omitempty"`
}

const recordFormat = 1

// prepare makes the folder, or takes over the record of a run that is continued.
func (t *tuning) prepare(fresh record) error {
	if err := os.MkdirAll(t.Output, 0o777); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	entries, err := os.ReadDir(t.Output)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), ".tmp-") { // of a killed run
			if err := os.RemoveAll(filepath.Join(t.Output, e.Name())); err != nil {
				return fmt.Errorf("output: %w", err)
			}
			continue
		}
		if !t.Resume {
			return fmt.Errorf("output: %s is not empty (%s): continue a run with --resume, or name another directory", t.Output, e.Name())
		}
	}
	t.record = fresh
	old, err := readRecord(filepath.Join(t.Output, recordFile))
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(entries) > 0 && t.Resume && !onlyStart(entries):
		return fmt.Errorf("output: %s has no %s: it holds no run that could be continued", t.Output, recordFile)
	case errors.Is(err, fs.ErrNotExist):
		return t.save()
	case err != nil:
		return fmt.Errorf("output: %w", err)
	}
	if what := fresh.differs(old); what != "" {
		return fmt.Errorf("%w: %s was begun with another %s: name another directory, or remove that one", ErrOutput, t.Output, what)
	}
	t.record = *old
	return nil
}

// onlyStart reports whether nothing but litter is there.
func onlyStart(entries []fs.DirEntry) bool {
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			return false
		}
	}
	return true
}

// differs names the first thing that two runs do not have in common.
func (r record) differs(old *record) string {
	a, b := reflect.ValueOf(*old), reflect.ValueOf(r)
	for i := range a.NumField() {
		field := a.Type().Field(i)
		if field.Type.Kind() == reflect.Pointer {
			continue
		}
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); x != y {
			return fmt.Sprintf("%s (%v, now %v)", field.Tag.Get("json"), x, y)
		}
	}
	return ""
}

func readRecord(path string) (*record, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := limits.Check("size in bytes", path, info.Size(), limits.LabelRecordBytes, "remove the folder"); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// save writes the record whole or not at all.
func (t *tuning) save() error {
	b, err := json.MarshalIndent(t.record, "", "  ")
	if err != nil {
		return err
	}
	temporary := filepath.Join(t.Output, "."+recordFile+".tmp-")
	if err := os.WriteFile(temporary, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	if err := os.Rename(temporary, filepath.Join(t.Output, recordFile)); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}
