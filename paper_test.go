package groupvit

import (
	"encoding/json"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"

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

// formulaModel is the published size with weights by tools/reference/formula.py,
// but for the temperature, which testdata/paper sets to 4.5.
func formulaModel() *weights.Model {
	c := network.Default()
	// The mean that converted checkpoints name; the paper's protocol must not
	// use it.
	m := &weights.Model{Config: c, Tensors: map[string][]float32{}, Mean: clipMean, Std: clipStd}
	k := uint32(0)
	for _, p := range c.Params() {
		values := make([]float32, p.Size())
		m.Tensors[p.Name] = values
		if p.Name == network.NounLogitScale {
			continue // the port has none
		}
		scale, offset := formulaRule(p.Name, p.Shape, p.Size())
		for j := range values {
			values[j] = float32(offset + scale*hashed(k, uint32(j)))
		}
		k++
	}
	m.Tensors[network.LogitScale][0] = 4.5
	return m
}

func formulaRule(name string, shape []int, size int) (scale, offset float64) {
	has := func(ends ...string) bool {
		for _, e := range ends {
			if strings.HasSuffix(name, e) {
				return true
			}
		}
		return false
	}
	gain := 1.5
	switch {
	case len(shape) == 0:
		return 0, 0
	case has("running_var"):
		return 0.6, 1
	case has("running_mean"):
		return 0.4, 0
	case has("token_embedding.weight", "position_embedding.weight", "position_embeddings", "group_token"):
		return 2, 0
	case len(shape) == 1 && has(".weight"):
		return 0.4, 1
	case len(shape) == 1:
		return 0.2, 0
	case has("assign.q_proj.weight", "assign.k_proj.weight"):
		gain = 4
	}
	return gain * math.Sqrt(12/float64(size/shape[0])), 0
}

// formulaPhoto draws the picture of testdata/paper.
func formulaPhoto(width, height int) *imaging.Image {
	im := imaging.New(width, height)
	for y := range height {
		for x := range width {
			for c := range 3 {
				square := hashed(500002, uint32((y/40*16+x/40)*3+c))
				noise := hashed(500003, uint32((y*width+x)*3+c))
				im.Pix[(y*width+x)*3+c] = uint8(math.Floor(216*(square+0.5)) + math.Floor(40*(noise+0.5)))
			}
		}
	}
	return im
}

// TestPaperWholeWay: from pixels and words to labels with the published size,
// windows of 448 and CLIP's tokenizer, against testdata/paper, which
// tools/reference/segment_paper.py has computed independently of this code, in
// float64 and with OpenCV: where a level of the resized photo or the seventh
// digit moves a patch of this random network to another group, a border moves.
func TestPaperWholeWay(t *testing.T) {
	if testing.Short() {
		t.Skip("the published size takes seconds")
	}
	var want struct {
		Labels  []string
		Resized [2]int
		Windows []struct{ Box [4]int }
		Results map[string]struct {
			Threshold *float64
			Scores    [][]float64 // y, x, background, labels
		}
	}
	b, err := os.ReadFile("testdata/paper/default.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	m, err := openModel("formula", formulaModel(), &Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const width, height = 400, 300
	e, err := m.Encode(t.Context(), formulaPhoto(width, height), nil)
	if err != nil {
		t.Fatal(err)
	}
	for tag, result := range want.Results {
		t.Run("background "+tag, func(t *testing.T) {
			o := &QueryOptions{Background: NoBackground(), Scores: true}
			if result.Threshold != nil {
				o.Background = BackgroundBelow(*result.Threshold)
			}
			s, err := e.Segment(t.Context(), want.Labels, o)
			if err != nil {
				t.Fatal(err)
			}
			r := s.Report
			if r.Protocol != Paper || r.SeenHeight != want.Resized[0] || r.SeenWidth != want.Resized[1] || r.Windows != len(want.Windows) || r.Templates != "simple" || r.Note != "" {
				t.Errorf("report %+v", r)
			}
			far := 0
			for _, spot := range result.Scores {
				y, x := int(spot[0]), int(spot[1])
				for label, score := range spot[3:] {
					if math.Abs(float64(s.Scores[(label*height+y)*width+x])-score) > 2e-3 {
						far++
						break
					}
				}
			}
			if far > 1 {
				t.Errorf("%d of %d pixels have other scores", far, len(result.Scores))
			}
			different := compareLabels(t, s.Map.Labels, "testdata/paper/default_"+tag+".png")
			t.Logf("%d of %d pixels have another label", different, width*height)
			if different > width*height/100 {
				t.Errorf("%d pixels have another label", different)
			}
		})
	}
}

// compareLabels counts the pixels that differ from a PNG of one grey level a
// label.
func compareLabels(t *testing.T, labels []uint16, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	different, width := 0, im.Bounds().Dx()
	for i, l := range labels {
		if g, _, _, _ := im.At(i%width, i/width).RGBA(); uint16(g>>8) != l {
			different++
		}
	}
	return different
}
