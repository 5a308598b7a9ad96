package network

import (
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// nounScores compares unit prompts [U, P] with the pictures: [B, U].
func nounScores(c Config, image ImageOutput, u, prompts *Node, against string) *Node {
	switch against {
	case AgainstGroups:
		return bestParts(c, image.GroupEmbeddings, prompts, image.Areas)
	case AgainstPatches:
		return bestParts(c, image.PatchEmbeddings, prompts, nil)
	case AgainstGlobal:
		u = unit(image.GlobalEmbedding)
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

// Metrics describe the last assignment, followed down to the image tokens: means
// over the pictures.
func (f ImageFeatures) Metrics() map[string]*Node {
	out := map[string]*Node{}
	if len(f.Stages) == 0 {
		return out
	}
	soft := StopGradient(f.Assignment) // [B, G, N]
	g := soft.Shape().Dimensions[1]
	won := OneHot(ArgMax(soft, 1, dtypes.Int32), g, soft.DType()) // [B, N, G]
	out["groups_used"] = ReduceAllMean(ReduceSum(ReduceMax(won, 1), -1))
	entropy := Neg(ReduceSum(Mul(soft, Log(MaxScalar(soft, 1e-12))), 1))
	out["assignment_entropy"] = DivScalar(ReduceAllMean(entropy), math.Log(float64(max(g, 2))))
	addSimilarity(out, f.Groups)
	addAgreement(out, won)
	return out
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }
