package photos

import (
	"context"

	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/cli/command"
)

// checkWatch refuses --watch where there is no folder to watch.
func (f *segmentFlags) checkWatch(folders bool) error {
	switch {
	case !f.batch.watch:
		return nil
	case f.batch.asked():
		return command.Usagef("--watch is for folders: it does not go with --manifest and --shards")
	case !folders:
		return command.Usagef("--watch is for folders: name one")
	}
	return nil
}

// watch does the photos of the folders, then those that appear or change there, until ctx
// ends. That is how such a run ends, and no error.
func (r *batchRun) watch(ctx context.Context) error {
	w, err := r.folder.Watch()
	if err != nil {
		return err
	}
	defer w.Close()
	r.failing = map[string]bool{}
	items := r.folder.Items(ctx, r.out.log)
	for first := true; ; first = false {
		skipped := r.Skipped
		err := r.round(ctx, items)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		if first {
			r.env.ClearLine()
			r.env.Say("%s; watching %s for more, until Ctrl-C", r.counts(), r.folder.Root)
		} else {
			r.Skipped = skipped // the system reports a file more than once
		}
		files, err := w.Next(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		items = w.Items(ctx, r.out.log, files)
	}
	return r.verdict()
}

// fail counts a photo that has failed; one of a watched folder once, however often it is
// tried.
func (r *batchRun) fail(item batch.Item) {
	if r.failing[item.ID] {
		return
	}
	r.Failed++
	if r.failing != nil {
		r.failing[item.ID] = true
	}
}

// succeed takes back that a photo has failed before.
func (r *batchRun) succeed(item batch.Item) {
	if r.failing[item.ID] {
		delete(r.failing, item.ID)
		r.Failed--
	}
}
