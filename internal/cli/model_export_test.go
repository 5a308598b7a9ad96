package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/groupvit/groupvit/internal/onnx/onnxpb"
)

// readGraph reads an ONNX file: its metadata, and the names of what goes in and out.
func readGraph(t *testing.T, path string) (metadata map[string]string, names string) {
	t.Helper()
	data, err := os.ReadFile(path)
	var m onnxpb.ModelProto
	if err == nil {
		err = proto.Unmarshal(data, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	metadata = map[string]string{}
	for _, p := range m.MetadataProps {
		metadata[p.GetKey()] = p.GetValue()
	}
	for _, v := range slices.Concat(m.Graph.Input, m.Graph.Output) {
		names += v.GetName() + " "
	}
	return metadata, strings.TrimSpace(names)
}

// A model is written as graphs into a folder or one by one; what is there stays,
// unless it may be replaced.
func TestModelExport(t *testing.T) {
	dir := t.TempDir()
	folder, file := filepath.Join(dir, "a", "b"), filepath.Join(dir, "one.onnx")
	const imageNames, textNames = "pixels image groups assignment_1 assignment", "ids text"
	r := runProgram(t, nil, "model", "export", "--onnx", model, "--output", folder, "--license", "mine")
	if r.code != exitDone || !strings.HasPrefix(r.out, filepath.Join(folder, "image.onnx")+"\n") {
		t.Fatalf("%+v", r)
	}
	for _, path := range strings.Fields(r.out) {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
	metadata, names := readGraph(t, filepath.Join(folder, "image.onnx"))
	if names != imageNames || metadata["license"] != "mine" || metadata["model"] != model || metadata["map"] != "groups" {
		t.Errorf("%s, %v", names, metadata)
	}
	if metadata, names = readGraph(t, filepath.Join(folder, "text.onnx")); names != textNames || metadata["context"] != "20" {
		t.Errorf("%s, %v", names, metadata)
	}
	var tokenizer struct {
		Truncation struct {
			MaxLength int `json:"max_length"`
		}
	}
	b, err := os.ReadFile(filepath.Join(folder, "tokenizer.json"))
	if err == nil {
		err = json.Unmarshal(b, &tokenizer)
	}
	if err != nil || tokenizer.Truncation.MaxLength != 20 {
		t.Errorf("the tokenizer cuts at %d tokens, want the model's 20; %v", tokenizer.Truncation.MaxLength, err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--size", "32x48", "--batch", "2"}, imageNames},
		{[]string{"--text", "--half"}, textNames},
		{[]string{"--dynamic", "--normalised"}, imageNames},
	} {
		args := append([]string{"model", "export", "--onnx", model, "-o", file, "--json"}, c.args...)
		if r := runProgram(t, nil, args...); r.code != exitDone && !strings.Contains(r.errors, "--force replaces it") {
			t.Errorf("%v: %+v", args, r)
		}
		r := runProgram(t, nil, append(args, "--force")...)
		if r.code != exitDone || !strings.Contains(r.out, `"files":["`+file) {
			t.Errorf("%v: %+v", args, r)
		}
		if _, names := readGraph(t, file); names != c.want {
			t.Errorf("%v: %s", args, names)
		}
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if r := runProgram(t, nil, "model", "export", "--onnx", model, "-o", file); r.code != exitFailed || !strings.Contains(r.errors, "is there already: --force") {
		t.Errorf("%+v", r)
	}
	if after, err := os.ReadFile(file); err != nil || !slices.Equal(before, after) {
		t.Errorf("what was there has changed, %v", err)
	}
}

// The licence of a model of the Hub goes into its graphs.
func TestModelExportLicense(t *testing.T) {
	tinyHub(t)
	file := filepath.Join(t.TempDir(), "tiny.onnx")
	if r := runProgram(t, nil, "model", "export", "--onnx", "nvidia/tiny", "-o", file); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	if metadata, _ := readGraph(t, file); metadata["license"] != "mit" || metadata["model"] != "nvidia/tiny" {
		t.Errorf("%v", metadata)
	}
}

func TestModelExportRefusals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.onnx")
	for name, c := range map[string]struct {
		code int
		want string
		args []string
	}{
		"no format":      {exitUsage, "--onnx", []string{model, "-o", file}},
		"no output":      {exitUsage, "--output is missing", []string{"--onnx", model}},
		"size":           {exitUsage, "448x640", []string{"--onnx", model, "-o", file, "--size", "big"}},
		"three sides":    {exitUsage, "448x640", []string{"--onnx", model, "-o", file, "--size", "32x32x3"}},
		"below a patch":  {exitFailed, "one patch", []string{"--onnx", model, "-o", file, "--size", "7"}},
		"too large":      {exitFailed, "the limit is", []string{"--onnx", model, "-o", file, "--size", "4096"}},
		"both":           {exitUsage, "exclude each other", []string{"--onnx", model, "-o", file, "--size", "32", "--dynamic"}},
		"no model":       {exitFailed, "no such file", []string{"--onnx", "nowhere", "-o", file}},
		"below a file":   {exitFailed, "not a directory", []string{"--onnx", model, "-o", filepath.Join(model, "config.json", "x.onnx")}},
		"negative batch": {exitFailed, "0 for any", []string{"--onnx", model, "-o", file, "--batch", "-1"}},
	} {
		r := runProgram(t, nil, append([]string{"model", "export"}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.errors, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
		if _, err := os.Stat(file); err == nil {
			t.Fatalf("%s: a file was written", name)
		}
	}
}

// The program of docs/export.md finds the cat, with the vectors that groupvit has for
// its labels. It needs a Python with ONNX Runtime, tokenizers, NumPy and Pillow:
// GROUPVIT_PYTHON=python3 go test ./internal/cli -run ExportExample
func TestExportExample(t *testing.T) {
	python := os.Getenv("GROUPVIT_PYTHON")
	if python == "" || exec.Command(python, "-c", "import onnxruntime, tokenizers").Run() != nil {
		t.Skip("GROUPVIT_PYTHON names no Python with ONNX Runtime and tokenizers")
	}
	dir := t.TempDir()
	if r := runProgram(t, nil, "model", "export", "--onnx", "default", "-o", filepath.Join(dir, "exported")); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	copyFile(t, "../../examples/photos/cat.jpg", filepath.Join(dir, "examples", "photos", "cat.jpg"))
	cmd := exec.Command(python, "-c", exampleProgram(t)+`
import json
long = words.encode_batch(["a photo of a " + "very " * 100 + "old cat", "cat"])
print(json.dumps({"long": text.run(["text"], {"ids": [t.ids for t in long]})[0][0].tolist(), "size": mask.size, "cat": float((numpy.asarray(mask) == 0).mean()), "vector": vectors[0].tolist(), "groups": scores.shape}))
`)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	var got struct {
		Size, Groups []int
		Cat          float64
		Vector, Long []float64
	}
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Size, []int{451, 300}) || !slices.Equal(got.Groups, []int{12, 12, 3}) || got.Cat < 0.3 || got.Cat > 0.7 {
		t.Errorf("%v, groups %v, %.2f of the photo is cat", got.Size, got.Groups, got.Cat)
	}
	for words, vector := range map[string][]float64{"a photo of a cat": got.Vector, "a photo of a " + strings.Repeat("very ", 100) + "old cat": got.Long} {
		var ours struct{ Embedding []float64 }
		r := runProgram(t, nil, "embed", "--text", words, "--json")
		if err := json.Unmarshal([]byte(r.out), &ours); err != nil || len(ours.Embedding) != len(vector) {
			t.Fatalf("%+v, %v", r, err)
		}
		for i, v := range ours.Embedding {
			if d := vector[i] - v; d > 1e-5 || d < -1e-5 {
				t.Fatalf("number %d of the vector of %.40q is %g, groupvit has %g", i, words, vector[i], v)
			}
		}
	}
}

// exampleProgram is the Python of docs/export.md.
func exampleProgram(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/export.md")
	if err != nil {
		t.Fatal(err)
	}
	var code string
	for part := range strings.SplitSeq(string(page), "```") {
		if block, ok := strings.CutPrefix(part, "python\n"); ok {
			code += block
		}
	}
	return code
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o777)
	}
	if err == nil {
		err = os.WriteFile(to, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}
