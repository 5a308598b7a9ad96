package network

import . "github.com/gomlx/gomlx/core/graph"

// ExplainLoss wants each patch to answer to a word that may explain it: the mean
// over patches of −log of the share that a picture's own words have of all words'
// softmax at inverse temperature s. patches [B, N, P] and prompts [U, P] are unit
// vectors, targets, known and explains [B, U] as in [Batch].
//
// The noun loss says what is somewhere in a picture; this one says that there is
// nothing else in it. A patch that ten captions explain as "kite, sand", "star,
// sand" and so on is sand.
func ExplainLoss(patches, prompts, s, targets, known, explains *Node) *Node {
	return explainLoss(patches, prompts, s, Batch{Targets: targets, Known: known, Explains: explains})
}

// explainLoss is [ExplainLoss], or the share of b.Rows.
func explainLoss(patches, prompts, s *Node, b Batch) *Node {
	own, all := b.explanations()
	logits := Mul(Einsum("bnp,up->bnu", patches, prompts), s)
	unexplained := Sub(logSumExp(Add(logits, hidden(all)), -1), logSumExp(Add(logits, hidden(own)), -1))
	return b.Rows.meanOfExplained(unexplained, own)
}

// explanations are 1 [B, U] for the words that may explain a part of a picture,
// and for the words that they are compared with: these, and those that are known
// to be absent. Words that no picture of the batch has do not count.
func (b Batch) explanations() (own, all *Node) {
	named, known, explains := positivePart(b.Targets), b.Known, b.Explains
	if known == nil {
		known = OnesLike(b.Targets)
	}
	if explains == nil {
		explains = named
	}
	inBatch := InsertAxes(b.Rows.names(named), 0)
	return Mul(explains, inBatch), Mul(Max(known, explains), inBatch)
}

// hidden makes logits [B, …, U] of words that are not wanted [B, U] vanish.
func hidden(wanted *Node) *Node { return InsertAxes(MulScalar(OneMinus(wanted), hiddenLogit), 1) }

// meanOfExplained is the mean of losses [B, N] over the patches of the pictures
// that have a word.
func (r *Rows) meanOfExplained(losses, own *Node) *Node {
	has := ReduceMax(own, 1) // [B]
	return Div(ReduceAllSum(Mul(ReduceMean(losses, 1), has)), MaxScalar(r.explained(has), 1.0))
}

// TeachLoss lets patches teach groups. What a patch answers to among the words
// that may explain it (patches, own prompts and s are constants here) is what the
// groups that it is assigned to should answer to among all words: the mean over
// patches of the cross entropy between both. groups [B, G, P] are unit vectors,
// soft [B, G, N] is the assignment.
//
// The teacher knows the caption, the groups do not: at that price they learn which
// patches belong together.
func TeachLoss(patches, groups, soft, prompts, s, targets, known, explains *Node) *Node {
	return teachLoss(patches, groups, soft, prompts, s, Batch{Targets: targets, Known: known, Explains: explains})
}

// teachLoss is [TeachLoss], or the share of b.Rows.
func teachLoss(patches, groups, soft, prompts, s *Node, b Batch) *Node {
	own, all := b.explanations()
	prompts, s = StopGradient(prompts), StopGradient(s)
	answers := func(parts *Node) *Node { return Mul(Einsum("bmp,up->bmu", parts, prompts), s) }
	teacher := Softmax(Add(answers(StopGradient(patches)), hidden(own)), -1) // [B, N, U]
	words := Softmax(Add(answers(groups), hidden(all)), -1)                  // [B, G, U]
	pupil := Einsum("bgn,bgu->bnu", soft, words)
	entropy := Neg(ReduceSum(Mul(teacher, Log(AddScalar(pupil, 1e-6))), -1)) // [B, N]
	return b.Rows.meanOfExplained(entropy, own)
}

// Names of these losses among the metrics.
const (
	metricExplain = "loss_explain"
	metricTeach   = "loss_teach"
)

// addParts adds the losses of single patches and groups.
func (l LossConfig) addParts(out *LossOutput, prompts, s *Node, b Batch) {
	add := func(name string, loss *Node, weight float64) {
		out.Metrics[name] = StopGradient(loss)
		out.Total = Add(out.Total, MulScalar(loss, weight))
	}
	if l.ExplainWeight > 0 {
		add(metricExplain, explainLoss(unit(out.Image.PatchEmbeddings), prompts, s, b), l.ExplainWeight)
	}
	if l.TeachWeight > 0 {
		i := out.Image
		loss := teachLoss(unit(i.PatchEmbeddings), unit(i.GroupEmbeddings), i.Assignment, prompts, s, b)
		add(metricTeach, loss, l.TeachWeight)
	}
}
