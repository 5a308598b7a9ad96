package network

import (
	"maps"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Batch holds the graph inputs of the loss.
type Batch struct {
	// Pixels [B, 3, H, W], normalised.
	Pixels *Node
	// Captions int32 [B, T].
	Captions *Node
	// CaptionWeight [B] is 1 for a picture with a caption of its own and 0 for
	// one whose caption fits many (a template): it is left out of the
	// image–text loss, as a positive and as a negative. Nil is all ones.
	CaptionWeight *Node
	// Prompts int32 [U, T] are the noun prompts, nil without a noun loss.
	Prompts *Node
	// Targets [B, U] says how often prompt u belongs to picture i. In the paper
	// U = B·K and every picture has ones at its own K prompts; prompts that
	// would repeat may stand once, with counts. All-zero columns are padding.
	Targets *Node
	// Known [B, U] is 0 where it is not known whether a word fits a picture:
	// the pair counts in neither direction. Nil is all ones.
	Known *Node
}

// LossOutput holds the losses, scalars, and what was computed on the way.
type LossOutput struct {
	// Total is ImageText + Nouns.
	Total *Node
	// ImageText is the image–text contrastive loss.
	ImageText *Node
	// Nouns is the multi-label contrastive loss, summed over what words are
	// compared with; nil without prompts.
	Nouns *Node
	// Metrics are scalars to log: groups_used (groups that win a token, mean
	// over pictures), assignment_entropy (over ln G, mean over tokens), and
	// group_similarity and mask_agreement (see collapse).
	Metrics map[string]*Node
	// Updates holds new running statistics by parameter name.
	Updates map[string]*Node
	// Image is the image tower's output.
	Image ImageOutput
}

// Loss computes both contrastive losses of a batch (paper, §3.3 and §3.4).
// Captions and prompts go through the text tower together, because its head
// shares their batch statistics.
func Loss(w Weights, c Config, b Batch, m Mode) LossOutput {
	image := Image(w, c, b.Pixels, m)
	ids, n := b.Captions, b.Captions.Shape().Dimensions[0]
	if b.Prompts != nil {
		ids = Concatenate([]*Node{b.Captions, b.Prompts}, 0)
	}
	text := Text(w, c, ids, m)
	texts := unit(text.Embedding)
	out := LossOutput{Image: image, Updates: image.Updates, Metrics: metrics(image)}
	maps.Copy(out.Updates, text.Updates)

	u := unit(image.Embedding)
	captions := SliceAxis(texts, 0, AxisRange(0, n))
	out.ImageText = ImageTextLoss(u, captions, scale(w(LogitScale)), b.CaptionWeight)
	out.Total = out.ImageText
	if b.Prompts == nil {
		return out
	}
	prompts := SliceAxis(texts, 0, AxisRangeToEnd(n))
	s := scale(w(NounLogitScale))
	for _, against := range c.Variant.nounsAgainst() {
		l := NounLoss(nounScores(c, image, u, prompts, against), s, b.Targets, b.Known)
		if out.Nouns == nil {
			out.Nouns = l
		} else {
			out.Nouns = Add(out.Nouns, l)
		}
	}
	out.Total = Add(out.Total, out.Nouns)
	return out
}

// maxScale is the largest inverse temperature; above it the gradient is 0.
const maxScale = 100

func scale(theta *Node) *Node { return MinScalar(Exp(theta), float64(maxScale)) }

// ImageTextLoss is the mean of both directions' cross entropy between unit
// pictures u [B, P] and unit captions v [B, P] at inverse temperature s
// (scalar). weight [B] leaves pairs out where it is 0; nil is all ones.
func ImageTextLoss(u, v, s, weight *Node) *Node {
	logits := Mul(Einsum("ip,jp->ij", u, v), s)
	own := ReduceSum(Mul(u, v), -1) // [B]
	own = Mul(own, s)
	if weight == nil {
		weight = OnesLike(own)
	}
	hidden := MulScalar(OneMinus(weight), hiddenLogit)
	rows := logSumExp(Add(logits, InsertAxes(hidden, 0)), 1)
	columns := logSumExp(Add(logits, InsertAxes(hidden, 1)), 0)
	sum := ReduceAllSum(Mul(weight, Sub(MulScalar(Add(rows, columns), 0.5), own)))
	return Div(sum, MaxScalar(ReduceAllSum(weight), 1.0))
}

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

// nounScores compares unit prompts [U, P] with the pictures: [B, U].
func nounScores(c Config, image ImageOutput, u, prompts *Node, against string) *Node {
	switch against {
	case AgainstGroups:
		return bestParts(c, image.GroupEmbeddings, prompts, image.Areas)
	case AgainstPatches:
		return bestParts(c, image.PatchEmbeddings, prompts, nil)
	}
	return Einsum("ip,up->iu", u, prompts)
}

// bestParts scores a word by the parts of a picture that answer to it: the
// mean of the parts' cosines q under a softmax of β·q (+ log of their area).
// parts [B, M, P], prompts [U, P] unit, areas [B, M] or nil.
func bestParts(c Config, parts, prompts, areas *Node) *Node {
	beta := c.Variant.NounSharpness
	if beta == 0 {
		beta = 10
	}
	q := Einsum("bmp,up->bum", unit(parts), prompts)
	logits := MulScalar(q, beta)
	if areas != nil {
		logits = Add(logits, InsertAxes(Log(AddScalar(areas, 1e-4)), 1))
	}
	return ReduceSum(Mul(Softmax(logits, -1), q), -1)
}

// metrics describe the last assignment, followed down to the image tokens.
func metrics(image ImageOutput) map[string]*Node {
	out := map[string]*Node{}
	if len(image.Stages) == 0 {
		return out
	}
	soft := StopGradient(chain(image.Stages)) // [B, G, N]
	g := soft.Shape().Dimensions[1]
	won := OneHot(ArgMax(soft, 1, dtypes.Int32), g, soft.DType()) // [B, N, G]
	out["groups_used"] = ReduceAllMean(ReduceSum(ReduceMax(won, 1), -1))
	entropy := Neg(ReduceSum(Mul(soft, Log(MaxScalar(soft, 1e-12))), 1))
	out["assignment_entropy"] = DivScalar(ReduceAllMean(entropy), math.Log(float64(max(g, 2))))
	collapse(out, image, won)
	return out
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }
