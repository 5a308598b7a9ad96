package settings

import "math"

// Plan is the learning rate's course in steps.
type Plan struct {
	peak, start, final float64
	warmup, total      int
	constant, lag      bool
}

// Names of schedules, as OpenCLIP has them.
const (
	scheduleCosine = "cosine"
	ScheduleConst  = "const"
)

// StepsPerEpoch is the number of steps of an epoch, of which a pass over the data
// that there is takes pass: where the settings say how large an epoch is, so many
// whole batches, as in the official code.
func (s Settings) StepsPerEpoch(pass int) int {
	if n := s.Data.TrainNumSamples; n > 0 {
		return max(1, n/s.Batch)
	}
	return pass
}

// Plan puts the schedule into steps: total updates, perEpoch of them a pass over
// the data.
func (s Settings) Plan(total, perEpoch int) Plan {
	c, scale := s.Schedule, 1.0
	if c.ReferenceBatch > 0 {
		scale = float64(s.Batch) / float64(c.ReferenceBatch)
	}
	p := Plan{
		peak: s.Optimizer.LearningRate * scale, start: c.WarmupRate * scale, final: c.FinalRate * scale,
		warmup: c.WarmupSteps, total: total, lag: c.Lag, constant: c.Name == ScheduleConst,
	}
	if c.WarmupShare > 0 {
		p.warmup = int(math.Round(c.WarmupShare * float64(total)))
	}
	if c.WarmupEpochs > 0 {
		p.warmup = int(math.Round(c.WarmupEpochs * float64(perEpoch)))
	}
	return p
}

// Rate is the learning rate of update n, from 0. The official code (timm's
// cosine schedule, stepped after the update) does not shift the cosine by the
// warm-up, so that it starts a little below the peak, and is one update late.
func (p Plan) Rate(n int) float64 {
	if p.lag {
		n = max(n-1, 0)
	}
	switch {
	case n < p.warmup:
		return p.start + float64(n)*(p.peak-p.start)/float64(p.warmup)
	case p.constant:
		return p.peak
	case n >= p.total:
		return p.final
	}
	return p.final + (p.peak-p.final)/2*(1+math.Cos(math.Pi*float64(n)/float64(p.total)))
}

// Rate is the learning rate of update n, from 0, of total, where an epoch has so
// many steps.
func (s Settings) Rate(n, total, perEpoch int) float64 { return s.Plan(total, perEpoch).Rate(n) }
