package photos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/output"
	"github.com/groupvit/groupvit/internal/parallel"
)

// wholePart is the share of a worker that does everything.
const wholePart = "0/1"

// batchFlags are those of runs over very many photos.
type batchFlags struct {
	manifest, shards, part, allow string
	watch                         bool
}

func (b *batchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&b.manifest, "manifest", "", "file with the path of a photo on each line; - is stdin")
	flags.StringVar(&b.shards, "shards", "", "tar or Parquet files with photos: a pattern with {0000..0999} or *, several joined by ::")
	flags.StringVar(&b.allow, "allow-failed", "", "photos that may fail before a run over folders or a list ends with exit code 3, as 20 or 1%")
	flags.BoolVar(&b.watch, "watch", false, "go on with the photos that appear in the folders, or change there, until Ctrl-C")
	flags.StringVar(&b.part, "shard", wholePart, "with --manifest and --shards: the share to do, i/n with 0 ≤ i < n")
}

// asked reports whether the photos come from a list.
func (b *batchFlags) asked() bool { return b.manifest != "" || b.shards != "" }

// batchRun is a run over the photos of folders or a list, which goes on where it was
// stopped.
type batchRun struct {
	*segmentJob
	out    batchOutput
	folder *batch.Folder // nil for a list
	left   batch.LeftOut
	allow  allowance

	begun, told time.Time
	tally
	// failing are the photos of a watched folder whose last try has failed, by ID: one
	// that is written anew may succeed. Nil where nothing is watched.
	failing map[string]bool
}

// tally counts what became of the photos of a run.
type tally struct {
	// Done and Failed are of this run; Skipped were done by an earlier one, Changed were
	// done again since the photo is another one.
	Done    int `json:"photos_done"`
	Failed  int `json:"photos_failed"`
	Skipped int `json:"photos_skipped"`
	Changed int `json:"photos_changed"`
}

// runBatch does one worker's share of folders or a list, or what of it is left.
func (f *segmentFlags) runBatch(cmd *cobra.Command, job *segmentJob, folders []string) error {
	if f.batch.manifest != "" && f.batch.shards != "" {
		return command.Usagef("--manifest and --shards: give one of them")
	}
	part, err := batch.ParsePart(f.batch.part)
	if err != nil {
		return command.Usagef("--shard: %w", err)
	}
	if len(job.files) == 0 {
		return command.Usagef(`--format "" would leave nothing to go on from: name a format`)
	}
	run := &batchRun{segmentJob: job, begun: time.Now(), told: time.Now()}
	if run.allow, err = parseAllowance(f.batch.allow); err != nil {
		return err
	}
	if job.places, err = newPlaces(f.root, f.out, job.files); err != nil {
		return err
	}
	if folders != nil {
		if run.folder, err = batch.NewFolder(folders, output.IsResult, &run.left); err != nil {
			return err
		}
	}
	if err := run.out.prepare(f.out, part); err != nil {
		return err
	}
	defer run.out.release()
	if job.model, err = job.env.OpenWith(cmd, f.model, f.techniques.Calibration); err != nil {
		return err
	}
	defer job.model.Close()
	if err := run.open(f); err != nil {
		return err
	}
	if f.batch.watch {
		err = run.watch(cmd.Context())
	} else {
		err = run.all(cmd.Context(), run.items(cmd.Context(), f, part))
	}
	err = errors.Join(err, run.out.close())
	run.report()
	return err
}

// photosSetting names the folder of the photos, whose results one output holds.
const photosSetting = "photos of"

// open opens the output for the settings of this run.
func (r *batchRun) open(f *segmentFlags) error {
	settings, err := f.settings(r.segmentJob)
	if err != nil {
		return err
	}
	if r.folder != nil {
		settings = append(settings, batch.Setting{Name: photosSetting, Value: r.folder.Root})
	}
	if err := r.out.open(settings, f.overwrite); err != nil {
		return err
	}
	if err := r.writeClasses(r.out.name, f.overwrite); err != nil {
		return errors.Join(err, r.out.close())
	}
	if n := r.out.log.Count(); n > 0 {
		r.env.Say("going on: %s done already", command.Count(n, "photo"))
	}
	return nil
}

