package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/imaging"
)

// batchFlags are those of runs over very many photos.
type batchFlags struct {
	manifest, shards, part string
}

func (b *batchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&b.manifest, "manifest", "", "file with the path of a photo on each line")
	flags.StringVar(&b.shards, "shards", "", "tar or Parquet files with photos: a pattern with {0000..0999} or *, several joined by ::")
	flags.StringVar(&b.part, "shard", "0/1", "with --manifest and --shards: the share to do, i/n with 0 ≤ i < n")
}

// asked tells whether the photos come from a list.
func (b *batchFlags) asked() bool { return b.manifest != "" || b.shards != "" }

// items are the photos of this worker.
func (b *batchFlags) items(ctx context.Context, part batch.Part) iter.Seq2[batch.Item, error] {
	if b.manifest != "" {
		return batch.Manifest(ctx, b.manifest, part)
	}
	return batch.Shards(ctx, b.shards, part)
}

// batchRun is a run over the photos of a list.
type batchRun struct {
	*segmentJob
	log *batch.Log
	// tar takes the results; without it they are files below folder.
	tar    *batch.Tar
	folder string

	begun                 time.Time
	done, failed, skipped int
	told                  time.Time
}

// runBatch does one worker's share of a list, or what of it is left.
func (f *segmentFlags) runBatch(cmd *cobra.Command, job *segmentJob) error {
	if f.batch.manifest != "" && f.batch.shards != "" {
		return usagef("--manifest and --shards: give one of them")
	}
	part, err := batch.ParsePart(f.batch.part)
	if err != nil {
		return usagef("--shard: %w", err)
	}
	if len(job.files) == 0 {
		return usagef(`--format "" would leave nothing to go on from: name a format`)
	}
	run := &batchRun{segmentJob: job, begun: time.Now(), told: time.Now()}
	shut, err := run.open(f.out, part)
	if err != nil {
		return err
	}
	if job.model, err = job.env.openWith(cmd, f.model, f.techniques.calibration); err != nil {
		return errors.Join(err, shut())
	}
	defer job.model.Close()
	if err := job.writeClasses(batchClasses(f.out)); err != nil {
		return errors.Join(err, shut())
	}
	if n := run.log.Count(); n > 0 {
		job.env.warn("%d photos are done already", n)
	}
	err = run.all(cmd.Context(), f.batch.items(cmd.Context(), part))
	if shutErr := shut(); err == nil {
		err = shutErr
	}
	job.env.clearLine()
	job.env.warn("%s", run.counts())
	return err
}

// open opens the output and its done-log, which it locks against a second run.
func (r *batchRun) open(out string, part batch.Part) (shut func() error, err error) {
	// Workers that share a list share a folder, each with a log, or each have a tar.
	of := ""
	if part.N > 1 {
		of = fmt.Sprintf("-%d-of-%d", part.I, part.N)
	}
	logName, tarName := "", ""
	if base, ok := strings.CutSuffix(out, ".tar"); ok {
		tarName, logName = base+of+".tar", base+of+".done.jsonl"
		err = os.MkdirAll(filepath.Dir(out), 0o777)
	} else {
		r.folder, logName = out, filepath.Join(out, ".done"+of+".jsonl")
		err = makeFolder(out)
	}
	if err != nil {
		return nil, err
	}
	lock := flock.New(logName + ".lock")
	if ok, err := lock.TryLock(); !ok || err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another run writes it: let it end, or give this one another --output or --shard", logName), err)
	}
	if r.log, err = batch.OpenLog(logName); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	shut = func() error {
		err := r.log.Close()
		if r.tar != nil {
			err = errors.Join(err, r.tar.Close())
		}
		return errors.Join(err, lock.Unlock())
	}
	if tarName != "" {
		if r.tar, err = batch.OpenTar(tarName, r.log.End()); err != nil {
			return nil, errors.Join(err, shut())
		}
	}
	return shut, nil
}

// found is what became of a photo.
type found struct {
	result groupvit.Record
	files  []batch.File
}

