package network

import . "github.com/gomlx/gomlx/core/graph"

// ImageTextLoss is the mean of both directions' cross entropy between unit
// pictures u [B, P] and unit captions v [B, P] at inverse temperature s
// (scalar). weight [B] leaves pairs out where it is 0; nil is all ones.
// targets [B, B], nil or as in [Batch], divided by their sums, are the
// distributions that both directions are compared with.
func ImageTextLoss(u, v, s, weight, targets *Node) *Node {
	return imageTextLoss(u, v, s, weight, targets, nil)
}

// imageTextLoss is [ImageTextLoss], or the share of rows u [R, P].
func imageTextLoss(u, v, s, weight, targets *Node, rows *Rows) *Node {
	logits := Mul(Einsum("ip,jp->ij", u, v), s)
	if weight == nil {
		weight = OnesLike(ReduceSum(v, -1))
	}
	own := rows.own(weight)
	hide := func(weight *Node) *Node { return MulScalar(OneMinus(weight), hiddenLogit) }
	toCaptions := Mul(own, logSumExp(Add(logits, InsertAxes(hide(weight), 0)), 1))
	toPictures := Mul(weight, rows.columns(Add(logits, InsertAxes(hide(own), 1))))
	both := Add(ReduceAllSum(toCaptions), ReduceAllSum(toPictures))
	var fits *Node
	if targets == nil {
		fits = MulScalar(ReduceAllSum(Mul(weight, Mul(ReduceSum(Mul(u, v), -1), s))), 2)
	} else {
		t := Mul(targets, pairWeights(own, weight))
		share := func(sum, weight *Node) *Node { return Mul(Div(t, MaxScalar(sum, 1e-6)), weight) }
		fits = ReduceAllSum(Mul(logits, Add(
			share(ReduceAndKeep(t, ReduceSum, 1), InsertAxes(own, 1)),
			share(InsertAxes(rows.captionSums(t), 0), InsertAxes(weight, 0)))))
	}
	return Div(MulScalar(Sub(both, fits), 0.5), MaxScalar(ReduceAllSum(weight), 1.0))
}

// pairWeights is 1 where both picture [R] and caption [B] count: [R, B].
func pairWeights(pictures, captions *Node) *Node {
	return Mul(InsertAxes(pictures, 1), InsertAxes(captions, 0))
}

// NounLoss is the multi-label contrastive loss for scores [B, U] (cosines of
// pictures and prompts) at inverse temperature s, with targets [B, U] and known
// [B, U] as in [Batch]. With counts n_u = Σ_i targets, a prompt that stands once
// weighs as much as n_u equal ones, so this is the paper's loss over all B·K
// prompts where equal nouns share a prompt.
func NounLoss(scores, s, targets, known *Node) *Node {
	return nounLoss(scores, s, targets, known, nil)
}

// nounLoss is [NounLoss], or the share of rows [R, U].
func nounLoss(scores, s, targets, known *Node, rows *Rows) *Node {
	logits := Mul(scores, s)
	if known == nil {
		known = OnesLike(targets)
	}
	targets = Mul(targets, known)
	count, pictures := rows.nounSums(targets) // n_u [U]
	perImage := ReduceAndKeep(targets, ReduceSum, 1)
	visible := Add(logits, MulScalar(OneMinus(known), hiddenLogit))

	// Picture to prompts: log Σ_u n_u exp(τ s_iu); a prompt nobody has is no
	// competitor.
	none := ConvertDType(Equal(count, ZerosLike(count)), logits.DType())
	logCount := Add(Log(Add(count, none)), MulScalar(none, hiddenLogit))
	all := InsertAxes(logSumExp(Add(visible, InsertAxes(logCount, 0)), 1), -1)
	share := Div(targets, MaxScalar(perImage, 1e-6))
	toPrompts := ReduceAllSum(Mul(share, Sub(all, logits)))
	toPrompts = Div(toPrompts, MaxScalar(pictures, 1.0))

	// Prompt to pictures, each prompt over its pictures.
	toPictures := Sub(ReduceAllSum(Mul(count, rows.columns(visible))), ReduceAllSum(Mul(targets, logits)))
	toPictures = Div(toPictures, MaxScalar(ReduceAllSum(count), 1.0))
	return MulScalar(Add(toPrompts, toPictures), 0.5)
}

// hiddenLogit takes an entry out of a logsumexp: far below any logit (at most
// 100 in size), and finite, so that its gradient is 0 and not NaN.
const hiddenLogit = -1e6

func logSumExp(x *Node, axis int) *Node {
	top := StopGradient(ReduceAndKeep(x, ReduceMax, axis))
	return Add(Squeeze(top, axis), Log(ReduceSum(Exp(Sub(x, top)), axis)))
}
