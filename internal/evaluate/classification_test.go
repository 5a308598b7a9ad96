package evaluate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/bench"
)

// guesser ranks seven classes so that the one whose number is the photo's grey level
// comes first, and then the others in a circle.
type guesser struct{ fail error }

const guessed = 7

func (g guesser) ClassVectors(_ context.Context, names []string, templates string) ([][]float32, string, error) {
	vectors := make([][]float32, len(names))
	for i := range vectors {
		vectors[i] = make([]float32, guessed)
		vectors[i][i%guessed] = 1
	}
	return vectors, "simple", nil
}

func (g guesser) EmbedImage(_ context.Context, photo image.Image) ([]float32, error) {
	if g.fail != nil {
		return nil, g.fail
	}
	first := int(color.GrayModel.Convert(photo.At(0, 0)).(color.Gray).Y)
	v := make([]float32, guessed)
	for k := range v {
		v[k] = -float32((k - first + guessed) % guessed)
	}
	return v, nil
}

func TestClassification(t *testing.T) {
	root := t.TempDir()
	// Photos of each of seven classes, by the class that is guessed for them.
	for class, guesses := range [][]int{{0, 0, 1}, {1}, {3}, {3, 3}, {0}, {6}, {6, 2}} {
		for n, guess := range guesses {
			im := image.NewGray(image.Rect(0, 0, 1, 1))
			im.Pix[0] = uint8(guess)
			var b bytes.Buffer
			dir := filepath.Join(root, fmt.Sprintf("class_%d", class))
			if err := errors.Join(png.Encode(&b, im), os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, fmt.Sprint(n, ".png")), b.Bytes(), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
	}
	f, err := bench.OpenFolders(root, bench.Options{})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	r, err := MeasureClassification(t.Context(), f, guesser{}, ClassificationOptions{Workers: 3, Progress: func(int) { calls++ }})
	if err != nil {
		t.Fatal(err)
	}
	// Right at once: 2 of 3, 1, 0, 2, 0, 0, 1 of 2: 6 of 11. The true class comes
	// (true − guess) mod 7 places later: within five for 4 (guess 0) and 6 (guess
	// 2) too: 8 of 11.
	if r.Top1 != 54.55 || r.Top5 != 72.73 || r.Images != 11 || calls != 11 {
		t.Errorf("top 1 %v, top 5 %v of %d photos, %d calls; want 54.55, 72.73, 11, 11", r.Top1, r.Top5, r.Images, calls)
	}
	for name, pair := range map[string][2]float64{
		"class 0": {*r.PerClass["class 0"], 66.67}, "class 2": {*r.PerClass["class 2"], 0}, "mean of the classes": {r.MeanPerClass, 45.24},
		"chance of one": {r.Chance1, 14.29}, "chance of five": {r.Chance5, 71.43},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "top 1 54.55 %") || !strings.Contains(text.String(), "class 6   50.00") {
		t.Errorf("%v\n%s", err, text.String())
	}
	// Of two names the better one counts.
	f.Classes[1].Synonyms = []string{"another"} // its vector is that of class 2
	if again, err := MeasureClassification(t.Context(), f, guesser{}, ClassificationOptions{}); err != nil || again.Templates != "simple" {
		t.Error(again, err)
	}
	f.Classes[1].Synonyms = nil
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MeasureClassification(stopped, f, guesser{}, ClassificationOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	broken := errors.New("broken")
	if _, err := MeasureClassification(t.Context(), f, guesser{broken}, ClassificationOptions{}); !errors.Is(err, broken) || !strings.Contains(err.Error(), ".png") {
		t.Error(err)
	}
	if err := os.WriteFile(f.Photos[4].Path, []byte("no photo"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := MeasureClassification(t.Context(), f, guesser{}, ClassificationOptions{}); !errors.Is(err, bench.ErrSample) {
		t.Error(err)
	}
}
