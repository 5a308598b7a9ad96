package train

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/train/traintest"
)

// Naming is measured on photos that are in no batch, logged, and decides what is kept.
func TestNamingOfPhotosSetAside(t *testing.T) {
	data := traintest.Scenes(t, 120)
	settings := []string{"steps=4", "batch=8", "threads=1", "data.train=" + data, "measure.pictures=0", "measure.every=2", "measure.hold_out=0.5", "output.keep_best=true",
		"data.nouns.mode=list", "data.nouns.distinct=true", "data.nouns.words=[" + strings.Join(synth.Words(), ", ") + "]"}
	dir := t.TempDir()
	r, err := Run(context.Background(), Options{Loaded: traintest.Load(t, settings...), Output: dir, Progress: new(strings.Builder)})
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Data.Samples; n < 35 || n > 85 {
		t.Errorf("%d of 120 photos are learnt from, half are set aside", n)
	}
	top, ok := r.Measured["naming_top1"]
	ap, ok2 := r.Measured["naming_mAP"]
	if !ok || !ok2 || !(top >= 0 && top <= 100) || !(ap > 0 && ap <= 100) {
		t.Fatalf("measured %v", r.Measured)
	}
	if r.Best == nil || r.Best.Naming == nil || r.Best.Score != *r.Best.Naming {
		t.Fatalf("best %+v", r.Best)
	}
	b, err := os.ReadFile(filepath.Join(dir, measuredFile))
	if err != nil {
		t.Fatal(err)
	}
	lines, best := 0, 0.0
	for line := range strings.Lines(string(b)) {
		var m map[string]float64
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		lines, best = lines+1, max(best, (m["naming_top1"]+m["naming_mAP"])/2)
	}
	if lines != 2 || best-r.Best.Score > 0.01 || r.Best.Score-best > 0.01 {
		t.Errorf("%d measurements, the best %.3f, kept %.3f", lines, best, r.Best.Score)
	}
	if _, err := Run(context.Background(), Options{Loaded: traintest.Load(t, append(settings, "measure.hold_out=0.4")...), Output: dir, Resume: true, Progress: new(strings.Builder)}); err == nil || !strings.Contains(err.Error(), "measure.hold_out was 0.5") {
		t.Errorf("another share: %v", err)
	}
}

func TestScore(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]float64
		want   float64
		ok     bool
	}{
		"masks": {map[string]float64{"mIoU": 30}, 30, true}, "naming": {map[string]float64{"naming_top1": 40, "naming_mAP": 20}, 30, true},
		"both": {map[string]float64{"mIoU": 10, "naming_top1": 40, "naming_mAP": 20}, 20, true}, "no AP": {map[string]float64{"mIoU": 10, "naming_top1": 40}, 25, true},
		"neither": {map[string]float64{"image_to_text_R@1": 9}, 0, false},
	} {
		if got, _, ok := score(c.values); got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
}
