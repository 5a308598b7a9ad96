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
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
)

// guesser ranks the labels so that the one whose number is the photo's grey
// level comes first.
type guesser struct{ fail error }

func (g guesser) Classify(_ context.Context, photo image.Image, labels []string) ([]groupvit.Classification, error) {
	if g.fail != nil {
		return nil, g.fail
	}
	first := int(color.GrayModel.Convert(photo.At(0, 0)).(color.Gray).Y)
	ranking := slices.Concat(labels[first:], labels[:first])
	out := make([]groupvit.Classification, len(ranking))
	for i, l := range ranking {
		out[i] = groupvit.Classification{Label: strings.Split(l, "|")[0], Score: -float64(i)}
	}
	return out, nil
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
		t.Errorf("%+v, %d calls", r, calls)
	}
	if *r.PerClass["class 0"] != 66.67 || *r.PerClass["class 2"] != 0 || r.MeanPerClass != 45.24 || r.Chance1 != 14.29 || r.Chance5 != 71.43 {
		t.Errorf("%+v", r)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "top 1 54.55 %") || !strings.Contains(text.String(), "class 6   50.00") {
		t.Errorf("%v\n%s", err, text.String())
	}
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
