package photos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/output"
	"github.com/groupvit/groupvit/internal/parallel"
)

// photosRun is a run over photos that were named one by one, or over folders of which
// nothing is kept but what is printed. Each call does them anew.
type photosRun struct {
	*segmentJob
	out   string
	items []batch.Item
	// wrote are the files of the photos so far.
	wrote []string
}

// runPhotos segments photos, some side by side, and prints their results in order.
func (f *segmentFlags) runPhotos(cmd *cobra.Command, job *segmentJob, paths []string) error {
	run := &photosRun{segmentJob: job, out: f.out}
	var err error
	if run.items, err = job.env.PhotoItems(cmd.Context(), paths); err != nil {
		return err
	}
	if job.places, err = newPlaces(f.root, f.out, job.files); err != nil {
		return err
	}
	job.nameFlat(run.items)
	if len(job.files) > 0 {
		if err := command.MakeFolder(f.out); err != nil {
			return err
		}
	}
	if job.model, err = job.env.OpenWith(cmd, f.model, f.techniques.Calibration); err != nil {
		return err
	}
	defer job.model.Close()
	if err := run.checkOutput(f); err != nil {
		return err
	}
	err = run.all(cmd.Context())
	run.tellWritten()
	return err
}

// checkOutput refuses a folder whose results were made with other settings.
func (r *photosRun) checkOutput(f *segmentFlags) error {
	if len(r.files) == 0 {
		return nil
	}
	settings, err := f.settings(r.segmentJob)
	if err != nil {
		return err
	}
	if err := batch.CheckRemembered(filepath.Join(r.out, batch.SettingsName), settings, photosSetting); err != nil {
		return otherSettings(r.out, err, "name another --output, or give the settings of the earlier run")
	}
	return r.writeClasses(r.out, f.overwrite)
}

// nameFlat names the results of photos after them; with a number where an earlier photo
// has the name, which is told.
func (j *segmentJob) nameFlat(items []batch.Item) {
	photos := make([]string, len(items))
	for i, item := range items {
		photos[i] = item.Photo
	}
	names, renamed := command.OutputNames(photos)
	for i := range items {
		items[i].Name = names[i]
	}
	if len(j.files) > 0 {
		tellRenamed(j.env, photos, names, renamed)
	}
}

// tellRenamed warns of photos whose results have another name than theirs.
func tellRenamed(e *command.Environment, photos, names []string, renamed []int) {
	const most = 5
	for k, i := range renamed {
		if k == most {
			e.Warn("and %d more; the JSON of each says which photo it is", len(renamed)-most)
			return
		}
		e.Warn("%s: another photo has its name: the results are %s", photos[i], names[i])
	}
}

// all segments the photos.
func (r *photosRun) all(ctx context.Context) error {
	bar := r.bar(len(r.items))
	failed, noted := 0, false
	type outcome struct {
		record groupvit.Record
		wrote  []string
	}
	most := r.atOnce()
	err := parallel.Ordered(ctx, parallel.Numbers(len(r.items)), most, most, func(ctx context.Context, i int) (outcome, error) {
		record, wrote, err := r.one(ctx, r.items[i])
		return outcome{record, wrote}, err
	}, func(i int, o outcome, err error) error {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return fmt.Errorf("interrupted after %d of %s: %w", i, command.Count(len(r.items), "photo"), ctxErr)
		}
		if isOption(err) {
			return command.Usagef("%w", err)
		}
		r.wrote = append(r.wrote, o.wrote...)
		defer bar(i + 1)
		if err != nil {
			failed++
			if len(r.items) > 1 {
				r.env.ClearLine()
				r.env.Warn("%v", err)
				return nil
			}
			return err
		}
		if !noted {
			noted = true
			r.noteOnce(o.record)
		}
		return r.result(o.record)
	})
	r.env.ClearLine()
	r.unplaced.tell(r.env)
	switch {
	case err != nil || failed == 0:
		return err
	case failed == len(r.items):
		return errors.New(command.AllFailed(failed))
	}
	return fmt.Errorf("%d of %s failed: %w", failed, command.Count(len(r.items), "photo"), command.ErrPartial)
}

// bar returns what shows that so many photos are done: a bar on a terminal, unless
// the results themselves appear there, or nothing.
func (j *segmentJob) bar(photos int) func(done int) {
	if photos < 2 || !j.env.Terminal || j.env.Quiet || command.IsTerminal(j.env.Stdout) {
		return func(int) {}
	}
	return j.env.Progress("photos", photos).Set
}

// one segments a photo and writes its results. Its errors name the photo or the file.
func (r *photosRun) one(ctx context.Context, item batch.Item) (groupvit.Record, []string, error) {
	a, data, err := r.do(ctx, item)
	if err != nil {
		return groupvit.Record{}, nil, err
	}
	var wrote []string
	for _, f := range r.files {
		for _, file := range f.Files(ctx, a, item.Name) {
			path := filepath.Join(r.out, filepath.FromSlash(file.Path))
			if file.Write == nil {
				if err := removeStale(path); err != nil {
					return groupvit.Record{}, wrote, err
				}
				continue
			}
			if err := r.write(path, f, file.Write); err != nil {
				return groupvit.Record{}, wrote, err
			}
			wrote = append(wrote, path)
		}
	}
	if output.Has(r.files, "yolo") {
		path, err := placeImage(r.out, item, data)
		if err != nil {
			return groupvit.Record{}, wrote, err
		}
		wrote = append(wrote, path)
	}
	return a.Record, wrote, nil
}

// removeStale removes a file of an earlier run that the photo no longer has.
func removeStale(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// write writes a file of a format.
func (r *photosRun) write(path string, f output.Format, content func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	if f.Name == "json" {
		if err := checkOwnJSON(path); err != nil {
			return err
		}
	}
	return command.WriteFile(path, content)
}

// checkOwnJSON refuses to replace a JSON file that segment has not written, as those
// that data sets have beside photos.
func checkOwnJSON(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	begin, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return err
	}
	if s := string(begin); strings.Contains(s, `"photo"`) && strings.Contains(s, `"sha256"`) {
		return nil
	}
	return fmt.Errorf("%s is there, and not a result of segment: it is not replaced; name a folder with --output", path)
}

// tellWritten says where the results are.
func (r *photosRun) tellWritten() {
	const most = 6
	switch n := len(r.wrote); {
	case n == 0:
	case n <= most:
		r.env.Say("wrote %s", strings.Join(r.wrote, ", "))
	default:
		r.env.Say("wrote %d files to %s", n, r.out)
	}
}
