package stepper

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// partsCases are settings whose steps are compared whole and in parts.
func partsCases() map[string][]string {
	return map[string][]string{
		// Drop path, Gumbel noise, BatchNorm in both heads, three stages.
		"paper":                                nil,
		"paper, every caption its own prompts": {"data.nouns.distinct=false"},
		"without nouns":                        {"data.nouns.mode=none"},
		"sigmoid, soft targets": {"loss.kind=sigmoid", "loss.soft_targets=nouns",
			"model.variant.logit_bias=true", "loss.share_temperature=true"},
		"equal texts": {"loss.soft_targets=equal"},
		"groups and patches": {"model.depths=[1]", "model.heads=[2]", "model.group_tokens=[6]", "model.output_groups=[6]",
			"model.variant.area_weighted=true", "model.variant.patch_embeddings=local", "model.variant.local_mlp=16",
			"model.variant.local_values=true", "model.variant.nouns_against=[pooled,groups,patches]"},
		"explaining": {"model.depths=[1]", "model.heads=[2]", "model.group_tokens=[6]", "model.output_groups=[6]",
			"model.variant.soft_assign=true", "model.variant.patch_embeddings=local", "model.variant.local_mlp=16",
			"model.variant.nouns_against=[groups,patches]", "loss.explain_weight=1"},
		"teaching": {"model.depths=[1]", "model.heads=[2]", "model.group_tokens=[6]", "model.output_groups=[6]",
			"model.variant.soft_assign=true", "model.variant.patch_embeddings=local", "model.variant.local_mlp=16",
			"model.variant.nouns_against=[groups,patches]", "loss.teach_weight=1"},
		"label maps": {"model.depths=[1]", "model.heads=[2]", "model.group_tokens=[6]", "model.output_groups=[6]",
			"model.variant.soft_assign=true", "model.variant.patch_embeddings=local", "model.variant.local_mlp=16",
			"model.variant.nouns_against=[groups,patches]", "loss.dense_weight=1", "loss.dense_group_weight=0.5",
			"data.nouns.mode=list", "data.nouns.k=0", "data.nouns.least=20", "data.nouns.words=[ball,box,tent,wheel,cross,star,fish,kite]",
			"data.nouns.stuff_words=[grass,sand,water,brick]", "data.augment.mosaic=0.3", "data.augment.cutmix=0.3"},
		"patches alone": {"model.depths=[1]", "model.heads=[2]", "model.group_tokens=[0]", "model.output_groups=[0]",
			"model.variant.map=patches", "model.variant.patch_embeddings=trunk", "model.variant.patch_pooled=true", "model.variant.nouns_against=[patches]"},
		"text frozen":       {"optimizer.freeze=['text_*']"},
		"group tokens only": {"optimizer.train_only=['*.group_token']"},
	}
}

// A step in parts has the losses, the gradients, the running statistics and the
// metrics of a step on the whole batch, with the same random numbers.
func TestPartsAreExact(t *testing.T) {
	for name, changes := range partsCases() {
		t.Run(name, func(t *testing.T) {
			changes = append(changes, "batch=12", "optimizer.clip=0", "data.train="+traintest.Scenes(t, 24))
			enginetest.Each(t, func(t *testing.T, backend compute.Backend) {
				whole := stepsOf(t, backend, traintest.Load(t, changes...))
				if len(changes) == 3 { // sizes that divide the batch and that do not
					compareSteps(t, whole, stepsOf(t, backend, traintest.Load(t, append(changes, "micro_batch=5")...)))
				}
				compareSteps(t, whole, stepsOf(t, backend, traintest.Load(t, append(changes, "micro_batch=4")...)))
			})
		})
	}
}

// taken is what two steps left.
type taken struct {
	metrics []map[string]float64
	// state by path in the store: weights, running statistics, and first moments,
	// which are the gradients' mean.
	state map[string][]float32
}

func stepsOf(t *testing.T, backend compute.Backend, l *settings.Loaded) taken {
	t.Helper()
	loader, err := pairs.Open(context.Background(), traintest.LoaderOptions(t, l.Settings))
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	s, err := New(backend, l.Settings, network.Initialize(l.Settings.Model, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.most = 400 // several blocks of rows
	out := taken{state: map[string][]float32{}}
	for step := range 2 {
		next := func() (*Ready, error) {
			p, err := loader.NextMicroBatch(context.Background())
			if err != nil {
				return nil, err
			}
			return s.Upload.Ready(p, step)
		}
		// The weights stay: steps of AdamW would blow up differences of gradients
		// that are all but zero.
		_, metrics, ok, err := s.StepFrom(next, step, 0)
		if err != nil || !ok {
			t.Fatalf("step %d: %v, %v", step, ok, err)
		}
		out.metrics = append(out.metrics, metrics)
	}
	for _, p := range s.params {
		paths := []string{"/" + p.Name}
		if s.trains(p) {
			paths = append(paths, firstMoment+p.Name)
		}
		for _, path := range paths {
			if out.state[path], err = s.read(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// compareSteps wants the whole gradient within 1e-5 of its norm, and no tensor's
// part of it far from that tensor: some are sums that cancel all but for rounding.
func compareSteps(t *testing.T, want, got taken) {
	t.Helper()
	for step, metrics := range want.metrics {
		if len(metrics) != len(got.metrics[step]) {
			t.Errorf("step %d: metrics %v, want %v", step, got.metrics[step], metrics)
		}
		for name, v := range metrics {
			bound := 1e-5
			if name == "mask_agreement" { // compares neighbours within a part
				bound = 1
			}
			if d := math.Abs(got.metrics[step][name] - v); !(d <= bound*max(math.Abs(v), 1)) {
				t.Errorf("step %d: %s is %.9g, whole %.9g", step, name, got.metrics[step][name], v)
			}
		}
	}
	var square, difference float64
	norms := map[string][2]float64{}
	for path, values := range want.state {
		s, d := 0.0, 0.0
		for i, v := range values {
			e := float64(got.state[path][i]) - float64(v)
			s, d = s+float64(v)*float64(v), d+e*e
		}
		if strings.HasPrefix(path, firstMoment) {
			norms[path] = [2]float64{math.Sqrt(s), math.Sqrt(d)}
			square, difference = square+s, difference+d
		} else if !(d <= 1e-10*s) {
			t.Errorf("%s differs by %.1e of its norm", path, math.Sqrt(d/s))
		}
	}
	norm := math.Sqrt(square)
	for path, n := range norms {
		if n[1] > max(1e-4*n[0], 1e-5*norm) {
			t.Errorf("the gradient of %s differs by %.1e, its norm is %.1e, that of all %.1e", path, n[1], n[0], norm)
		}
	}
	relative := math.Sqrt(difference) / norm
	if !(relative <= 1e-5) {
		t.Errorf("gradients differ by %.1e of their norm", relative)
	}
	t.Logf("gradients differ by %.1e of their norm", relative)
}
