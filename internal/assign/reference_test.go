package assign_test

import (
	"context"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/assign"
)

// The fixture in testdata/paper of the repository's root: the paper's protocol
// for one picture, computed independently (tools/reference/segment_paper.py).
type paperRecord struct {
	Labels  []string
	IDs     [][]int32
	Resized [2]int // height, width
	Sigma   float64
	Texts   [][]float64
	Windows []struct {
		Box    [4]int // y0, x0, y1, x1
		Kept   []int
		Scores [][]float64
		Soft   [][]float64
		Groups [][]float64
		Image  []float64
	}
	Results map[string]struct {
		Threshold *float64
		Pixels    []int
		Scores    [][]float64 // y, x, background, labels
	}
}

func paperFolder() string { return filepath.Join("..", "..", "testdata", "paper") }

func readPaper(t *testing.T, name string) paperRecord {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(paperFolder(), name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r paperRecord
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func flat(rows ...[]float64) []float32 {
	var out []float32
	for _, v := range slices.Concat(rows...) {
		out = append(out, float32(v))
	}
	return out
}

// readLabels reads a label map: one grey level a label.
func readLabels(t *testing.T, name string) []uint16 {
	t.Helper()
	f, err := os.Open(filepath.Join(paperFolder(), name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []uint16
	for y := range im.Bounds().Dy() {
		for x := range im.Bounds().Dx() {
			g, _, _, _ := im.At(x, y).RGBA()
			out = append(out, uint16(g>>8))
		}
	}
	return out
}

const paperWidth, paperHeight = 400, 300

// checkPaper runs the protocol on a view and compares scores and labels.
func checkPaper(t *testing.T, r paperRecord, name string, v *assign.View, texts []float32, tolerance float64, border int) {
	t.Helper()
	width := len(texts) / len(r.IDs)
	for tag, want := range r.Results {
		t.Run("background "+tag, func(t *testing.T) {
			threshold := math.NaN()
			if want.Threshold != nil {
				threshold = *want.Threshold
			}
			s, err := assign.Paper(context.Background(), v, texts, width, r.Sigma, threshold)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Decide(context.Background(), paperWidth, paperHeight, 0, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, spot := range want.Scores {
				y, x := int(spot[0]), int(spot[1])
				for label, score := range spot[3:] {
					if g := float64(got.Scores[(label*paperHeight+y)*paperWidth+x]); math.Abs(g-score) > tolerance {
						t.Errorf("score of label %d at (%d, %d) is %.7f, want %.7f", label+1, y, x, g, score)
					}
				}
			}
			different := 0
			for i, l := range readLabels(t, name+"_"+tag) {
				if got.Map.Labels[i] != l {
					different++
				}
			}
			t.Logf("%d of %d pixels have another label", different, paperWidth*paperHeight)
			if different > border {
				t.Errorf("%d pixels have another label, allowed %d", different, border)
			}
		})
	}
}

// TestPaperReference starts from the stored assignments and features.
func TestPaperReference(t *testing.T) {
	r := readPaper(t, "tiny")
	rule := assign.PaperRule(32)
	w, h := rule.Size(paperWidth, paperHeight)
	if h != r.Resized[0] || w != r.Resized[1] {
		t.Fatalf("resized to %d×%d, want %d×%d", h, w, r.Resized[0], r.Resized[1])
	}
	v := &assign.View{Width: paperWidth, Height: paperHeight, SeenWidth: w, SeenHeight: h}
	texts := flat(r.Texts...)
	for i, box := range rule.Windows(w, h) {
		stored := r.Windows[i]
		if want := (assign.Rect{X: stored.Box[1], Y: stored.Box[0], Width: stored.Box[3] - stored.Box[1], Height: stored.Box[2] - stored.Box[0]}); box != want {
			t.Fatalf("window %d is %v, want %v", i, box, want)
		}
		groups, image := flat(stored.Groups...), flat(stored.Image)
		scores := assign.GroupScores(groups, image, texts, len(image), r.Sigma)
		for at, want := range slices.Concat(stored.Scores...) {
			if math.Abs(scores[at]-want) > 2e-5 {
				t.Errorf("window %d: group score %d is %.8f, want %.8f", i, at, scores[at], want)
			}
		}
		v.Windows = append(v.Windows, assign.Window{
			Rect: box, GridH: box.Height / 8, GridW: box.Width / 8,
			Assign: flat(stored.Soft...), Stages: [][]float32{flat(stored.Soft...)}, Groups: groups, Image: image,
		})
	}
	checkPaper(t, r, "tiny", v, texts, 2e-5, 12)
}
