package network

import . "github.com/gomlx/gomlx/core/graph"

// Rows goes with a [Batch] that has a part of a batch's pictures, and all of its
// texts: R pictures of B. The losses of the parts, computed with it, add up to
// those of the whole batch, and so do their gradients; matrices have R rows, not
// B. CaptionWeight is that of all B captions, CaptionTargets [R, B] are there.
type Rows struct {
	// Weight [R] is the caption weight of the part's own pictures.
	Weight *Node
	// Columns are what [LossConfig.Columns] lists, over all pictures of the batch.
	Columns []*Node
	// Sums are sums over all pictures of the batch.
	Sums Sums
	// asked counts the columns that the losses have asked for; found collects them,
	// where they are not known yet.
	asked int
	found *[]*Node
}

// Sums are what the losses need to know of the targets of all pictures of a batch.
type Sums struct {
	// Captions [B] is how well each caption fits all pictures: the sum over them of
	// CaptionTargets, with both of a pair having caption weight.
	Captions *Node
	// Prompts [U] is how often pictures have each prompt and it is known.
	Prompts *Node
	// Pictures, a scalar, is the number of pictures that have such a prompt.
	Pictures *Node
	// Named [U] is 1 where a picture has the prompt, known or not.
	Named *Node
	// Explained, a scalar, is the number of pictures that one of the batch's words
	// may explain a part of.
	Explained *Node
	// Labelled, a scalar, is the number of pictures with a labelled patch.
	Labelled *Node
}

// OfRows computes the losses of a part of the pictures of b, where b.Rows says
// what part: features of its pictures, unit vectors of all texts [B+U, P], captions
// first. Its losses and metrics are shares, which add up over the parts.
func (l LossConfig) OfRows(w Weights, c Config, f ImageFeatures, texts *Node, b Batch, m Mode) LossOutput {
	b.Rows.asked = 0
	out := l.ofEmbeddings(w, c, ImageHead(w, c, f, m), texts, b)
	part := b.Rows.Weight.Shape().Dimensions[0]
	if n, ok := out.Metrics[groupSimilarity]; ok { // a mean over pictures
		out.Metrics[groupSimilarity] = MulScalar(n, float64(part)/float64(b.captions()))
	}
	return out
}

// Columns computes log Σ exp over the part's pictures for each column of logits
// that the losses sum over pictures: of the captions [B] and of the prompts [U],
// these for each of what words are compared with; none for the sigmoid loss. The
// inputs are those of [LossConfig.OfRows], but for Rows.Columns and Rows.Sums'
// scalars. What the parts give is added in the same way, as exponentials, to what
// OfRows wants.
func (l LossConfig) Columns(w Weights, c Config, f ImageFeatures, texts *Node, b Batch, m Mode) []*Node {
	rows, found := *b.Rows, []*Node(nil)
	rows.found = &found
	b.Rows = &rows
	l.OfRows(w, c, f, texts, b, m)
	return found
}

// captions is B.
func (b Batch) captions() int { return b.CaptionWeight.Shape().Dimensions[0] }

// columns is log Σ exp over the pictures of the batch [C] of logits [B, C]. Of
// rows [R, C] it is a share: over the parts the shares and their gradients add up
// to the columns' (d log Σ exp(x) = Σ p·dx with p = exp(x − log Σ exp(x)), Σ p = 1).
func (r *Rows) columns(x *Node) *Node {
	switch {
	case r == nil:
		return logSumExp(x, 0)
	case r.found != nil:
		*r.found = append(*r.found, logSumExp(x, 0))
		return (*r.found)[len(*r.found)-1]
	}
	known := InsertAxes(StopGradient(r.Columns[r.asked]), 0)
	r.asked++
	p := Exp(Sub(x, known))
	value := StopGradient(p)
	return ReduceSum(Add(Sub(p, value), Mul(value, known)), 0)
}

// own is the caption weight of the pictures that a loss sees, of all weights.
func (r *Rows) own(weight *Node) *Node {
	if r == nil {
		return weight
	}
	return r.Weight
}

// captionSums are [Sums.Captions], of targets [B, B] with both weights.
func (r *Rows) captionSums(t *Node) *Node {
	if r == nil {
		return ReduceSum(t, 0)
	}
	return r.Sums.Captions
}

// nounSums are [Sums.Prompts] and [Sums.Pictures], of known targets [B, U].
func (r *Rows) nounSums(targets *Node) (prompts, pictures *Node) {
	if r == nil {
		return ReduceSum(targets, 0), ReduceAllSum(positivePart(ReduceSum(targets, 1)))
	}
	return r.Sums.Prompts, r.Sums.Pictures
}

// names is [Sums.Named], of named [B, U].
func (r *Rows) names(named *Node) *Node {
	if r == nil {
		return ReduceMax(named, 0)
	}
	return r.Sums.Named
}

// explained is [Sums.Explained], of has [B], 1 for such a picture.
func (r *Rows) explained(has *Node) *Node {
	if r == nil {
		return ReduceAllSum(has)
	}
	return r.Sums.Explained
}
