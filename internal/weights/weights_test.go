package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights/safetensors"
	"github.com/groupvit/groupvit/internal/weights/torchfile/torchtest"
)

// tiny is a network of the paper whose heads are 64 wide, so that a file
// without configuration tells all of it.
func tiny() network.Config {
	c := network.Default()
	c.ImageSize, c.PatchSize, c.Width = 16, 4, 64
	c.Depths, c.Heads = []int{2, 1, 1}, []int{1, 1, 1}
	c.GroupTokens, c.OutputGroups = []int{6, 3, 0}, []int{6, 3, 0}
	c.Text = network.TextConfig{Vocabulary: 520, Context: 12, Width: 64, Depth: 2, Heads: 1, MLPRatio: 2}
	c.ProjectionWidth, c.EmbedWidth, c.MLPRatio = 24, 16, 2
	return c
}

func model(c network.Config) *Model {
	return &Model{Config: c, Tensors: network.Initialize(c, 1), Mean: [3]float32{0.45, 0.45, 0.45}, Std: [3]float32{0.25, 0.25, 0.25}}
}

func TestSaveOpen(t *testing.T) {
	wide := tiny()
	wide.GroupMLPRatio = 3
	variant := tiny()
	variant.Variant.SoftAssign, variant.Variant.AreaWeighted = true, true
	for _, c := range []struct {
		name   string
		config network.Config
		half   bool
	}{{"paper", tiny(), false}, {"another width of the last MLP", wide, false}, {"variant", variant, false}, {"half", tiny(), true}} {
		t.Run(c.name, func(t *testing.T) {
			m := model(c.config)
			m.TokenizerFiles = map[string][]byte{"merges.txt": []byte("#version\n")}
			m.Preprocess = &Preprocess{Resize: Size{ShortestEdge: 20, LongestEdge: 90}, Resample: 3, CropWidth: 16, CropHeight: 12}
			m.Extra = map[string][]byte{"statistics.json": []byte("{}")}
			dir := filepath.Join(t.TempDir(), "deep", "model")
			for range 2 { // the second replaces the first
				if err := Save(dir, m, SaveOptions{Half: c.half}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range m.Tensors {
				for i, x := range got.Tensors[name] {
					if d := x - want[i]; d > 0.001 || d < -0.001 || !c.half && d != 0 {
						t.Fatalf("%s[%d] is %g, want %g", name, i, x, want[i])
					}
				}
			}
			if len(got.SHA256) != 64 || got.Source != dir {
				t.Errorf("hash %q, source %q", got.SHA256, got.Source)
			}
			got.Tensors, got.SHA256, got.Source = m.Tensors, "", ""
			if d := cmp.Diff(m, got); d != "" {
				t.Errorf("(-saved +opened)\n%s", d)
			}
			if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) != 1 {
				t.Errorf("left behind: %v", entries)
			}
			other, err := Open(filepath.Join(dir, WeightsFile))
			if err != nil || !cmp.Equal(other.Config, c.config) {
				t.Errorf("by the name of the file: %v", err)
			}
		})
	}
}

// official renames a model's tensors backwards, by the same table.
func official(m *Model) []torchtest.Tensor {
	var out []torchtest.Tensor
	shapes := map[string][]int{}
	for _, p := range m.Config.Params() {
		shapes[p.Name] = p.Shape
	}
	done := map[string]bool{}
	var try func(r rule, pattern, port string)
	try = func(r rule, pattern, port string) {
		if strings.Contains(port, "#") {
			for i := range 3 {
				n := string(rune('0' + i))
				try(r, strings.Replace(pattern, "#", n, 1), strings.Replace(port, "#", n, 1))
			}
			return
		}
		for _, last := range []string{"weight", "bias", "running_mean", "running_var"} {
			if !strings.Contains(port, "*") && last != "weight" {
				continue
			}
			name, from := strings.Replace(pattern, "*", last, 1), strings.Replace(port, "*", last, 1)
			var values []float32
			first := strings.Replace(from, "?", "q", 1)
			shape, ok := shapes[first]
			if !ok || done[name] {
				continue
			}
			done[name] = true
			shape = append([]int(nil), shape...)
			if r.split {
				shape[0] *= 3
				for _, l := range []string{"q", "k", "v"} {
					values = append(values, m.Tensors[strings.Replace(from, "?", l, 1)]...)
				}
			} else {
				values = m.Tensors[from]
			}
			if r.squeeze && last == "weight" {
				shape = append(shape, 1)
			}
			out = append(out, torchtest.Tensor{Name: name, Shape: shape, Values: values})
		}
	}
	for _, r := range rules {
		try(r, r.official, r.port)
	}
	return out
}

func TestOfficial(t *testing.T) {
	config := tiny()
	config.GroupMLPRatio = 3
	m := model(config)
	for _, c := range []struct {
		name, prefix, under string
		nouns               bool
	}{{"published", "", "model", true}, {"wrapped", "module.", "model", true}, {"bare", "", "", true}, {"without nouns", "model.", "state_dict", false}} {
		t.Run(c.name, func(t *testing.T) {
			var tensors []torchtest.Tensor
			for _, x := range official(m) {
				if x.Name != network.NounLogitScale || c.nouns {
					x.Name = c.prefix + x.Name
					tensors = append(tensors, x)
				}
			}
			tensors = append(tensors, torchtest.Tensor{Name: c.prefix + "img_projector.linear_hidden.1.num_batches_tracked", Values: []float32{7}})
			path := filepath.Join(t.TempDir(), "checkpoint.pth")
			if err := os.WriteFile(path, torchtest.File(tensors, torchtest.Options{Under: c.under}), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			want := m.Config
			want.NounLoss = c.nouns
			if d := cmp.Diff(want, got.Config); d != "" {
				t.Errorf("configuration read off the shapes (-want +got)\n%s", d)
			}
			for _, p := range want.Params() {
				if !cmp.Equal(got.Tensors[p.Name], m.Tensors[p.Name]) {
					t.Errorf("%s differs", p.Name)
				}
			}
		})
	}
}

// The published configuration has 407 tensors in the official file, two of
// them counters, and each has a place.
func TestOfficialCount(t *testing.T) {
	m := &Model{Config: network.Default(), Tensors: map[string][]float32{}}
	n := len(official(m)) + 2
	m.Config.Depths, m.Config.Text.Depth = []int{3, 3, 3}, 3
	// official tries block numbers up to 2 only: add 3 blocks of 12 tensors in
	// stage 0 and 9 of 12 in the text tower.
	if n += 3*12 + 9*12; n != 407 {
		t.Errorf("%d tensors, the published file has 407", n)
	}
}

func TestBadModels(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "good")
	m := model(tiny())
	if err := Save(dir, m, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := map[string]string{ConfigFile: string(read(ConfigFile)), WeightsFile: string(read(WeightsFile))}
	change := func(f func(tensors map[string]Tensor)) string {
		tensors, err := ReadTensors(filepath.Join(dir, WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		f(tensors)
		path := filepath.Join(t.TempDir(), "changed")
		if err := WriteTensors(path, tensors); err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(path)
		return string(b)
	}
	const some = "vision_model.encoder.stages.1.layers.0.mlp.fc1.weight"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"empty directory", map[string]string{"readme": "x"}, []string{"neither model.safetensors nor pytorch_model.bin"}},
		{"an index of no files", map[string]string{"model.safetensors.index.json": "{}"}, []string{"names 0 weight files"}},
		{"missing tensor", map[string]string{WeightsFile: change(func(x map[string]Tensor) { delete(x, some) })},
			[]string{some, "missing", "[128 64]"}},
		{"extra tensor", map[string]string{WeightsFile: change(func(x map[string]Tensor) { x["vision_model.more"] = Tensor{Shape: []int{1}, Floats: []float32{1}} })},
			[]string{"vision_model.more", "not part", "[1]"}},
		{"wrong shape", map[string]string{WeightsFile: change(func(x map[string]Tensor) {
			x[some] = Tensor{Shape: []int{64, 128}, Floats: make([]float32, 64*128)}
		})}, []string{some, "[64 128]", "[128 64]"}},
		{"whole numbers", map[string]string{WeightsFile: change(func(x map[string]Tensor) {
			x[some] = Tensor{Shape: []int{128, 64}, Ints: make([]int64, 64*128)}
		})}, []string{some, "I64"}},
		{"CLIP", map[string]string{WeightsFile: change(func(x map[string]Tensor) {
			x["vision_model.embeddings.class_embedding"] = Tensor{Shape: []int{1}, Floats: []float32{1}}
		})}, []string{"CLIP"}},
		{"something else", map[string]string{WeightsFile: change(func(x map[string]Tensor) {
			clear(x)
			x["conv1.weight"] = Tensor{Shape: []int{1}, Floats: []float32{1}}
		})}, []string{"not a GroupViT", "conv1.weight"}},
		{"cut off", map[string]string{WeightsFile: good[WeightsFile][:len(good[WeightsFile])-9]}, []string{"cut off"}},
		{"zero bytes", map[string]string{WeightsFile: ""}, []string{"empty file"}},
		{"zeros", map[string]string{WeightsFile: string(make([]byte, 1000))}, []string{"zeros alone", "interrupted"}},
		{"text", map[string]string{WeightsFile: "version https://git-lfs.github.com/spec/v1\noid sha256:12\n"}, []string{"Git LFS pointer", "git lfs pull"}},
		{"a pointer", map[string]string{WeightsFile: "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 223137427\n"}, []string{"223137427 bytes that was not fetched"}},
		{"a pointer for a tokenizer", map[string]string{"tokenizer.json": "version https://git-lfs.github.com/spec/v1\r\nsize 12\r\n"}, []string{"tokenizer.json is a Git LFS pointer to a file of 12 bytes"}},
		{"a web page", map[string]string{WeightsFile: "\n<!DOCTYPE html>\n<html><head><title>model.safetensors · nobody/model</title>"}, []string{"web page", "nobody/model", "/resolve/"}},
		{"a page for a configuration", map[string]string{ConfigFile: "<html><body>Sign in</body></html>"}, []string{"config.json is a web page"}},
		{"a refusal", map[string]string{WeightsFile: `{"error":"Repository not found"}`}, []string{"server's refusal", "Repository not found"}},
		{"a text", map[string]string{WeightsFile: "Entry not found"}, []string{"a text that begins with \"Entry not found\""}},
		{"compressed", map[string]string{WeightsFile: "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00"}, []string{"compressed"}},
		{"GGUF", map[string]string{WeightsFile: "GGUF\x03\x00\x00\x00\x00\x00\x00\x00"}, []string{"GGUF"}},
		{"an archive cut off", map[string]string{WeightsFile: string(torchtest.Zip([]byte("."), nil, torchtest.Options{})[:60])}, []string{"cut off"}},
		{"legacy torch", map[string]string{WeightsFile: "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."}, []string{"before 1.6"}},
		{"hostile pickle", map[string]string{WeightsFile: string(torchtest.Zip([]byte("cos\nsystem\n(X\x02\x00\x00\x00lstR."), nil, torchtest.Options{}))}, []string{"os.system"}},
		{"configuration of another network", map[string]string{ConfigFile: `{"model_type":"clip"}`}, []string{"clip"}},
		{"configuration is no JSON", map[string]string{ConfigFile: `{`}, []string{"config.json"}},
		{"normalisation of two channels", map[string]string{PreprocessorFile: `{"image_mean":[1,2]}`}, []string{"image_mean"}},
		{"deviation of zero", map[string]string{PreprocessorFile: `{"image_std":[1,0,1]}`}, []string{"image_std"}},
		{"a size of no edge", map[string]string{PreprocessorFile: `{"size":{"longest_edge":224}}`}, []string{"size", "shortest_edge"}},
		{"a size of zero", map[string]string{PreprocessorFile: `{"size":{"height":0,"width":224}}`}, []string{"size"}},
		{"a size below zero", map[string]string{PreprocessorFile: `{"size":-224}`}, []string{"size has -224"}},
		{"a huge size", map[string]string{PreprocessorFile: `{"size":100000}`}, []string{"100000", "4096"}},
		{"a size in words", map[string]string{PreprocessorFile: `{"size":"large"}`}, []string{"size"}},
		{"a crop by its edge", map[string]string{PreprocessorFile: `{"crop_size":{"shortest_edge":224}}`}, []string{"crop_size", "height"}},
		{"a filter that Pillow has not", map[string]string{PreprocessorFile: `{"resample":6}`}, []string{"resample is 6"}},
		{"a factor of zero", map[string]string{PreprocessorFile: `{"rescale_factor":0}`}, []string{"rescale_factor"}},
		{"a class of unknown defaults", map[string]string{PreprocessorFile: `{"image_processor_type":"OwlViTImageProcessor","size":224}`}, []string{"OwlViTImageProcessor", "do_center_crop"}},
		{"no JSON below image_processor", map[string]string{ProcessorFile: `{"image_processor":[1]}`}, []string{ProcessorFile}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			if c.files["readme"] == "" && c.files["model.safetensors.index.json"] == "" {
				for name, b := range good {
					fsys["m/"+name] = &fstest.MapFile{Data: []byte(b)}
				}
			}
			for name, b := range c.files {
				fsys["m/"+name] = &fstest.MapFile{Data: []byte(b)}
			}
			_, err := OpenFS(fsys, "m")
			if !errors.Is(err, ErrWeights) && !errors.Is(err, network.ErrConfig) {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

// saveSplit writes a model's tensors into several files with an index.
func saveSplit(t *testing.T, m *Model, parts int) string {
	t.Helper()
	whole, dir := filepath.Join(t.TempDir(), "whole"), t.TempDir()
	if err := Save(whole, m, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	tensors, err := ReadTensors(filepath.Join(whole, WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	where, split := map[string]string{}, make([]map[string]Tensor, parts)
	for i, name := range slices.Sorted(maps.Keys(tensors)) {
		if split[i%parts] == nil {
			split[i%parts] = map[string]Tensor{}
		}
		split[i%parts][name] = tensors[name]
		where[name] = partName(i%parts, parts)
	}
	for i, part := range split {
		if err := WriteTensors(filepath.Join(dir, partName(i, parts)), part); err != nil {
			t.Fatal(err)
		}
	}
	index, err := json.Marshal(map[string]any{"metadata": map[string]int{"total_size": 1}, "weight_map": where})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, WeightsFile+".index.json"), index, 0o644)
	}
	if err == nil {
		err = os.CopyFS(filepath.Join(dir, "x"), os.DirFS(whole))
	}
	if err == nil {
		err = os.Rename(filepath.Join(dir, "x", ConfigFile), filepath.Join(dir, ConfigFile))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func partName(i, n int) string { return fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, n) }

func TestSplitWeights(t *testing.T) {
	m := model(tiny())
	dir := saveSplit(t, m, 3)
	got, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m.Tensors, got.Tensors); d != "" {
		t.Error("the tensors of three files differ from those of one")
	}
	if len(got.SHA256) != 64 {
		t.Errorf("hash %q", got.SHA256)
	}
	second, third := filepath.Join(dir, partName(1, 3)), filepath.Join(dir, partName(2, 3))
	keep, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func() error
		want   []string
	}{
		{"a file cut off", func() error { return os.WriteFile(second, keep[:len(keep)-5], 0o644) }, []string{partName(1, 3), "cut off"}},
		{"a pointer", func() error {
			return os.WriteFile(second, []byte("version https://git-lfs.github.com/spec/v1\n"), 0o644)
		}, []string{partName(1, 3), "Git LFS pointer"}},
		{"another file's content", func() error {
			b, err := os.ReadFile(third)
			return errors.Join(err, os.WriteFile(second, b, 0o644))
		}, []string{"both in"}},
		{"a file missing", func() error { return os.Remove(second) }, []string{"of the 3 files", "1 is missing", partName(1, 3), "tensors"}},
		{"two files missing", func() error { return os.Remove(third) }, []string{"2 are missing", partName(2, 3)}},
		{"a path out of the directory", func() error {
			return os.WriteFile(filepath.Join(dir, WeightsFile+".index.json"), []byte(`{"weight_map":{"a":"../secret.safetensors"}}`), 0o644)
		}, []string{"../secret.safetensors", "of this directory"}},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if !errors.Is(err, ErrWeights) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", c.name, err, want)
			}
		}
	}
}

// A directory without weights says what it has in their place.
func TestNoWeights(t *testing.T) {
	for name, want := range map[string]string{"model.safetensors.incomplete": "interrupted", "tf_model.h5": "another framework", "readme.txt": "neither"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); !errors.Is(err, ErrWeights) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	if os.Symlink("../../blobs/0123", filepath.Join(dir, WeightsFile)) != nil {
		return // no links here
	}
	if _, err := Open(dir); !errors.Is(err, ErrWeights) || !strings.Contains(err.Error(), "link") {
		t.Errorf("a link to nothing: %v", err)
	}
}

// FuzzIndex: an index from anywhere names files of its directory or is refused.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../x","b":"/etc/passwd","c":"a\\b"}}`))
	f.Add([]byte("version https://git-lfs.github.com/spec/v1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		const name = WeightsFile + ".index.json"
		index, err := readIndex(fstest.MapFS{name: {Data: b}, WeightsFile: {}}, ".", name)
		for file := range index.tensors {
			if err == nil && file != WeightsFile && file != name {
				t.Errorf("%q is there?", file)
			}
		}
	})
}

func TestOpenMissing(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// The optional temperature takes its initial value where a port's file lacks
// it, and is read where the configuration does not announce it.
func TestOptionalTemperature(t *testing.T) {
	m := model(tiny())
	m.Config.NounLoss = false
	delete(m.Tensors, network.NounLogitScale)
	dir := filepath.Join(t.TempDir(), "m")
	if err := Save(dir, m, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := Open(dir)
	if err != nil || got.Config.NounLoss {
		t.Fatalf("%v, nouns %v", err, got.Config.NounLoss)
	}
	if _, ok := got.Tensors[network.NounLogitScale]; ok {
		t.Error("a temperature from nowhere")
	}
}

func TestSaveRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "holiday.jpg"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	m := model(tiny())
	if err := Save(dir, m, SaveOptions{}); err == nil || !strings.Contains(err.Error(), "no model directory") {
		t.Errorf("a folder of photos was replaced: %v", err)
	}
	boom := errors.New("disk full")
	target := filepath.Join(t.TempDir(), "m")
	if err := Save(target, m, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := Save(target, m, SaveOptions{More: func(string) error { return boom }}); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if _, err := Open(target); err != nil {
		t.Errorf("the failed save harmed the old model: %v", err)
	}
	if err := Save(filepath.Join(target, ConfigFile, "m"), m, SaveOptions{}); err == nil {
		t.Error("saved below a file")
	}
	m.Tensors["logit_scale"] = nil
	if err := Save(target, m, SaveOptions{}); !errors.Is(err, ErrWeights) {
		t.Errorf("an incomplete model was saved: %v", err)
	}
	m = model(tiny())
	m.Tensors["text_model.embeddings.token_embedding.weight"][3] = 70000
	if err := Save(target, m, SaveOptions{Half: true}); err == nil || !strings.Contains(err.Error(), "70000") {
		t.Errorf("got %v", err)
	}
}

func TestTensors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "optimizer.safetensors")
	want := map[string]Tensor{
		"m":    {Shape: []int{2}, Floats: []float32{1, 2}, Type: safetensors.F32},
		"step": {Shape: []int{1}, Ints: []int64{9}, Type: safetensors.I64},
		"raw":  {Shape: []int{2}, Bytes: []byte{1, 2}, Type: safetensors.U8},
		"half": {Shape: []int{1}, Floats: []float32{0.5}, Type: safetensors.F16},
	}
	if err := WriteTensors(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTensors(path)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	if err := WriteTensors(filepath.Join(path, "x"), want); err == nil {
		t.Error("written below a file")
	}
}
