package selftrain

import (
	"math"
	"math/rand/v2"
	"testing"
)

// drawnEvidence is of photos that name one or two of four things, which the model
// finds more or less surely.
func drawnEvidence(w *Words, photos int) []evidence {
	r := rand.New(rand.NewPCG(5, 6))
	n := balanceGrid * balanceGrid
	var list []evidence
	for range photos {
		scene := Scene{Things: []int{r.IntN(w.things)}, Stuff: []int{w.things + r.IntN(w.stuff)}}
		if other := r.IntN(w.things); other > scene.Things[0] {
			scene.Things = append(scene.Things, other)
		}
		list = append(list, Default().evidence(w, scene, func(word int) []float32 {
			out := make([]float32, n)
			for i := range out {
				out[i] = float32(r.NormFloat64())
				if word < w.things && i < n/5 {
					out[i] += float32(word) // the later, the surer
				}
			}
			return out
		}))
	}
	return list
}

// TestBonus: the median of the largest tenths of the photos that name a word is a half,
// unless it would be more without a bonus or the cap is too small.
func TestBonus(t *testing.T) {
	w := testWords(t)
	sample := drawnEvidence(w, 300)
	s := Default()
	s.BalanceCap, s.BalanceStuff = 6, 6
	bonuses, err := s.fitBonus(t.Context(), w, sample, 2)
	if err != nil {
		t.Fatal(err)
	}
	found := make([][]float64, len(w.names))
	for _, e := range sample {
		tops := append(e.tops(bonuses), e.groundTops(bonuses)...)
		for k, word := range append(append([]int(nil), e.things...), e.named...) {
			found[word] = append(found[word], tops[k])
		}
	}
	some := 0
	for word := range w.things + w.stuff {
		m, b := median(found[word]), bonuses[word]
		switch {
		case b.among == 0 && m < 0.5, b.among > 0 && math.Abs(m-0.5) > 0.02:
			t.Errorf("%s: median %.3f with bonus %.2f", w.names[word], m, b.among)
		case b.among > 0:
			some++
		}
		if word >= w.things && b.against != 0 {
			t.Errorf("%s: stuff has a bonus of %g against stuff", w.names[word], b.against)
		}
	}
	if some < 3 {
		t.Errorf("%d words have a bonus", some)
	}
	if bonuses[0].among <= bonuses[3].among {
		t.Errorf("the weakest word has %g, the strongest %g", bonuses[0].among, bonuses[3].among)
	}
	s.BalanceCap, s.BalanceStuff, s.BalancePerson, s.BalanceNamedStuff = 1, 0.5, false, false
	if bonuses, err = s.fitBonus(t.Context(), w, sample, 2); err != nil {
		t.Fatal(err)
	}
	for word, b := range bonuses {
		if b.among > 1 || b.against > 0.5 || b != (bonus{}) && (word == w.person || word >= w.things) {
			t.Errorf("%s: %+v beyond the caps", w.names[word], b)
		}
	}
}

// TestCalibration: the tenth of places where a word is most probable is as probable as
// all stuff together, in the median photo.
func TestCalibration(t *testing.T) {
	w := testWords(t)
	sample := drawnEvidence(w, 300)
	bonuses := Default().fitCalibration(w, sample)
	for word := range w.things {
		var margins []float64
		for _, e := range sample {
			for k, thing := range e.things {
				if thing == word {
					var m []float64
					for at := range e.stuff {
						m = append(m, float64(e.logits[k][at]-e.stuff[at])+bonuses[word].against)
					}
					margins = append(margins, quantile(m, 0.9))
				}
			}
		}
		if m := median(margins); math.Abs(m) > 1e-6 {
			t.Errorf("%s: %g", w.names[word], m)
		}
	}
}
