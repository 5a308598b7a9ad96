package stepper

import (
	"fmt"
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/train/settings"
)

// official are the values of the official configurations that apply: what stands
// in default.yml and group_vit_gcc_yfcc_30e.yml, in our keys.
var official = map[string]string{
	"batch": "4096", "seed": "0", "epochs": "30", "steps": "0", "init": "", // 256 on each of 16 GPUs
	"data.train_num_samples": "28663147", "data.shuffle_buffer": "10000", "data.context": "77",
	"data.mean": "[0.485 0.456 0.406]", "data.std": "[0.229 0.224 0.225]",
	"data.nouns.mode": "tagger", "data.nouns.k": "3", "data.nouns.distinct": "false", "data.nouns.templates": "[full]",
	"data.augment.crop": "resized", "data.augment.area": "[0.08 1]", "data.augment.aspect": "[0.75 1.3333333333333333]",
	"data.augment.interpolation": "bilinear", "data.augment.flip": "0.5", // rand-m9-mstd0.5-inc1:
	"data.augment.rand.operations": "2", "data.augment.rand.chance": "0.5", "data.augment.rand.level": "9", "data.augment.rand.deviation": "0.5",
	"data.augment.erase": "0.25", "data.augment.erase_mode": "pixel", "data.augment.erase_count": "1",
	"data.augment.contrast": "0", "data.augment.brightness": "0", "data.augment.channel": "0", "data.augment.soften": "0",
	"optimizer.learning_rate": "0.0016", "optimizer.betas": "[0.9 0.999]", "optimizer.epsilon": "1e-08",
	"optimizer.weight_decay": "0.05", "optimizer.clip": "5", "optimizer.no_decay": "[]", "optimizer.ema": "0",
	"optimizer.freeze": "[]", "optimizer.train_only": "[]",
	"schedule.name": "cosine", "schedule.warmup_rate": "4e-06", "schedule.final_rate": "4e-05", "schedule.warmup_epochs": "2",
	"schedule.reference_batch": "4096", "schedule.lag": "true",
	"loss.kind": "softmax", "loss.nouns_weight": "1", "loss.share_temperature": "false", "loss.soft_targets": "none",
	"model.image_size": "224", "model.patch_size": "16", "model.width": "384", "model.depths": "[6 3 3]", "model.heads": "[6 6 6]",
	"model.group_tokens": "[64 8 0]", "model.output_groups": "[64 8 0]", "model.mlp_ratio": "4", "model.group_mlp_ratio": "0",
	"model.drop_path": "0.1", "model.assign_epsilon": "1", "model.text.context": "77", "model.text.width": "256",
	"model.text.depth": "12", "model.text.heads": "4", "model.text.mlp_ratio": "4", "model.text.vocabulary": "49408",
	"model.temperature": "0.07", "model.projection_width": "4096", "model.embed_width": "256", "model.noun_loss": "true",
	"output.log_every": "10", "output.half": "false",
}

// What the recipe for GCC and RedCaps has otherwise.
var officialRedCaps = map[string]string{
	"data.train_num_samples": "25914635", "data.nouns.mode": "none", "model.noun_loss": "false",
}

// The recipes of the published models say every key that the official
// configurations have, with its value, and are the paper's network.
func TestOfficialRecipes(t *testing.T) {
	for name, changes := range map[string]map[string]string{"groupvit-gcc-yfcc": {}, "groupvit-gcc-redcaps": officialRedCaps} {
		t.Run(name, func(t *testing.T) {
			l, err := settings.Load("../../../recipes/"+name+".yaml", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			values := map[string]settings.Value{}
			for _, v := range l.Values() {
				values[v.Key] = v
			}
			for key, want := range official {
				if other, ok := changes[key]; ok {
					want = other
				}
				v, ok := values[key]
				if got := fmt.Sprint(v.Value); !ok || got != want {
					t.Errorf("%s is %q, the official value is %q", key, got, want)
				}
			}
			if s := l.Settings; !s.Model.IsPaper() || !s.InParts() {
				t.Error("not the paper's network, or the batch is computed at once")
			}
			// §4.5: 6,997 and 6,326 steps an epoch.
			steps := map[string]int{"groupvit-gcc-yfcc": 6997, "groupvit-gcc-redcaps": 6326}[name]
			if got := l.Settings.StepsPerEpoch(1); got != steps {
				t.Errorf("%d steps an epoch, the official code has %d", got, steps)
			}
		})
	}
}

func TestConstantSchedule(t *testing.T) {
	s := settings.Default()
	s.Schedule.Name, s.Schedule.Lag = settings.ScheduleConst, false
	p := s.Plan(1000, 100)
	for update, want := range map[int]float64{0: 4e-6, 200: 1.6e-3, 900: 1.6e-3, 2000: 1.6e-3} {
		if got := p.Rate(update); math.Abs(got-want) > 1e-12 {
			t.Errorf("update %d: %g, want %g", update, got, want)
		}
	}
}
