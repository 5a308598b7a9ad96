package network

import . "github.com/gomlx/gomlx/core/graph"

// What tells that grouping has collapsed, as metrics of a batch.
const (
	// groupSimilarity is the cosine of two different groups of a picture, mean
	// over pairs and pictures; of their embeddings where the losses have them.
	// 1: the groups say the same.
	groupSimilarity = "group_similarity"
	// maskAgreement is how far two pictures have the same map of winning groups,
	// as Cohen's κ (the share of equal places, 0 for what the sizes of the groups
	// alone give, 1 for equal maps), mean over pictures and the ones after them.
	// Where one group takes both pictures it is 0: nothing is left to agree on.
	maskAgreement = "mask_agreement"
)

// addSimilarity adds the similarity of groups [B, G, D].
func addSimilarity(out map[string]*Node, groups *Node) {
	g := groups.Shape().Dimensions[1]
	if g < 2 {
		return
	}
	u := unit(StopGradient(groups))
	sum := Square(ReduceSum(u, 1)) // |Σ u|² = Σ |u|² + the sum over pairs, both ways
	pairs := Sub(ReduceSum(sum, -1), ReduceSum(Square(u), 1, 2))
	out[groupSimilarity] = DivScalar(ReduceAllMean(pairs), float64(g*(g-1)))
}

// addAgreement adds the agreement of masks: won [B, N, G] is 1 at each token's
// winning group.
func addAgreement(out map[string]*Node, won *Node) {
	b := won.Shape().Dimensions[0]
	if b < 2 {
		return
	}
	next := Concatenate([]*Node{SliceAxis(won, 0, AxisRange(1, b)), SliceAxis(won, 0, AxisRange(0, 1))}, 0)
	equal := ReduceMean(ReduceSum(Mul(won, next), 2), 1)                   // [B]
	byChance := ReduceSum(Mul(ReduceMean(won, 1), ReduceMean(next, 1)), 1) // [B]
	kappa := Div(Sub(equal, byChance), MaxScalar(OneMinus(byChance), 1e-6))
	out[maskAgreement] = ReduceAllMean(kappa)
}
