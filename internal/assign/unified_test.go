package assign_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/mask"
)

// unitRows are the vectors of tools/reference/protocols.py.
func unitRows(stream uint32, rows int) []float32 {
	out := make([]float32, rows*6)
	for i := range out {
		out[i] = float32(hashed(stream, uint32(i)) + 0.2)
	}
	assign.Normalize(out, 6)
	return out
}

// formulaView is the photo of tools/reference/protocols.py.
func formulaView() *assign.View {
	v := &assign.View{Width: 37, Height: 26, SeenWidth: 28, SeenHeight: 20}
	for w, x := range []int{0, 8} {
		soft := make([]float32, 25*3)
		for n := range 25 {
			var sum float64
			for g := range 3 {
				sum += math.Exp(6 * hashed(710000+uint32(w), uint32(3*n+g)))
			}
			for g := range 3 {
				soft[3*n+g] = float32(math.Exp(6*hashed(710000+uint32(w), uint32(3*n+g))) / sum)
			}
		}
		v.Windows = append(v.Windows, assign.Window{
			Rect: assign.Rect{X: x, Width: 20, Height: 20}, GridH: 5, GridW: 5, Assign: soft, Groups: unitRows(700000+uint32(w), 3),
		})
	}
	return v
}

// unifiedCase answers once, and at the end of a sweep over thresholds.
type unifiedCase func(t *testing.T) (once, swept *mask.Map)

func tclCase(background float64) unifiedCase {
	return func(t *testing.T) (*mask.Map, *mask.Map) {
		labels, err := assign.TCL(t.Context(), formulaView(), unitRows(720000, 4), 6, assign.FromGroups)
		if err != nil {
			t.Fatal(err)
		}
		scores := labels
		if !math.IsNaN(background) {
			scores = labels.WithConstant(float32(background))
		}
		r, err := scores.Decide(t.Context(), 37, 26, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(background) {
			background = 0 // no sigmoid is below
		}
		swept, err := labels.ConstantSweep(t.Context(), 37, 26, []float64{0.3, background})
		if err != nil {
			t.Fatal(err)
		}
		return r.Map, swept[1]
	}
}

func sclipCase(o assign.SCLIP) unifiedCase {
	return func(t *testing.T) (*mask.Map, *mask.Map) {
		words := assign.Words{Vectors: unitRows(720000, 7), Owner: []uint16{0, 0, 1, 1, 2, 3, 3}, Labels: 3, Width: 6}
		s, err := assign.Queries(t.Context(), formulaView(), words, assign.FromGroups)
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.Decide(t.Context(), s, 37, 26, true)
		if err != nil {
			t.Fatal(err)
		}
		for l, mean := range r.Mean {
			checkMeanScore(t, r, l, mean)
		}
		swept, err := o.Sweep(t.Context(), s, 37, 26, []float64{0.9, o.Threshold})
		if err != nil {
			t.Fatal(err)
		}
		return r.Map, swept[1]
	}
}

// The rules of TCL and SCLIP against PyTorch, and sweeps against single answers.
func TestUnifiedProtocolsAsPyTorch(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "protocols.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Maps map[string]string }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]unifiedCase{
		"tcl":                        tclCase(0.5),
		"tcl without background":     tclCase(math.NaN()),
		"sclip":                      sclipCase(assign.SCLIP{Scale: 50, Threshold: 0.1}),
		"sclip, a high threshold":    sclipCase(assign.SCLIP{Scale: 20, Threshold: 0.45}),
		"sclip, small areas dropped": sclipCase(assign.SCLIP{Scale: 65, Threshold: 0.1, Area: 0.25}),
	} {
		t.Run(name, func(t *testing.T) {
			want := file.Maps[name]
			if len(want) != 37*26 {
				t.Fatalf("the fixture has %d pixels", len(want))
			}
			once, swept := run(t)
			for i, l := range once.Labels {
				if l != uint16(want[i]-'0') || swept.Labels[i] != l {
					t.Fatalf("pixel (%d, %d) is %d, in a sweep %d, PyTorch says %c", i%37, i/37, l, swept.Labels[i], want[i])
				}
			}
		})
	}
}

// checkMeanScore compares a label's mean with the probabilities of its pixels.
func checkMeanScore(t *testing.T, r *assign.Result, label int, mean float64) {
	t.Helper()
	var sum float64
	n := 0
	for i, l := range r.Map.Labels {
		if int(l) == label+1 {
			sum += float64(r.Scores[label*len(r.Map.Labels)+i])
			n++
		}
	}
	if n > 0 && math.Abs(sum/float64(n)-mean) > 1e-5 {
		t.Errorf("label %d has a mean score of %g, its pixels %g", label+1, mean, sum/float64(n))
	}
}
