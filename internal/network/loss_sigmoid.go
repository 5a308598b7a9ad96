package network

import . "github.com/gomlx/gomlx/core/graph"

// SigmoidImageTextLoss judges every pair of a picture u [B, P] and a caption
// v [B, P], both unit, by itself (Zhai et al., SigLIP, ICCV 2023):
//
//	−1/B · Σ_ij t_ij·log σ(x_ij) + (1 − t_ij)·log σ(−x_ij),  x = s·u·vᵀ + bias
//
// s and bias are scalars. weight [B] leaves pairs out where it is 0 and targets
// t [B, B] say which captions fit; nil is all ones and the identity.
func SigmoidImageTextLoss(u, v, s, bias, weight, targets *Node) *Node {
	return sigmoidImageTextLoss(u, v, s, bias, weight, targets, nil)
}

// sigmoidImageTextLoss is [SigmoidImageTextLoss], or the share of rows u [R, P].
func sigmoidImageTextLoss(u, v, s, bias, weight, targets *Node, rows *Rows) *Node {
	x := Add(Mul(Einsum("ip,jp->ij", u, v), s), bias)
	if weight == nil {
		weight = OnesLike(ReduceSum(v, -1))
	}
	if targets == nil {
		targets = DiagonalWithValue(ScalarOne(x.Graph(), x.DType()), u.Shape().Dimensions[0])
	}
	sum := ReduceAllSum(Mul(pairWeights(rows.own(weight), weight), sigmoidCrossEntropy(x, targets)))
	return Div(sum, MaxScalar(ReduceAllSum(weight), 1.0))
}

// SigmoidNounLoss judges every pair of a picture and a prompt by itself: scores
// [B, U] are their cosines, a prompt fits a picture where targets [B, U] is above
// 0, and pairs that are not known [B, U] (nil: all are) do not count, nor do
// prompts that nobody has. A prompt that stands once counts once, whatever its
// counts. The sum is divided by the number of pictures that have prompts.
func SigmoidNounLoss(scores, s, bias, targets, known *Node) *Node {
	return sigmoidNounLoss(scores, s, bias, targets, known, nil)
}

// sigmoidNounLoss is [SigmoidNounLoss], or the share of rows [R, U].
func sigmoidNounLoss(scores, s, bias, targets, known *Node, rows *Rows) *Node {
	x := Add(Mul(scores, s), bias)
	if known == nil {
		known = OnesLike(targets)
	}
	targets = Mul(targets, known)
	prompts, pictures := rows.nounSums(targets)
	counts := Mul(known, InsertAxes(positivePart(prompts), 0))
	return Div(ReduceAllSum(Mul(counts, sigmoidCrossEntropy(x, positivePart(targets)))), MaxScalar(pictures, 1.0))
}

// positivePart is 1 where x is above 0, else 0.
func positivePart(x *Node) *Node { return ConvertDType(GreaterThan(x, ZerosLike(x)), x.DType()) }

// sigmoidCrossEntropy is −t·log σ(x) − (1−t)·log σ(−x) = softplus(x) − t·x.
func sigmoidCrossEntropy(x, t *Node) *Node {
	softplus := Add(MaxScalar(x, 0.0), Log(AddScalar(Exp(Neg(Abs(x))), 1)))
	return Sub(softplus, Mul(t, x))
}
