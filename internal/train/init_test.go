package train

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/train/traintest"
	"github.com/groupvit/groupvit/internal/weights"
)

// saved writes the smoke recipe's model, started from a seed, as a directory.
func saved(t *testing.T, seed uint64) (string, map[string][]float32) {
	t.Helper()
	s := traintest.Load(t).Settings
	values := network.Initialize(s.Model, seed)
	dir := filepath.Join(t.TempDir(), "model")
	m := &weights.Model{Config: s.Model, Tensors: values, Mean: s.Data.Mean, Std: s.Data.Std}
	if err := weights.Save(dir, m, weights.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir, values
}

// A model is taken over into another configuration: what is equal as it is, what
// is an embedding resized, the rest new, and the report says which.
func TestStartFrom(t *testing.T) {
	dir, values := saved(t, 5)
	m, err := weights.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := traintest.Load(t, "model.image_size=48", "model.text.context=30", "model.text.vocabulary=900", "data.context=0", "model.group_tokens=[6, 4, 0]",
		"model.output_groups=[6, 4, 0]", "model.variant.logit_bias=true").Settings.Model
	got, report, err := startFrom(m, c, 9)
	if err != nil {
		t.Fatal(err)
	}
	fresh := network.Initialize(c, 9)
	const tokens, text, picture = "text_model.embeddings.token_embedding.weight", "text_model.embeddings.position_embedding.weight", "vision_model.embeddings.position_embeddings"
	for _, name := range []string{"text_projection.0.weight", "vision_model.layernorm.weight", network.LogitScale} {
		if !slices.Equal(got[name], values[name]) || !slices.Contains(report.Loaded, name) {
			t.Errorf("%s is not taken over", name)
		}
	}
	w := c.Text.Width
	if !slices.Equal(got[tokens][:898*w], values[tokens][:898*w]) || !slices.Equal(got[tokens][898*w:], values[tokens][1022*w:]) {
		t.Error("token embeddings: the first ids and the last two are taken over")
	}
	if !slices.Equal(got[text][:24*w], values[text]) || !slices.Equal(got[text][24*w:], fresh[text][24*w:]) {
		t.Error("text positions: the first are taken over, the others new")
	}
	if want := network.ResizePositions(values[picture], 4, 6, c.Width); !slices.Equal(got[picture], want) {
		t.Error("picture positions are resized")
	}
	if name := "vision_model.encoder.stages.0.group_token"; !slices.Equal(got[name], fresh[name]) {
		t.Error("group tokens of another number are new")
	}
	if len(report.Resized) != 3 || report.Values >= report.Of || report.Values == 0 {
		t.Errorf("%+v", report)
	}
	text2 := report.String()
	for _, want := range []string{"tensors taken over, 3 resized", "[1024 32] → [900 32]", "logit_bias", "stages.0.group_token [1 6 32] (there [1 8 32])"} {
		if !strings.Contains(text2, want) {
			t.Errorf("the report lacks %q:\n%s", want, text2)
		}
	}
	// Nothing in common is an error, not a start from nothing.
	c = traintest.Load(t, "model.width=64", "model.projection_width=48", "model.embed_width=24", "model.text.width=64", "model.heads=[2, 2, 2]").Settings.Model
	for name := range m.Tensors { // scalars fit any configuration
		if len(m.Tensors[name]) == 1 {
			delete(m.Tensors, name)
		}
	}
	c.GroupTokens, c.OutputGroups = []int{7, 5, 0}, []int{7, 5, 0}
	c.MLPRatio, c.Text.MLPRatio = 3, 3
	if _, _, err := startFrom(m, c, 1); err == nil || !strings.Contains(err.Error(), "init") {
		t.Errorf("nothing in common: %v", err)
	}
}

// Resizing positions to the same grid changes nothing, and keeps what is constant.
func TestResizePositions(t *testing.T) {
	values := make([]float32, 9*2)
	for i := range values {
		values[i] = float32(i % 2 * 3)
	}
	if got := network.ResizePositions(values, 3, 3, 2); !slices.Equal(got, values) {
		t.Errorf("to the same size: %v", got)
	}
	for i, v := range network.ResizePositions(values, 3, 5, 2) {
		if d := v - float32(i%2*3); d > 1e-6 || d < -1e-6 {
			t.Fatalf("constant positions became %v", v)
		}
	}
}

// A run starts from a model and says what it took over.
func TestInitRun(t *testing.T) {
	dir, values := saved(t, 5)
	var said bytes.Buffer
	l := traintest.Load(t, "steps=1", "init="+dir, "optimizer.train_only=['*.group_token']", "data.train="+traintest.Scenes(t, 20))
	_, result, err := watched(t, context.Background(), Options{Loaded: l, Output: filepath.Join(t.TempDir(), "run"), Progress: &said})
	if err != nil || !strings.Contains(said.String(), "tensors taken over, 0 resized, 0 new: 100.0 %") {
		t.Fatalf("%v, said %q", err, said.String())
	}
	m, err := weights.Open(result.Final)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range values {
		if equal := slices.Equal(m.Tensors[name], want); equal == strings.HasSuffix(name, ".group_token") {
			t.Errorf("%s is as at the start: %v", name, equal)
		}
	}
}
