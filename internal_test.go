package groupvit

import (
	"testing"

	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// TestMeanOfPaper: protocol paper takes ImageNet's mean for converted checkpoints
// and no others.
func TestMeanOfPaper(t *testing.T) {
	own := [3]float32{0.45, 0.45, 0.45}
	for _, c := range []struct {
		name       string
		mean, want [3]float32
		extra      map[string][]byte
	}{
		{"converted", clipMean, weights.ImageNetMean, nil},
		{"trained here with CLIP's", clipMean, clipMean, map[string][]byte{modelfile.EvalName: {}}},
		{"another", own, own, nil},
	} {
		m := &Model{config: network.Default(), weights: &weights.Model{Mean: c.mean, Std: clipStd, Extra: c.extra}}
		for protocol, want := range map[Protocol][3]float32{Paper: c.want, TCL: c.want, SCLIP: c.want, HF: c.mean, Best: c.mean} {
			method, err := protocol.method()
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := method.normalization(m); got != want {
				t.Errorf("%s, protocol %s: mean %v, want %v", c.name, protocol, got, want)
			}
		}
	}
}