// items are the photos of this worker.
func (r *batchRun) items(ctx context.Context, f *segmentFlags, part batch.Part) iter.Seq2[batch.Item, error] {
	switch {
	case r.folder != nil:
		return r.folder.Items(ctx, r.out.log)
	case f.batch.manifest != "":
		return batch.Manifest(ctx, f.batch.manifest, r.env.Stdin, part)
	}
	return batch.Shards(ctx, f.batch.shards, part, &r.left)
}

// found is what became of a photo.
type found struct {
	result groupvit.Record
	files  []batch.File
	// image is the photo's file, if the results have it beside them.
	image []byte
}

// all does the photos of a list, and says in its error how it went.
func (r *batchRun) all(ctx context.Context, items iter.Seq2[batch.Item, error]) error {
	err := r.round(ctx, items)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return r.interrupted(ctx.Err())
	case r.Done+r.Skipped+r.Failed == 0:
		return r.nothing()
	}
	return r.verdict()
}

// round does photos, some side by side; results are stored and logged in order. An error
// is the list's or the output's.
func (r *batchRun) round(ctx context.Context, items iter.Seq2[batch.Item, error]) error {
	var broken error // of the list itself
	most := r.atOnce()
	err := parallel.Ordered(ctx, r.pending(items, &broken), most, most, r.one, func(i batch.Item, f found, err error) error {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return r.interrupted(ctxErr)
		}
		if isOption(err) {
			return command.Usagef("%w", err)
		}
		return r.take(i, f, err)
	})
	if err == nil && ctx.Err() == nil {
		err = broken
	}
	return err
}

// verdict is the error of a run in which photos have failed.
func (r *batchRun) verdict() error {
	switch {
	case r.Failed > 0 && r.Done == 0 && r.Skipped == 0:
		return fmt.Errorf("%s; see %s", command.AllFailed(r.Failed), r.out.logName)
	case r.Failed > 0 && r.allow.covers(r.Failed, r.Failed+r.Done+r.Skipped):
		r.env.Warn("groupvit: %s failed, as --allow-failed allows; see %s", command.Count(r.Failed, "photo"), r.out.logName)
	case r.Failed > 0:
		return fmt.Errorf("%s failed; see %s: %w", command.Count(r.Failed, "photo"), r.out.logName, command.ErrPartial)
	}
	return nil
}

func (r *batchRun) interrupted(err error) error {
	return fmt.Errorf("interrupted after %s: %w; the same command goes on", command.Count(r.Done, "photo"), err)
}

// nothing is the error of a run without any photo; that of one worker of several may
// have none.
func (r *batchRun) nothing() error {
	if r.out.part.N > 1 {
		return nil
	}
	return errors.New("there are no photos in what was named")
}

// pending are the photos that are still to do. An error of the list itself is left in
// broken.
func (r *batchRun) pending(items iter.Seq2[batch.Item, error], broken *error) iter.Seq[batch.Item] {
	return func(yield func(batch.Item) bool) {
		for item, err := range items {
			if err != nil && item.Photo == "" {
				*broken = err
				return
			}
			if err == nil {
				var skip bool
				if skip, err = r.known(item); skip {
					r.Skipped++
					continue
				}
			}
			if err != nil { // a broken shard, a bad name
				item.Read = func() ([]byte, error) { return nil, err }
			}
			if !yield(item) {
				return
			}
		}
	}
}

// known reports whether a photo is done. An error says why it cannot be.
func (r *batchRun) known(item batch.Item) (skip bool, err error) {
	switch r.out.log.State(item) {
	case batch.Done:
		return true, nil
	case batch.Taken:
		return false, fmt.Errorf("%s: the results %s are those of another photo, from an earlier run; name another --output", item.Photo, item.Name)
	case batch.Changed:
		if r.out.tar != nil {
			return false, fmt.Errorf("%s has changed since its results went into %s, where they cannot be replaced; name another --output, or start over with --overwrite", item.Photo, r.out.tarName)
		}
		r.Changed++
	}
	return false, nil
}

