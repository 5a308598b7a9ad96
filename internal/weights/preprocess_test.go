package weights

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// What a directory says is written again as something that says the same.
func TestPreprocessingIsKept(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"size": 64, "crop_size": 60, "resample": 2}`,
		`{"do_resize": false, "do_center_crop": false, "do_normalize": false}`,
		`{"do_rescale": false, "image_mean": 120, "image_std": 60, "size": [30, 40]}`,
		`{"image_processor_type": "ViTImageProcessor", "rescale_factor": 0.0078}`,
		`{"size": {"shortest_edge": 30, "longest_edge": 90}}`,
		`{"size": {"max_height": 30, "max_width": 90}, "size_divisor": 32, "image_mean": null}`,
		`{"image_processor_type": "OwlViTImageProcessor", "size": {"height": 64, "width": 64}, "resample": 3, "do_center_crop": false, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`,
	} {
		first, second := model(tiny()), model(tiny())
		if err := first.parsePreprocessor([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		written, err := first.preprocessorJSON()
		if err == nil {
			err = second.parsePreprocessor(written)
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if d := cmp.Diff([]any{first.Preprocess, first.Mean, first.Std}, []any{second.Preprocess, second.Mean, second.Std}); d != "" {
			t.Errorf("%s (-read +read again)\n%s", text, d)
		}
	}
}

// FuzzPreprocessor: whatever a file says is refused, or is a size that a photo can
// be resized to.
func FuzzPreprocessor(f *testing.F) {
	for _, seed := range []string{`{"size":224}`, `{"size":{"shortest_edge":30,"longest_edge":40},"resample":3}`, `{"size":[1,2],"crop_size":{"height":3,"width":4}}`,
		`{"image_processor_type":"ViTImageProcessor","image_mean":0.5}`, `{"do_rescale":false,"rescale_factor":1e-300}`, `{"size":{"max_height":1,"max_width":4096}}`} {
		f.Add([]byte(seed), 640, 427)
	}
	f.Fuzz(func(t *testing.T, b []byte, width, height int) {
		m := &Model{Mean: ImageNetMean, Std: ImageNetStd}
		width, height = 1+width&0x7fff, 1+height&0x7fff
		if m.parsePreprocessor(b) != nil {
			return
		}
		if w, h := m.Preprocess.Resize.Of(width, height); w < 1 || h < 1 || min(w, h) > 1<<15 {
			t.Errorf("a photo of %d×%d becomes %d×%d", width, height, w, h)
		}
		for i := range 3 {
			if !(m.Std[i] > 0) || m.Mean[i] != m.Mean[i] {
				t.Errorf("mean %v, deviation %v", m.Mean, m.Std)
			}
		}
		if _, err := json.Marshal(m.Preprocess); err != nil {
			t.Error(err)
		}
	})
}
