package evaluate

import (
	"context"
	"errors"
	"image"
	"slices"
	"testing"
)

// guided cuts a photo into halves and predicts the last class it may choose.
type guided struct{ among *[][]int }

func (g guided) Predict(ctx context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	return g.PredictAmong(ctx, photo, []int{3}, thresholds)
}

func (guided) About() About { return About{} }

func (guided) Regions(_ context.Context, photo image.Image) ([]uint16, error) {
	n := photo.Bounds().Dx()
	regions := make([]uint16, n)
	for i := n / 2; i < n; i++ {
		regions[i] = 7
	}
	return regions, nil
}

func (g guided) PredictAmong(_ context.Context, photo image.Image, classes []int, thresholds []float64) ([][]uint8, error) {
	*g.among = append(*g.among, classes)
	maps := make([][]uint8, len(thresholds))
	for t := range maps {
		maps[t] = slices.Repeat([]uint8{uint8(classes[len(classes)-1])}, photo.Bounds().Dx())
	}
	return maps, nil
}

func TestOracles(t *testing.T) {
	f := fake{truths: [][]uint8{{1, 1, 0, 2, 2, 255}, {255, 255, 255, 3, 3, 1}}, fail: -1}
	d := f.dataset("background", "cat", "dog", "cow")
	var among [][]int
	r, err := segmentation(t.Context(), d, f, guided{&among}, Options{Oracle: OracleRegions, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	// Halves are named cat, dog and (nothing), cow: two of eight pixels are wrong.
	if *r.PixelAccuracy != 75 || *r.PerClass["cow"] != 66.67 || r.Oracle != OracleRegions || among != nil {
		t.Errorf("accuracy %v, cow %v, asked among %v", *r.PixelAccuracy, *r.PerClass["cow"], among)
	}
	if r, err = segmentation(t.Context(), d, f, guided{&among}, Options{Oracle: OracleLabels, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	if want := [][]int{{0, 1, 2}, {0, 1, 3}}; !slices.EqualFunc(among, want, slices.Equal) {
		t.Errorf("asked among %v, want %v", among, want)
	}
	if *r.PixelAccuracy != 50 { // dog twice, cow twice
		t.Errorf("accuracy %v", *r.PixelAccuracy)
	}
	for _, o := range []Oracle{"all", OracleLabels} {
		if _, err := segmentation(t.Context(), d, f, oracle{}, Options{Oracle: o}); !errors.Is(err, ErrOptions) {
			t.Errorf("oracle %s: %v", o, err)
		}
	}
}

func TestConnected(t *testing.T) {
	labels := []uint8{
		1, 1, 0, 1,
		0, 1, 0, 1,
		0, 0, 0, 0,
	}
	want := []uint16{
		0, 0, 1, 2,
		1, 0, 1, 2,
		1, 1, 1, 1,
	}
	if got := connected(labels, 4); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
