package photos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/cli/command"
)

// batchOutput is where the results of a batch go: a folder or a tar, with the settings
// of the run and a done-log for each worker.
type batchOutput struct {
	// name is --output, part the worker's share.
	name string
	part batch.Part
	// The files beside the results: one of settings for all workers, the others of
	// this worker.
	settingsName, logName, summaryName, tarName string
	// logBegin and logEnd are around the share in the name of a worker's done-log.
	logBegin, logEnd string

	lock *flock.Flock
	log  *batch.Log
	tar  *batch.Tar // nil for a folder
}

// prepare finds the names, makes the folder and locks the done-log.
func (o *batchOutput) prepare(out string, part batch.Part) error {
	o.name, o.part = out, part
	// Workers that share a list share a folder, each with a log, or each have a tar.
	of := ""
	if part.N > 1 {
		of = fmt.Sprintf("-%d-of-%d", part.I, part.N)
	}
	var err error
	if base, ok := strings.CutSuffix(out, ".tar"); ok {
		o.settingsName, o.tarName, o.summaryName = base+batch.SettingsName, base+of+".tar", base+of+".summary.json"
		o.logBegin, o.logEnd = base, ".done.jsonl"
		if err = os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
			err = fmt.Errorf("output folder: %w", err)
		}
	} else {
		o.settingsName, o.summaryName = filepath.Join(out, batch.SettingsName), filepath.Join(out, ".summary"+of+".json")
		o.logBegin, o.logEnd = filepath.Join(out, ".done"), ".jsonl"
		err = command.MakeFolder(out)
	}
	o.logName = o.logBegin + of + o.logEnd
	if err == nil {
		o.lock, err = lockLog(o.logName)
	}
	return err
}

// lockLog locks a done-log against a second run.
func lockLog(name string) (*flock.Flock, error) {
	lock := flock.New(name + ".lock")
	ok, err := lock.TryLock()
	if !ok || err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another run writes it: let it end, or give this one another --output or --shard", name), err)
	}
	return lock, nil
}

// release unlocks the done-log.
func (o *batchOutput) release() {
	if o.lock != nil {
		_ = o.lock.Unlock() // the lock ends with the program anyway
	}
}

// open opens the output for the results of some settings. Ones of others are refused,
// or with overwrite forgotten.
func (o *batchOutput) open(settings batch.Settings, overwrite bool) (err error) {
	if err := o.checkOwn(); err != nil {
		return err
	}
	if err := o.checkWorkers(overwrite); err != nil {
		return err
	}
	err = batch.Remember(o.settingsName, settings, overwrite)
	if err == nil {
		o.log, err = batch.OpenLog(o.logName, settings, overwrite)
	}
	if errors.Is(err, batch.ErrOtherSettings) {
		return otherSettings(o.name, err, "name another --output, give the earlier settings to go on, or start over with --overwrite")
	}
	if err == nil && o.tarName != "" {
		if o.tar, err = batch.OpenTar(o.tarName, o.log.End()); err != nil {
			err = errors.Join(err, o.log.Close())
		}
	}
	return err
}

// checkOwn refuses to write over a tar that is none of groupvit's, as that of the photos
// themselves.
func (o *batchOutput) checkOwn() error {
	if o.tarName == "" {
		return nil
	}
	info, err := os.Stat(o.tarName)
	if err != nil || info.Size() == 0 {
		return nil
	}
	if _, err := os.Stat(o.logName); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there, without a done-log of groupvit beside it: it is not replaced; name another --output", o.tarName)
	}
	return nil
}

// checkWorkers refuses an output that another number of workers has begun. With
// overwrite their logs go, if none of them is at work.
func (o *batchOutput) checkWorkers(overwrite bool) error {
	for _, log := range o.otherLogs() {
		workers := o.workers(log)
		if workers == o.part.N && !overwrite {
			continue
		}
		if !overwrite {
			return fmt.Errorf("%s was begun by %s (%s), who share the photos in another way; name another --output, go on with their --shard, or start over with --overwrite",
				o.name, command.Count(workers, "worker"), filepath.Base(log))
		}
		lock, err := lockLog(log)
		if err != nil {
			return err
		}
		if workers != o.part.N {
			err = os.Remove(log)
		}
		if err := errors.Join(err, lock.Unlock()); err != nil {
			return err
		}
	}
	return nil
}

// otherLogs are the done-logs of the output's other workers, sorted.
func (o *batchOutput) otherLogs() []string {
	entries, err := os.ReadDir(filepath.Dir(o.logName))
	if err != nil {
		return nil // it is about to be made
	}
	var logs []string
	for _, e := range entries {
		log := filepath.Join(filepath.Dir(o.logName), e.Name())
		if log != filepath.Clean(o.logName) && o.workers(log) > 0 {
			logs = append(logs, log)
		}
	}
	return logs
}

// workers is how many share the run of a done-log of this output; 0 where it is none.
func (o *batchOutput) workers(log string) int {
	of, ok := strings.CutPrefix(filepath.Base(log), filepath.Base(o.logBegin))
	of, isLog := strings.CutSuffix(of, o.logEnd)
	if !ok || !isLog {
		return 0
	}
	if of == "" {
		return 1
	}
	var i, n int
	if read, err := fmt.Sscanf(of, "-%d-of-%d", &i, &n); read != 2 || err != nil || fmt.Sprintf("-%d-of-%d", i, n) != of {
		return 0
	}
	return n
}

// close ends the log and the tar.
func (o *batchOutput) close() error {
	err := o.log.Close()
	if o.tar != nil {
		err = errors.Join(err, o.tar.Close())
	}
	return err
}
