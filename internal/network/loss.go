package network

import (
	"maps"

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
	// CaptionTargets [B, B] says how well caption j fits picture i, 0 to 1, with
	// ones on the diagonal. Nil is the identity: each caption fits its own
	// picture alone.
	CaptionTargets *Node
	// Prompts int32 [U, T] are the noun prompts, nil without a noun loss.
	Prompts *Node
	// Targets [B, U] says how often prompt u belongs to picture i. In the paper
	// U = B·K and every picture has ones at its own K prompts; prompts that
	// would repeat may stand once, with counts. All-zero columns are padding.
	Targets *Node
	// Known [B, U] is 0 where it is not known whether a word fits a picture:
	// the pair counts in neither direction. Nil is all ones.
	Known *Node
	// Explains [B, U] is 1 where prompt u may explain a part of picture i; nil is
	// where Targets is above 0. Without an explaining loss it does not matter.
	Explains *Node
	// Dense is what label maps say; nil without them.
	Dense *Dense
	// Rows, where set, says that the pictures are a part of a batch, whose texts
	// are all here; see [LossConfig.OfRows].
	Rows *Rows
}

// LossConfig says which loss is computed of the features.
type LossConfig struct {
	// Sigmoid judges each pair by itself (SigLIP) instead of comparing it with
	// the batch; the network needs Variant.LogitBias.
	Sigmoid bool
	// NounWeight multiplies the noun loss; the paper's 1.
	NounWeight float64
	// ShareTemperature gives both losses the temperature of the image–text loss.
	ShareTemperature bool
	// ExplainWeight multiplies [ExplainLoss] of the patches, which the network
	// projects; the paper's 0.
	ExplainWeight float64
	// TeachWeight multiplies [TeachLoss], by which patches teach groups their
	// words, for a network that has and projects both; the paper's 0.
	TeachWeight float64
	// DenseWeight multiplies [DenseLoss] of the patches, DenseGroupWeight that of
	// the groups' map, where the batch has label maps; the paper's 0.
	DenseWeight, DenseGroupWeight float64
}

// PaperLoss is the published loss.
func PaperLoss() LossConfig { return LossConfig{NounWeight: 1} }

// LossOutput holds the losses, scalars, and what was computed on the way.
type LossOutput struct {
	// Total is ImageText + NounWeight·Nouns, and the losses of single patches and
	// groups where they have a weight.
	Total *Node
	// ImageText is the image–text contrastive loss.
	ImageText *Node
	// Nouns is the multi-label contrastive loss, summed over what words are
	// compared with; nil without prompts.
	Nouns *Node
	// Metrics are scalars to log: groups_used (groups that win a token, mean
	// over pictures), assignment_entropy (over ln G, mean over tokens), and what
	// tells of a collapse (collapse.go).
	Metrics map[string]*Node
	// Updates holds new running statistics by parameter name.
	Updates map[string]*Node
	// Image is the image tower's output.
	Image ImageOutput
}

// Loss computes the published losses of a batch (paper, §3.3 and §3.4).
func Loss(w Weights, c Config, b Batch, m Mode) LossOutput { return PaperLoss().Of(w, c, b, m) }

// Of computes both losses of a batch.
func (l LossConfig) Of(w Weights, c Config, b Batch, m Mode) LossOutput {
	f := ImageTower(w, c, b.Pixels, m)
	out := l.OfFeatures(w, c, f, TextTower(w, c, b.Texts(), m), b, m)
	metrics := f.Metrics()
	maps.Copy(metrics, out.Metrics)
	out.Metrics = metrics
	return out
}

// Texts are all texts of a batch, captions first. They go through the text tower
// together, because its head shares their batch statistics.
func (b Batch) Texts() *Node {
	if b.Prompts == nil {
		return b.Captions
	}
	return Concatenate([]*Node{b.Captions, b.Prompts}, 0)
}

// OfFeatures computes both losses of what the towers made of a batch: features
// of all pictures and pooled features of all texts [B+U, C], captions first. It
// looks at pictures through [ImageFeatures.Cut] alone, and of the batch at
// neither pixels nor token ids. Its metrics are those that need the head;
// [ImageFeatures.Metrics] has the others.
func (l LossConfig) OfFeatures(w Weights, c Config, f ImageFeatures, texts *Node, b Batch, m Mode) LossOutput {
	image, text := ImageHead(w, c, f, m), TextHead(w, c, texts, m)
	out := l.ofEmbeddings(w, c, image, unit(text.Embedding), b)
	maps.Copy(out.Updates, image.Updates)
	maps.Copy(out.Updates, text.Updates)
	return out
}

// ofEmbeddings computes the losses of projected pictures and unit texts [B+U, P].
func (l LossConfig) ofEmbeddings(w Weights, c Config, image ImageOutput, texts *Node, b Batch) LossOutput {
	out := LossOutput{Image: image, Updates: map[string]*Node{}, Metrics: map[string]*Node{}}
	if image.GroupEmbeddings != nil {
		addSimilarity(out.Metrics, image.GroupEmbeddings)
	}
	u, s := unit(image.Embedding), scale(w(LogitScale))
	n := u.Shape().Dimensions[0]
	if b.Rows != nil {
		n = b.captions()
	}
	captions := SliceAxis(texts, 0, AxisRange(0, n))
	if l.Sigmoid {
		out.ImageText = sigmoidImageTextLoss(u, captions, s, w(LogitBias), b.CaptionWeight, b.CaptionTargets, b.Rows)
	} else {
		out.ImageText = imageTextLoss(u, captions, s, b.CaptionWeight, b.CaptionTargets, b.Rows)
	}
	out.Total = out.ImageText
	if texts.Shape().Dimensions[0] > n {
		l.addNouns(w, c, &out, u, SliceAxis(texts, 0, AxisRangeToEnd(n)), b)
	}
	return out
}

// addNouns adds the losses of noun prompts [U, P] for pictures u.
func (l LossConfig) addNouns(w Weights, c Config, out *LossOutput, u, prompts *Node, b Batch) {
	s := scale(w(LogitScale))
	if !l.ShareTemperature {
		s = scale(w(NounLogitScale))
	}
	for _, against := range c.Variant.nounsAgainst() {
		term := l.nouns(w, nounScores(c, out.Image, u, prompts, against), s, b)
		if out.Nouns == nil {
			out.Nouns = term
		} else {
			out.Nouns = Add(out.Nouns, term)
		}
	}
	out.Total = Add(out.Total, MulScalar(out.Nouns, l.NounWeight))
	l.addParts(out, prompts, s, b)
	if b.Dense != nil {
		l.addDense(out, prompts, s, b)
	}
}

// nouns is the noun loss of scores [B, U].
func (l LossConfig) nouns(w Weights, scores, s *Node, b Batch) *Node {
	switch {
	case !l.Sigmoid:
		return nounLoss(scores, s, b.Targets, b.Known, b.Rows)
	case l.ShareTemperature:
		return sigmoidNounLoss(scores, s, w(LogitBias), b.Targets, b.Known, b.Rows)
	}
	return sigmoidNounLoss(scores, s, w(NounLogitBias), b.Targets, b.Known, b.Rows)
}

// maxScale is the largest inverse temperature; above it the gradient is 0.
const maxScale = 100

func scale(theta *Node) *Node { return MinScalar(Exp(theta), float64(maxScale)) }
