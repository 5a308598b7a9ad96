package modelfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/limits"
)

// TestCalibration: a fit replaces the one for the same techniques, and a file is read
// as it was written.
func TestCalibration(t *testing.T) {
	c := &Calibration{}
	c.Set(Fit{Techniques: "cut=0.2", Threshold: 0.5})
	c.Set(Fit{Techniques: "", Threshold: 0.25, Sharpness: 12})
	c.Set(Fit{Techniques: "cut=0.2", Threshold: 1, Photos: 3, MIoU: 31.5})
	var file bytes.Buffer
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := ReadCalibration(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c, read); d != "" || len(read.Fits) != 2 {
		t.Errorf("read back (-want +got)\n%s", d)
	}
	if f, ok := read.Fit("cut=0.2"); !ok || f.Threshold != 1 {
		t.Errorf("the fit of cut=0.2 is %+v, %v", f, ok)
	}
	if f, ok := read.Fit("pamr=10"); ok {
		t.Errorf("a fit of pamr=10: %+v", f)
	}
}

func TestBadCalibration(t *testing.T) {
	for _, bad := range []string{``, `[]`, `{"fits":[{"threshold":2}]}`, `{"fits":[{"threshold":0.1,"sharpness":-1}]}`, `{"other":1}`, `{} {}`} {
		if _, err := ReadCalibration(strings.NewReader(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	if _, err := ReadCalibration(strings.NewReader(strings.Repeat(" ", limits.ConfigBytes+1))); !errors.Is(err, limits.ErrTooLarge) {
		t.Errorf("a file beyond the limit: %v", err)
	}
}

func FuzzReadCalibration(f *testing.F) {
	f.Add([]byte(`{"fits":[{"techniques":"cut=0.2","threshold":0.1,"sharpness":9}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ReadCalibration(bytes.NewReader(b)); err == nil && c.Write(&bytes.Buffer{}) != nil {
			t.Error("it cannot be written again")
		}
	})
}
