package network

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Dense holds what label maps say of the patches of a batch: N = h·w of each image.
// The words are the batch's prompts.
type Dense struct {
	// Labels int32 [B, N] is the prompt that a patch shows; where Word is 0 it does
	// not matter.
	Labels *Node
	// Word [B, N] weighs "this patch shows its label", Background [B, N] weighs "it
	// shows some background word, whichever". Both are 0 where nothing is known.
	Word, Background *Node
	// Competing [B, U] is 1 for the prompts that the label map of an image tells
	// apart; the others, and padding, are left out of the softmax of its patches.
	Competing *Node
	// Stuff [U] is 1 for background words.
	Stuff *Node
}

// DenseLoss is the cross entropy of label maps. The words' probabilities at a patch
// are the softmax over competing prompts of s times the cosine. A patch that shows a
// word costs −log of its probability, one that shows background −log of the sum
// over background words. The mean over the patches of an image of which something is
// known, then over the images that have such a patch. parts [B, N, P] and prompts
// [U, P] are unit vectors, s a scalar.
func DenseLoss(parts, prompts, s *Node, d Dense) *Node { return denseLoss(parts, prompts, s, d, nil) }

// denseLoss is [DenseLoss], or the share of rows.
func denseLoss(parts, prompts, s *Node, d Dense, rows *Rows) *Node {
	logits := Mul(Einsum("bnp,up->bnu", parts, prompts), s)
	logits = Add(logits, hidden(d.Competing))
	all := logSumExp(logits, -1) // [B, N]

	shown := OneHot(d.Labels, logits.Shape().Dimensions[2], logits.DType())
	word := Sub(all, ReduceSum(Mul(shown, logits), -1))

	// Where no background word competes, "some background word" says nothing.
	stuff := Mul(InsertAxes(d.Stuff, 0), d.Competing) // [B, U]
	has := ReduceAndKeep(stuff, ReduceMax, 1)         // [B, 1]
	some := Sub(all, logSumExp(Add(logits, hidden(stuff)), -1))
	background := Mul(d.Background, has)

	loss := ReduceSum(Add(Mul(d.Word, word), Mul(background, some)), 1) // [B]
	known := ReduceSum(positivePart(Add(d.Word, background)), 1)
	images := positivePart(known)
	loss = Div(loss, MaxScalar(known, 1.0))
	return Div(ReduceAllSum(loss), MaxScalar(rows.labelled(images), 1.0))
}

// mixture is what patches are to groups: each patch the unit vector of its groups'
// mean under its assignment. groups [B, G, P] unit, soft [B, G, N]; [B, N, P].
func mixture(groups, soft *Node) *Node { return unit(Einsum("bgn,bgp->bnp", soft, groups)) }

// Names of these losses among the metrics.
const (
	metricDense       = "loss_dense"
	metricDenseGroups = "loss_dense_groups"
	metricAccuracy    = "dense_accuracy"
)

// addDense adds the losses of label maps, of the patches and of the groups.
func (l LossConfig) addDense(out *LossOutput, prompts, s *Node, b Batch) {
	add := func(name string, parts *Node, weight float64) {
		loss := denseLoss(parts, prompts, s, *b.Dense, b.Rows)
		out.Metrics[name] = StopGradient(loss)
		out.Total = Add(out.Total, MulScalar(loss, weight))
		out.Metrics[metricAccuracy] = denseAccuracy(parts, prompts, *b.Dense, b.Rows)
	}
	if l.DenseGroupWeight > 0 {
		add(metricDenseGroups, mixture(unit(out.Image.GroupEmbeddings), out.Image.Assignment), l.DenseGroupWeight)
	}
	if l.DenseWeight > 0 {
		add(metricDense, unit(out.Image.PatchEmbeddings), l.DenseWeight)
	}
}

// denseAccuracy is the share of an image's labelled patches whose best competing
// prompt is their label, or any background word where they show background; the mean
// over images with such a patch.
func denseAccuracy(parts, prompts *Node, d Dense, rows *Rows) *Node {
	logits := Add(Einsum("bnp,up->bnu", StopGradient(parts), StopGradient(prompts)), hidden(d.Competing))
	best := ArgMax(logits, -1, dtypes.Int32)
	word := Mul(ConvertDType(Equal(best, d.Labels), logits.DType()), positivePart(d.Word))
	chosen := OneHot(best, logits.Shape().Dimensions[2], logits.DType())
	stuff := Einsum("bnu,u->bn", chosen, d.Stuff)
	right := Max(word, Mul(stuff, positivePart(d.Background)))
	known := positivePart(Add(d.Word, d.Background))
	images := ReduceSum(known, 1)
	share := Div(ReduceSum(Mul(right, known), 1), MaxScalar(images, 1.0))
	return Div(ReduceAllSum(share), MaxScalar(rows.labelled(positivePart(images)), 1.0))
}

// labelled is [Sums.Labelled], of images [B], 1 for one with a labelled patch.
func (r *Rows) labelled(images *Node) *Node {
	if r == nil {
		return ReduceAllSum(images)
	}
	return r.Sums.Labelled
}