// all does the photos, some side by side; results are stored and logged in order.
func (r *batchRun) all(ctx context.Context, items iter.Seq2[batch.Item, error]) error {
	var broken error // of the list itself
	left := func(yield func(batch.Item) bool) {
		for item, err := range items {
			switch {
			case err != nil && item.Photo == "":
				broken = err
				return
			case err != nil: // a broken shard or name
				item.Read = func() ([]byte, error) { return nil, err }
			case r.log.Done(item.Name):
				r.skipped++
				continue
			}
			if !yield(item) {
				return
			}
		}
	}
	most := mostAtOnce
	if r.options.Scores {
		most = 1
	}
	err := inOrderOf(ctx, left, most, func(i batch.Item) (found, error) { return r.one(ctx, i) }, func(i batch.Item, f found, err error) error {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return fmt.Errorf("interrupted: %w; the same command goes on", ctxErr)
		}
		if isOption(err) {
			return usagef("%w", err)
		}
		return r.take(i, f, err)
	})
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %w; the same command goes on", ctx.Err())
	case broken != nil:
		return broken
	case r.failed > 0 && r.done == 0 && r.skipped == 0:
		return fmt.Errorf("all %d photos failed: the done-log says why", r.failed)
	case r.failed > 0:
		return fmt.Errorf("%d photos failed, the done-log says why: %w", r.failed, errPartial)
	}
	return nil
}

// one segments a photo and makes its files.
func (r *batchRun) one(ctx context.Context, item batch.Item) (found, error) {
	data, err := item.Read()
	if err != nil {
		return found{}, err
	}
	photo, err := imaging.Decode(bytes.NewReader(data), imaging.Options{Name: item.Photo})
	if err != nil {
		return found{}, err
	}
	place, err := r.placeOf(item.Photo, bytes.NewReader(data))
	if err != nil {
		return found{}, err
	}
	a, err := r.ask(ctx, item.Photo, photo)
	if err != nil {
		return found{}, err
	}
	a.place = place
	f := found{result: a.result}
	for _, format := range r.files {
		var b bytes.Buffer
		if err := format.write(ctx, &b, a); err != nil {
			return found{}, fmt.Errorf("%s: %w", item.Photo, err)
		}
		f.files = append(f.files, batch.File{Name: item.Name + format.ending, Data: b.Bytes()})
	}
	return f, nil
}

// take stores what became of a photo, then logs it. Its errors end the run: they
// are the output's.
func (r *batchRun) take(item batch.Item, f found, failure error) error {
	record := batch.Record{Photo: item.Photo, Name: item.Name}
	switch {
	case failure != nil:
		r.failed++
		record.Error = failure.Error()
		r.env.clearLine()
		r.env.warn("%v", failure)
	case r.tar != nil:
		end, err := r.tar.Add(f.files)
		if err != nil {
			return err
		}
		record.End = end
	default:
		if err := r.store(f.files); err != nil {
			return err
		}
	}
	if err := r.log.Add(record); err != nil {
		return err
	}
	if failure == nil {
		r.done++
		if r.env.json {
			if err := r.env.print(f.result); err != nil {
				return err
			}
		}
	}
	r.progress()
	return nil
}

// store writes the files of a photo into the folder.
func (r *batchRun) store(files []batch.File) error {
	for _, f := range files {
		path := filepath.Join(r.folder, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("output folder: %w", err)
		}
		if err := storeBytes(path, f.Data); err != nil {
			return err
		}
	}
	return nil
}

// progress tells now and then how far the run is.
func (r *batchRun) progress() {
	pause := linePause
	if r.env.terminal {
		pause = time.Second / 2
	}
	if time.Since(r.told) < pause {
		return
	}
	r.told = time.Now()
	if r.env.terminal {
		r.env.clearLine()
		fmt.Fprint(r.env.stderr, r.counts())
		return
	}
	r.env.warn("%s", r.counts())
}

// counts says what is done.
func (r *batchRun) counts() string {
	s := fmt.Sprintf("%d photos done", r.done)
	if r.skipped > 0 {
		s += fmt.Sprintf(", %d before", r.skipped)
	}
	if r.failed > 0 {
		s += fmt.Sprintf(", %d failed", r.failed)
	}
	if seconds := time.Since(r.begun).Seconds(); r.done > 0 && seconds > 0 {
		s += fmt.Sprintf(", %.2f a second", float64(r.done)/seconds)
	}
	return s
}
