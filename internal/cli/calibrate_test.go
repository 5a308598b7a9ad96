package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit/internal/modelfile"
)

// TestCalibrate: what is fitted is at least as good as any threshold at the model's own
// scale, and measuring with the file gives what it says.
func TestCalibrate(t *testing.T) {
	root, _ := miniVOC(t)
	path := filepath.Join(t.TempDir(), "mine.json")
	dataset := []string{"--dataset", "voc12", "--root", root, "--model", model, "--quality", "fast"}
	if r := runProgram(t, nil, append([]string{"calibrate", "-o", path}, dataset...)...); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := modelfile.ReadCalibration(bytes.NewReader(b))
	if err != nil || len(c.Fits) != 1 || c.Fits[0].MIoU <= 0 {
		t.Fatalf("%s: %v", b, err)
	}
	measure := func(args ...string) (out struct {
		MIoU  float64
		Sweep []struct{ MIoU *float64 }
	}) {
		r := runProgram(t, nil, append(append([]string{"eval", "segmentation", "--protocol", "best", "--json", "-"}, dataset...), args...)...)
		if err := json.Unmarshal([]byte(r.out), &out); err != nil || r.code != exitDone {
			t.Fatalf("%v, %+v", err, r)
		}
		return out
	}
	for _, p := range measure("--sweep", "background").Sweep {
		if p.MIoU != nil && *p.MIoU > c.Fits[0].MIoU+1e-9 {
			t.Errorf("a threshold of the sweep gives %g, the fit %g", *p.MIoU, c.Fits[0].MIoU)
		}
	}
	if got := measure("--calibration", path).MIoU; got != c.Fits[0].MIoU {
		t.Errorf("with the file mIoU is %g, it says %g", got, c.Fits[0].MIoU)
	}
	for _, bad := range [][]string{{"calibrate", "--dataset", "voc12"}, {"calibrate", "--dataset", "voc12", "--root", root, "--half", "third", "--model", model}} {
		if r := runProgram(t, nil, append(bad, "-o", path)...); r.code == exitDone {
			t.Errorf("%v was done", bad)
		}
	}
}
