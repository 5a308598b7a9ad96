package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/stepper"
)

// broken deals with a step that changed nothing because its loss or gradient is
// not finite or its loss jumped: the batch is left out. After several in a row the
// weights are to blame, and the run goes back to its last good checkpoint; the
// data goes on. The error says that this has not helped.
func (r *run) broken(done int, metrics map[string]float64) error {
	loss, norm, limit := metrics[stepper.MetricLoss], metrics[stepper.MetricNorm], r.stepper.Limit
	back := r.guard.broken()
	g, s := r.guard.state, r.settings
	why := fmt.Sprintf("loss %g, gradient norm %g: not finite", loss, norm)
	if stepper.Finite(loss) && stepper.Finite(norm) {
		why = fmt.Sprintf("loss %.4g is above %.4g, far from the last %d losses", loss, limit, s.Safety.Window)
	}
	r.progress.say("step %d: %s: the batch is skipped (%d in a row)", done, why, g.InRow)
	if s.Output.CheckpointEvery > 0 && done%s.Output.CheckpointEvery == 0 {
		r.guard.state.Due = true
	}
	const mend = "lower optimizer.learning_rate, lengthen the warm-up, or continue from the last checkpoint with another seed"
	switch {
	case g.InRow >= s.Output.MaxSkipped:
		return fmt.Errorf("%w: %d steps in a row up to step %d were broken: %s", ErrDiverged, g.InRow, done, mend)
	case back && g.RollBacks >= s.Safety.MaxRollBacks:
		return fmt.Errorf("%w: it went back to a good state %d times, and at step %d would have to again: %s", ErrDiverged, g.RollBacks, done, mend)
	case !back:
		return nil
	}
	o, err := r.at(r.good)
	if err == nil {
		err = r.load(o)
	}
	if err != nil {
		return fmt.Errorf("go back to a good state: %w", err)
	}
	r.guard.wentBack(o.state.Guard)
	r.progress.say("step %d: back to the weights of step %d; the data goes on", done, max(0, r.good))
	return nil
}

// dataFailed writes a checkpoint before the step whose batch could not be made.
func (r *run) dataFailed(step int, err error) error {
	if step != r.saved {
		if e := r.saveCheckpoint(step, false); e != nil {
			return errors.Join(err, e)
		}
	}
	if errors.Is(err, pairs.ErrVanished) {
		return fmt.Errorf("%w; a checkpoint of step %d is written: bring the file back and continue with --resume", err, step)
	}
	return err
}

// sameData checks that a continued run has the data of the first one: with other
// data it would silently be another training.
func (r *run) sameData(before dataState) error {
	now := r.dataState()
	if before.Fingerprint == "" || before.Fingerprint == now.Fingerprint {
		return nil
	}
	text := fmt.Sprintf("the training data has changed: %d samples when the checkpoint was written, %d now", before.Samples, now.Samples)
	if before.Samples == now.Samples {
		text = fmt.Sprintf("the training data has changed: other samples than when the checkpoint was written, or another order of the shards (%d)", now.Samples)
	}
	if r.settings.Data.MayChange {
		r.progress.say("%s; losses will differ from those of a run that was not stopped", text)
		return nil
	}
	return fmt.Errorf("%w: %s: is a shard missing? To go on with it as it is, set data.may_change", ErrResume, text)
}

func (r *run) dataState() dataState {
	return dataState{Samples: r.loader.Samples(), Fingerprint: r.loader.Fingerprint()}
}

// bestSoFar is the highest score, below all where there is none yet.
func (r *run) bestSoFar() float64 {
	if r.result.Best == nil {
		return math.Inf(-1)
	}
	if b := r.result.Best; b.Naming == nil { // also of checkpoints that have no score
		return b.MIoU
	}
	return r.result.Best.Score
}
