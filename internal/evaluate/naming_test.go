package evaluate

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/groupvit/groupvit/internal/pairs"
)

// plainAP is average precision by its definition: over the photos that name a word, the
// share of photos that name it among those with a score at least as high.
func plainAP(list []namedPhoto, word int) float64 {
	sum, n := 0.0, 0
	for _, p := range list {
		if !p.named[word] {
			continue
		}
		above, named := 0, 0
		for _, q := range list {
			if q.scores[word] >= p.scores[word] {
				above++
				if q.named[word] {
					named++
				}
			}
		}
		sum, n = sum+float64(named)/float64(above), n+1
	}
	return sum / float64(n)
}

func TestNamingIsThePlainOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const words = 5
	var list, all []namedPhoto
	for i := range 90 {
		p := namedPhoto{scores: make([]float32, words), named: make([]bool, words)}
		for w := range words {
			p.named[w] = r.IntN(words+2) < w // word 0 is never named, few name word 1
			p.scores[w] = float32(r.IntN(8)) / 8
			if p.named[w] {
				p.scores[w] += float32(r.IntN(4)) / 8
			}
		}
		all = append(all, p)
		if i%30 == 7 {
			all = append(all, namedPhoto{problem: &pairs.Problem{Err: errors.New("x")}})
		}
	}
	counts, right := [words]int{}, 0
	for _, p := range all {
		any := false
		best, score := 0, float32(math.Inf(-1))
		for w := range p.named {
			any = any || p.named[w]
			if p.scores[w] > score {
				best, score = w, p.scores[w]
			}
			if p.named[w] {
				counts[w]++
			}
		}
		if any {
			list = append(list, p)
			if p.named[best] {
				right++
			}
		}
	}
	sum, n := 0.0, 0
	for w, c := range counts {
		if c >= NamingPhotos {
			sum, n = sum+plainAP(list, w), n+1
		}
	}
	got, err := naming(all, words)
	if err != nil {
		t.Fatal(err)
	}
	if n < 2 || n == words {
		t.Fatalf("%d words count: the test needs some that do and some that do not", n)
	}
	if want := 100 * sum / float64(n); got.Words != n || math.Abs(*got.AP-want) > 1e-9 {
		t.Errorf("mean AP %v of %d words, want %v of %d", *got.AP, got.Words, want, n)
	}
	if want := 100 * float64(right) / float64(len(list)); got.Top1 != want || got.Photos != len(list) || got.Skipped["other"] != 3 {
		t.Errorf("top 1 %v of %d photos, skipped %v; want %v of %d", got.Top1, got.Photos, got.Skipped, want, len(list))
	}
	if _, err := naming([]namedPhoto{{scores: []float32{1}, named: []bool{false}}}, 1); !errors.Is(err, ErrNoPairs) {
		t.Error(err)
	}
}
