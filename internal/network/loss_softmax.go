package network

import . "github.com/gomlx/gomlx/core/graph"

// ImageTextLoss is the mean of both directions' cross entropy between unit
// pictures u [B, P] and unit captions v [B, P] at inverse temperature s
// (scalar). weight [B] leaves pairs out where it is 0; nil is all ones.
// targets [B, B], nil or as in [Batch], divided by their sums, are the
// distributions that both directions are compared with.
func ImageTextLoss(u, v, s, weight, targets *Node) *Node {
	logits := Mul(Einsum("ip,jp->ij", u, v), s)
	if weight == nil {
		weight = OnesLike(ReduceSum(u, -1))
	}
	hidden := MulScalar(OneMinus(weight), hiddenLogit)
	rows := logSumExp(Add(logits, InsertAxes(hidden, 0)), 1)
	columns := logSumExp(Add(logits, InsertAxes(hidden, 1)), 0)
	var own *Node // [B], the mean of both directions
	if targets == nil {
		own = Mul(ReduceSum(Mul(u, v), -1), s)
	} else {
		t := Mul(targets, pairWeights(weight))
		share := func(axis int) *Node {
			return ReduceSum(Mul(logits, Div(t, MaxScalar(ReduceAndKeep(t, ReduceSum, axis), 1e-6))), axis)
		}
		own = MulScalar(Add(share(1), share(0)), 0.5)
	}
	sum := ReduceAllSum(Mul(weight, Sub(MulScalar(Add(rows, columns), 0.5), own)))
	return Div(sum, MaxScalar(ReduceAllSum(weight), 1.0))
}

// pairWeights is 1 where both picture and caption count: [B] to [B, B].
func pairWeights(weight *Node) *Node { return Mul(InsertAxes(weight, 1), InsertAxes(weight, 0)) }

// NounLoss is the multi-label contrastive loss for scores [B, U] (cosines of
// pictures and prompts) at inverse temperature s, with targets [B, U] and known
// [B, U] as in [Batch]. With counts n_u = Σ_i targets, a prompt that stands once
// weighs as much as n_u equal ones, so this is the paper's loss over all B·K
// prompts where equal nouns share a prompt.
func NounLoss(scores, s, targets, known *Node) *Node {
	logits := Mul(scores, s)
	if known == nil {
		known = OnesLike(targets)
	}
	targets = Mul(targets, known)
	count := ReduceAndKeep(targets, ReduceSum, 0) // n_u [1, U]
	perImage := ReduceAndKeep(targets, ReduceSum, 1)
	hidden := MulScalar(OneMinus(known), hiddenLogit)
	visible := Add(logits, hidden)

	// Picture to prompts: log Σ_u n_u exp(τ s_iu); a prompt nobody has is no
	// competitor.
	none := ConvertDType(Equal(count, ZerosLike(count)), logits.DType())
	logCount := Add(Log(Add(count, none)), MulScalar(none, hiddenLogit))
	rows := InsertAxes(logSumExp(Add(visible, logCount), 1), -1)
	share := Div(targets, MaxScalar(perImage, 1e-6))
	toPrompts := ReduceAllSum(Mul(share, Sub(rows, logits)))
	withTargets := ReduceAllSum(ConvertDType(GreaterThan(perImage, ZerosLike(perImage)), logits.DType()))
	toPrompts = Div(toPrompts, MaxScalar(withTargets, 1.0))

	// Prompt to pictures, each prompt over its pictures.
	columns := InsertAxes(logSumExp(visible, 0), 0)
	toPictures := ReduceAllSum(Mul(targets, Sub(columns, logits)))
	toPictures = Div(toPictures, MaxScalar(ReduceAllSum(targets), 1.0))
	return MulScalar(Add(toPrompts, toPictures), 0.5)
}

// hiddenLogit takes an entry out of a logsumexp: far below any logit (at most
// 100 in size), and finite, so that its gradient is 0 and not NaN.
const hiddenLogit = -1e6

func logSumExp(x *Node, axis int) *Node {
	top := StopGradient(ReduceAndKeep(x, ReduceMax, axis))
	return Add(Squeeze(top, axis), Log(ReduceSum(Exp(Sub(x, top)), axis)))
}
