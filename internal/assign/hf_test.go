package assign_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/weights"
)

// TestHF compares protocol hf with the port's own segmentation logits, from
// the port's assignments and embeddings.
func TestHF(t *testing.T) {
	const tiny = "../network/testdata/tiny/"
	want, err := weights.ReadTensors(tiny + "expected.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	model, err := weights.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	scale := math.Exp(float64(model.Tensors["logit_scale"][0]))
	for _, size := range [][2]int{{32, 32}, {64, 64}, {40, 56}} {
		h, w := size[0], size[1]
		name := fmt.Sprintf("%dx%d", h, w)
		t.Run(name, func(t *testing.T) {
			get := func(key string, copies int) []float32 { // of the first picture
				x := want[name+"/"+key].Floats
				return append([]float32(nil), x[:len(x)/copies]...)
			}
			pictures := want[name+"/soft.0"].Shape[0]
			groups, text := get("group_embeddings", pictures), get("text_embedding", 1)
			assign.Normalize(groups, 16)
			assign.Normalize(text, 16)
			v := &assign.View{Width: w, Height: h, SeenWidth: w, SeenHeight: h, Windows: []assign.Window{{
				Rect: assign.Rect{Width: w, Height: h}, GridH: h / 8, GridW: w / 8, Groups: groups,
				Assign: assign.Chain([][]float32{get("soft.0", pictures), get("soft.1", pictures)}, []int{6, 3}),
			}}}
			s, err := assign.HF(t.Context(), v, text, 16, scale)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Decide(t.Context(), w, h, 0, true)
			if err != nil {
				t.Fatal(err)
			}
			logits, largest, worst := get("segmentation_logits", pictures), 0.0, 0.0
			if len(logits) != len(r.Scores) {
				t.Fatalf("%d logits, want %d", len(r.Scores), len(logits))
			}
			for i, x := range logits {
				largest = max(largest, math.Abs(float64(x)))
				worst = max(worst, math.Abs(float64(x-r.Scores[i])))
			}
			if worst > 1e-5*largest {
				t.Errorf("differs by %g of the largest magnitude", worst/largest)
			}
		})
	}
}
