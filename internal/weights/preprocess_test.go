package weights

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNormalisation: pixels are normalised by the numbers of the directory's
// preprocessor_config.json (that of published ports holds CLIP's), and by
// ImageNet's where there is none, as the official code does.
func TestNormalisation(t *testing.T) {
	official, err := Open("testdata/official.pth")
	if err != nil || official.Mean != ImageNetMean || official.Std != ImageNetStd {
		t.Errorf("official file: mean %v, deviation %v, %v", official.Mean, official.Std, err)
	}
	dir := filepath.Join(t.TempDir(), "m")
	if err := Save(dir, model(tiny()), SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	clip := `{"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
		"size": {"shortest_edge": 224}, "image_processor_type": "CLIPImageProcessor"}`
	if err := os.WriteFile(filepath.Join(dir, PreprocessorFile), []byte(clip), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := Open(dir)
	if err != nil || m.Mean != [3]float32{0.48145466, 0.4578275, 0.40821073} || m.Std != [3]float32{0.26862954, 0.26130258, 0.27577711} {
		t.Errorf("port: mean %v, deviation %v, %v", m.Mean, m.Std, err)
	}
	if err := os.Remove(filepath.Join(dir, PreprocessorFile)); err != nil {
		t.Fatal(err)
	}
	if m, err = Open(dir); err != nil || m.Mean != ImageNetMean || m.Std != ImageNetStd {
		t.Errorf("without a file: mean %v, deviation %v, %v", m.Mean, m.Std, err)
	}
}
