package evaluate

import (
	"context"
	"math"
	"slices"

	"github.com/groupvit/groupvit/internal/parallel"
)

// Recall says how often the right answer is among the first 1, 5 and 10 of a
// search, in percent.
type Recall struct {
	At1  float64 `json:"R@1"`
	At5  float64 `json:"R@5"`
	At10 float64 `json:"R@10"`
	// MedianRank is the median place of the first right answer, from 1.
	MedianRank float64 `json:"median_rank"`
	// Chance1, Chance5 and Chance10 are what a random order gives.
	Chance1  float64 `json:"chance@1"`
	Chance5  float64 `json:"chance@5"`
	Chance10 float64 `json:"chance@10"`
}

// place is where the first right answer of a search stands: so many wrong ones
// score higher, so many the same.
type place struct{ above, equal int }

// recall sums up searches among so many answers, of which some are right.
func recall(places []place, right []int, answers int) Recall {
	var hits, chances [3]float64
	ranks := make([]float64, len(places))
	for i, p := range places {
		ranks[i] = 1 + float64(p.above) + float64(p.equal)/2
		for j, k := range []int{1, 5, 10} {
			// Among equals the right one stands anywhere.
			hits[j] += min(max(float64(k-p.above)/float64(p.equal+1), 0), 1)
			chances[j] += chance(answers, right[i], k)
		}
	}
	share := func(sum float64) float64 { return round(100*sum/float64(len(places)), 2) }
	slices.Sort(ranks)
	n := len(ranks)
	return Recall{
		At1: share(hits[0]), At5: share(hits[1]), At10: share(hits[2]), MedianRank: (ranks[n/2] + ranks[(n-1)/2]) / 2,
		Chance1: share(chances[0]), Chance5: share(chances[1]), Chance10: share(chances[2]),
	}
}

// chance is the probability that one of the right answers is among k drawn
// without replacement.
func chance(answers, right, k int) float64 {
	miss := 1.0
	for i := range min(k, answers) {
		miss *= math.Max(0, float64(answers-right-i)) / float64(answers-i)
	}
	return 1 - miss
}

// search ranks every row of answers [M, P] for every query [N, P] by their
// product. isRight says whether an answer is right for a query; each query has
// at least one.
func search(ctx context.Context, queries, answers [][]float32, isRight func(query, answer int) bool) (places []place, right []int, err error) {
	places, right = make([]place, len(queries)), make([]int, len(queries))
	row := func() []float32 { return make([]float32, len(answers)) }
	err = parallel.ForWith(ctx, len(queries), 0, row, func(_ context.Context, scores []float32, q int) error {
		best := float32(math.Inf(-1))
		for a, v := range answers {
			scores[a] = dot(queries[q], v)
			if isRight(q, a) {
				right[q]++
				best = max(best, scores[a])
			}
		}
		for a, s := range scores {
			switch {
			case isRight(q, a):
			case s > best:
				places[q].above++
			case s == best:
				places[q].equal++
			}
		}
		return nil
	})
	return places, right, err
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var sum float32
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}
