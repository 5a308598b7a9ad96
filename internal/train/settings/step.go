package settings

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
)

// InParts tells whether a step computes the batch in parts.
func (s Settings) InParts() bool { return s.MicroBatch > 0 && s.MicroBatch < s.Batch }

// TrainsImageTower tells whether a tensor of the image tower, below its projection
// head, changes.
func (s Settings) TrainsImageTower() bool {
	return slices.ContainsFunc(s.Model.Params(), func(p network.Param) bool {
		tower := strings.HasPrefix(p.Name, "vision_model.") || strings.HasPrefix(p.Name, "local_model.")
		return tower && p.Trainable && !s.Optimizer.Frozen(p.Name)
	})
}

// localTensors are those of a part of the image tower that many networks lack.
const localTensors = "local_model.*"

// validateStep checks what a step is made of: parts, loss, frozen tensors,
// averages.
func (s Settings) validateStep() error {
	bad := func(key, format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", ErrSettings, key, fmt.Sprintf(format, args...))
	}
	l, o := s.Loss, s.Optimizer
	if err := s.validateParts(); err != nil {
		return err
	}
	if err := s.validateDevices(); err != nil {
		return err
	}
	switch {
	case s.Schedule.Name != scheduleCosine && s.Schedule.Name != ScheduleConst:
		return bad("schedule.name", "%q: %s or %s", s.Schedule.Name, scheduleCosine, ScheduleConst)
	case s.Data.TrainNumSamples < 0:
		return bad("data.train_num_samples", "%d: it must not be negative; 0 is as many as there are", s.Data.TrainNumSamples)
	case s.Precision != engine.Float32 && s.Precision != engine.BF16:
		return bad("precision", "%q: training knows %s and %s", s.Precision, engine.Float32, engine.BF16)
	case s.MicroBatch < 0:
		return bad("micro_batch", "%d: it must not be negative; 0 computes the batch at once", s.MicroBatch)
	case s.InParts() && s.Model.Variant.Stem.BatchNorm:
		return bad("micro_batch", "%d of a batch of %d: the stem's BatchNorm (model.variant.stem.batch_norm) looks at all pictures of a batch together, "+
			"so their features cannot be computed in parts: set one of both to 0 or false", s.MicroBatch, s.Batch)
	case l.Kind != LossSoftmax && l.Kind != lossSigmoid:
		return bad("loss.kind", "%q: one of %s, %s", l.Kind, LossSoftmax, lossSigmoid)
	case l.Kind == lossSigmoid && !s.Model.Variant.LogitBias:
		return bad("loss.kind", "%s needs a bias: set model.variant.logit_bias to true (and model.temperature to 0.1, as SigLIP starts)", l.Kind)
	case l.SoftTargets != softNone && !l.Soft():
		return bad("loss.soft_targets", "%q: one of %s, %s, %s", l.SoftTargets, softNone, SoftEqual, SoftNouns)
	case l.SoftTargets == SoftNouns && s.Data.Nouns.Mode == pairs.NounsNone:
		return bad("loss.soft_targets", "%s needs nouns: data.nouns.mode is %q", l.SoftTargets, pairs.NounsNone)
	case !(l.SoftWeight >= 0 && l.SoftWeight <= 1):
		return bad("loss.soft_weight", "%g: it must be in [0, 1]", l.SoftWeight)
	case !(l.NounsWeight >= 0 && l.NounsWeight <= 1e6):
		return bad("loss.nouns_weight", "%g: it must be from 0 to 1e6", l.NounsWeight)
	case !(o.EMA >= 0 && o.EMA < 1):
		return bad("optimizer.ema", "%g: it must be in [0, 1), such as 0.9999; 0 keeps no averages", o.EMA)
	}
	params := s.Model.Params()
	for key, patterns := range map[string][]string{"optimizer.freeze": o.Freeze, "optimizer.train_only": o.TrainOnly} {
		for _, pattern := range patterns {
			matches := func(p network.Param) bool { ok, _ := path.Match(pattern, p.Name); return ok }
			if _, err := path.Match(pattern, ""); err != nil {
				return bad(key, "%q: %v: write names with * for any text, as in \"text_model.*\"", pattern, err)
			}
			if !slices.ContainsFunc(params, matches) && pattern != localTensors {
				return bad(key, "%q matches none of the model's tensors (such as %q)", pattern, params[0].Name)
			}
		}
	}
	if !slices.ContainsFunc(params, func(p network.Param) bool { return p.Trainable && !o.Frozen(p.Name) }) {
		return bad("optimizer.freeze", "nothing is left to train")
	}
	return nil
}

// validateDevices checks that a batch can be shared out evenly.
func (s Settings) validateDevices() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: devices: %s", ErrSettings, fmt.Sprintf(format, args...))
	}
	n := s.Devices
	switch {
	case n < 0 || n > maxDevices:
		return bad("%d: it must be 0 (one) to %d", n, maxDevices)
	case n <= 1:
		return nil
	case s.Batch%n != 0:
		return bad("%d do not share a batch of %d evenly: make it a multiple", n, s.Batch)
	case s.Data.Nouns.Distinct && s.Data.Nouns.Pad%n != 0:
		return bad("%d do not share the prompts evenly: make data.nouns.pad (%d) a multiple", n, s.Data.Nouns.Pad)
	case s.InParts():
		return bad("%d compute a batch at once: set micro_batch (%d) to 0, or train on one device", n, s.MicroBatch)
	}
	return nil
}

const maxDevices = 64
