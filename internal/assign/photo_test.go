package assign_test

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/enginetest"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// hashed is r(k, j) of tools/reference/formula.py, in [-0.5, 0.5).
func hashed(k, j uint32) float64 {
	u := k*2654435761 + j*40503 + 1
	u ^= u >> 15
	u *= 2246822519
	u ^= u >> 13
	return float64(u)/(1<<32) - 0.5
}

// paperPhoto draws the fixture's picture.
func paperPhoto() *imaging.Image {
	im := imaging.New(paperWidth, paperHeight)
	for y := range paperHeight {
		for x := range paperWidth {
			for c := range 3 {
				square := hashed(500002, uint32((y/40*16+x/40)*3+c))
				noise := hashed(500003, uint32((y*paperWidth+x)*3+c))
				im.Pix[(y*paperWidth+x)*3+c] = uint8(math.Floor(216*(square+0.5)) + math.Floor(40*(noise+0.5)))
			}
		}
	}
	return im
}

// TestPaperFromPixels goes the whole way with the tiny network: resize, windows,
// network, scores, labels.
func TestPaperFromPixels(t *testing.T) {
	model, err := weights.Open("../network/testdata/tiny")
	if err != nil {
		t.Fatal(err)
	}
	r, c := readPaper(t, "tiny"), model.Config
	rule := assign.PaperRule(c.ImageSize)
	w, h := rule.Size(paperWidth, paperHeight)
	small, err := imaging.ResizeOpenCV(paperPhoto(), w, h)
	if err != nil {
		t.Fatal(err)
	}
	b := enginetest.New(t, engine.Go, 1)
	call := func(input *tensors.Tensor, build func(network.Weights, *graph.Node) []*graph.Node) [][]float32 {
		exec, err := graph.NewExec(b, func(in *graph.Node) []*graph.Node {
			return build(func(name string) *graph.Node {
				for _, p := range c.Params() {
					if p.Name == name {
						return graph.ConstTensor(in.Graph(), tensors.FromFlatDataAndDimensions(model.Tensors[name], p.Shape...))
					}
				}
				panic("no parameter " + name)
			}, in)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer exec.Finalize()
		results, err := exec.Call(input)
		if err != nil {
			t.Fatal(err)
		}
		var out [][]float32
		for _, result := range results {
			out = append(out, tensors.MustCopyFlatData[float32](result))
		}
		return out
	}
	var ids []int32
	for _, row := range r.IDs {
		ids = append(ids, row...)
	}
	texts := call(tensors.FromFlatDataAndDimensions(ids, len(r.IDs), len(r.IDs[0])), func(w network.Weights, in *graph.Node) []*graph.Node {
		return []*graph.Node{network.Text(w, c, in, network.Mode{}).Embedding}
	})[0]
	assign.Normalize(texts, c.EmbedWidth)
	v := &assign.View{Width: paperWidth, Height: paperHeight, SeenWidth: w, SeenHeight: h}
	for _, box := range rule.Windows(w, h) {
		crop, err := imaging.Crop(small, box.X, box.Y, box.Width, box.Height)
		if err != nil {
			t.Fatal(err)
		}
		pixels := imaging.Normalize(crop, weights.ImageNetMean, weights.ImageNetStd)
		var grid [2]int
		out := call(tensors.FromFlatDataAndDimensions(pixels, 1, 3, box.Height, box.Width), func(w network.Weights, in *graph.Node) []*graph.Node {
			i := network.Image(w, c, in, network.Mode{})
			grid = [2]int{i.GridH, i.GridW}
			return []*graph.Node{i.Stages[0].Soft, i.Stages[1].Soft, i.GroupEmbeddings, i.Embedding}
		})
		assign.Normalize(out[2], c.EmbedWidth)
		assign.Normalize(out[3], c.EmbedWidth)
		v.Windows = append(v.Windows, assign.Window{
			Rect: box, GridH: grid[0], GridW: grid[1], Groups: out[2], Image: out[3],
			Assign: assign.Chain([][]float32{out[0], out[1]}, []int{6, 3}),
		})
	}
	// Our resize may differ from OpenCV's by a level here and there.
	checkPaper(t, r, "tiny", v, texts, 2e-3, paperWidth*paperHeight/200)
}
