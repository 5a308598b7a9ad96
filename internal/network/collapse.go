package network

import . "github.com/gomlx/gomlx/core/graph"

// collapse adds to a batch's metrics what tells that grouping has collapsed:
//
//   - group_similarity: the cosine of two different groups of a picture, mean
//     over pairs and pictures. 1: the groups say the same.
//   - mask_agreement: how far two pictures have the same map of winning groups,
//     as Cohen's κ (the share of equal places, 0 for what the sizes of the groups
//     alone give, 1 for equal maps), mean over pictures and the ones after them.
//     Where one group takes both pictures it is 0: nothing is left to agree on.
//
// won [B, N, G] is 1 at each token's winning group.
func collapse(out map[string]*Node, image ImageOutput, won *Node) {
	groups := image.GroupEmbeddings
	if groups == nil {
		groups = image.Groups
	}
	if g := groups.Shape().Dimensions[1]; g > 1 {
		u := unit(StopGradient(groups))
		sum := Square(ReduceSum(u, 1)) // |Σ u|² = Σ |u|² + the sum over pairs, both ways
		pairs := Sub(ReduceSum(sum, -1), ReduceSum(Square(u), 1, 2))
		out["group_similarity"] = DivScalar(ReduceAllMean(pairs), float64(g*(g-1)))
	}
	if b := won.Shape().Dimensions[0]; b > 1 {
		next := Concatenate([]*Node{SliceAxis(won, 0, AxisRange(1, b)), SliceAxis(won, 0, AxisRange(0, 1))}, 0)
		equal := ReduceMean(ReduceSum(Mul(won, next), 2), 1)                   // [B]
		byChance := ReduceSum(Mul(ReduceMean(won, 1), ReduceMean(next, 1)), 1) // [B]
		kappa := Div(Sub(equal, byChance), MaxScalar(OneMinus(byChance), 1e-6))
		out["mask_agreement"] = ReduceAllMean(kappa)
	}
}
