package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reportOf is a report on photos of 100 pixels: half background, half cat, of which
// right[i] pixels are found and none is invented.
func reportOf(right ...int64) *Report {
	r := &Report{PerClass: map[string]*float64{}, Recall: map[string]*float64{}, Classes: []string{"background", "cat"}, Dataset: "two", About: About{Protocol: "paper", Background: "0.95", Model: Model{Name: "m", SHA256: "0123456789abcdef"}}}
	for i, n := range right {
		r.PerImage = append(r.PerImage, ImageResult{ID: fmt.Sprint(i), Classes: ClassAreas{{0, 50, 100 - n, 50}, {1, n, n, 50}}})
	}
	r.fill(0, true)
	return r
}

func TestCompare(t *testing.T) {
	a := reportOf(10, 20, 30, 40, 10, 20, 30, 40, 10, 20, 30, 40)
	b := reportOf(20, 30, 40, 50, 20, 30, 40, 50, 20, 30, 40, 50)
	c, err := Compare(a, b, CompareOptions{Samples: 500, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	// cat: 25 of 50 against 35 of 50, on every photo 10 more.
	cat := c.PerClass["cat"]
	if got, want := []float64{cat.A, cat.B, cat.Difference, cat.Low, cat.High, cat.Better}, []float64{50, 70, 20, 20, 20, 1}; !slices.Equal(got, want) {
		t.Errorf("cat in A and B, difference, low, high, share better: %v, want %v", got, want)
	}
	if !cat.Clear() {
		t.Error("cat's difference is the same on every photo, and not clear")
	}
	if want := *b.MIoU - *a.MIoU; math.Abs(c.MIoU.Difference-want) > 0.011 {
		t.Errorf("mIoU differs by %v, want %v", c.MIoU.Difference, want)
	}
	if m := c.MIoU; m.Low > m.Difference || m.High < m.Difference {
		t.Errorf("the interval %v to %v does not hold the difference %v", m.Low, m.High, m.Difference)
	}
	if c.Images != 12 {
		t.Errorf("%d photos, want 12", c.Images)
	}
	if c.BoundaryF != nil {
		t.Error("no boundary was counted")
	}
	again, err := Compare(a, b, CompareOptions{Samples: 500, Seed: 1})
	if err != nil || again.MIoU != c.MIoU {
		t.Errorf("the same seed gives %+v and %+v", c.MIoU, again.MIoU)
	}
	var table bytes.Buffer
	if err := c.WriteText(&table); err != nil || !strings.Contains(table.String(), "+20.00") || !strings.Contains(table.String(), "12 photos") {
		t.Errorf("%s, %v", table.String(), err)
	}
}

// The interval of a mean of n independent photos is about ±1.96 deviations/√n wide.
func TestBootstrapInterval(t *testing.T) {
	var right, other []int64
	var sum, square float64
	for i := range 400 {
		d := float64(int(hashed(900000, uint32(i))*40)) / 50
		right, other = append(right, 25), append(other, 25+int64(math.Round(d*50)))
		sum, square = sum+d, square+d*d
	}
	c, err := Compare(reportOf(right...), reportOf(other...), CompareOptions{Samples: 3000})
	if err != nil {
		t.Fatal(err)
	}
	deviation := math.Sqrt(square/400 - sum/400*sum/400)
	want := 2 * 1.96 * 100 * deviation / 20
	cat := c.PerClass["cat"]
	if got := cat.High - cat.Low; math.Abs(got-want) > 0.08*want {
		t.Errorf("the interval is %.2f wide, theory says %.2f", got, want)
	}
}

func TestCompareRefuses(t *testing.T) {
	a, b := reportOf(1, 2), reportOf(1, 2, 3)
	other := reportOf(1, 2)
	other.Classes = []string{"background", "dog"}
	for name, pair := range map[string][2]*Report{"more photos": {a, b}, "fewer photos": {b, a}, "other classes": {a, other}} {
		if _, err := Compare(pair[0], pair[1], CompareOptions{}); !errors.Is(err, ErrReports) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Compare(a, a, CompareOptions{Samples: -1}); !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}

// A report that was written is read as it was, a photo a line.
func TestReportFile(t *testing.T) {
	r := reportOf(10, 20, 30)
	text, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n    {\"id\""); n != 3 || !json.Valid(text) {
		t.Errorf("%d photos have a line:\n%s", n, text)
	}
	again, err := parseReport(text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r.PerImage, again.PerImage); d != "" {
		t.Errorf("what was counted on photos (-written +read)\n%s", d)
	}
	if *again.MIoU != *r.MIoU {
		t.Errorf("mIoU %v, want %v", *again.MIoU, *r.MIoU)
	}
}

func FuzzReport(f *testing.F) {
	text, err := reportOf(10, 20).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"classes":["a"],"per_image":[{"id":"x","classes":[[9,1,1,1]]}]}`))
	f.Add([]byte(`{"classes":["a"],"per_image":[{"id":"x","classes":[[0,-1,1,1]],"boundaries":[[7,1,1,1,1]]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseReport(text)
		if err != nil {
			return
		}
		if len(r.PerImage) > 100 {
			return
		}
		if _, err := Compare(r, r, CompareOptions{Samples: 2}); err != nil {
			t.Fatal(err)
		}
	})
}