// one segments a photo and makes its files.
func (r *batchRun) one(ctx context.Context, item batch.Item) (found, error) {
	a, data, err := r.do(ctx, item)
	if err != nil {
		return found{}, err
	}
	f := found{result: a.Record}
	for _, format := range r.files {
		files, err := encode(ctx, format, a, item.Name)
		if err != nil {
			return found{}, fmt.Errorf("%s: %w", item.Photo, err)
		}
		f.files = append(f.files, files...)
	}
	if r.asks("yolo") && r.out.tar == nil {
		f.image = data
	}
	return f, nil
}

// take stores what became of a photo, then logs it. Its errors end the run: they
// are the output's.
func (r *batchRun) take(item batch.Item, f found, failure error) error {
	record := batch.RecordOf(item)
	if failure != nil {
		r.fail(item)
		record.Error = failure.Error()
		r.env.ClearLine()
		r.env.Warn("%v", failure)
	} else if err := r.store(item, f, &record); err != nil {
		return err
	}
	if err := r.out.log.Add(record); err != nil {
		return err
	}
	if failure == nil {
		r.succeed(item)
		if item.Renamed {
			r.env.Warn("%s: another photo has its name: the results are %s", item.Photo, item.Name)
		}
		if r.Done++; r.Done == 1 {
			r.noteOnce(f.result)
		}
		if err := r.print(f.result); err != nil {
			return err
		}
	}
	r.progress()
	return nil
}

// print prints a result: of a folder as of single photos, of a list as JSON alone.
func (r *batchRun) print(result groupvit.Record) error {
	if r.folder == nil && !r.env.JSON {
		return nil
	}
	r.env.ClearLine()
	return r.segmentJob.result(result)
}

// store writes the files of a photo.
func (r *batchRun) store(item batch.Item, f found, record *batch.Record) error {
	if r.out.tar != nil {
		files := slices.DeleteFunc(f.files, func(f batch.File) bool { return f.Data == nil })
		end, err := r.out.tar.Add(files)
		record.End = end
		return err
	}
	for _, file := range f.files {
		path := filepath.Join(r.out.name, filepath.FromSlash(file.Name))
		if file.Data == nil {
			if err := removeStale(path); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("output folder: %w", err)
		}
		if err := command.StoreBytes(path, file.Data); err != nil {
			return err
		}
	}
	if f.image == nil {
		return nil
	}
	_, err := placeImage(r.out.name, item, f.image)
	return err
}

// report says at the end what became of the photos, and keeps it in a file.
func (r *batchRun) report() {
	r.env.ClearLine()
	r.unplaced.tell(r.env)
	r.env.TellLeftOut(&r.left)
	r.env.Say("%s", r.counts())
	if r.Done > 0 {
		r.env.Say("wrote %s to %s", command.ListOf(output.Names(r.files), "and"), r.out.name)
	}
	summary := struct {
		tally
		LeftOut *batch.LeftOut `json:"left_out"`
		Seconds float64        `json:"seconds"`
	}{r.tally, &r.left, float64(time.Since(r.begun).Milliseconds()) / 1000}
	err := command.WriteFile(r.out.summaryName, func(w io.Writer) error { return json.NewEncoder(w).Encode(summary) })
	if err != nil {
		r.env.Warn("%v", err)
	}
}

// progress tells now and then how far the run is.
func (r *batchRun) progress() {
	pause := command.LinePause
	if r.env.Terminal {
		pause = time.Second / 2
	}
	if r.env.Quiet || time.Since(r.told) < pause || r.env.Terminal && command.IsTerminal(r.env.Stdout) && r.folder != nil {
		return
	}
	r.told = time.Now()
	if r.env.Terminal {
		r.env.ClearLine()
		fmt.Fprint(r.env.Stderr, r.counts())
		return
	}
	r.env.Say("%s", r.counts())
}

// counts says what is done.
func (r *batchRun) counts() string {
	s := command.Count(r.Done, "photo") + " done"
	if r.Changed > 0 {
		s += fmt.Sprintf(" (%d changed since an earlier run)", r.Changed)
	}
	if r.Skipped > 0 {
		s += fmt.Sprintf(", %d skipped (already processed)", r.Skipped)
	}
	if r.Failed > 0 {
		s += fmt.Sprintf(", %d failed", r.Failed)
	}
	if seconds := time.Since(r.begun).Seconds(); r.Done > 0 && seconds > 0 {
		s += fmt.Sprintf(", %.2f a second", float64(r.Done)/seconds)
	}
	return s
}
