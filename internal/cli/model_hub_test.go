package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/cli/models"
	"github.com/groupvit/groupvit/internal/hub/hubtest"
)

// tinyHub is a Hub that has the tiny network as nvidia/tiny, and a cache of its
// own.
func tinyHub(t *testing.T) *hubtest.Hub {
	h := hubtest.New(t)
	h.Files = map[string][]byte{"README.md": []byte("---\nlicense: mit\n---\n")}
	const dir = "../network/testdata/tiny"
	for _, name := range []string{"config.json", "model.safetensors"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		h.Files[name] = b
	}
	for name, value := range map[string]string{"HF_ENDPOINT": h.URL, "HF_HUB_CACHE": t.TempDir(), "HF_TOKEN": "", "HF_HUB_OFFLINE": ""} {
		t.Setenv(name, value)
	}
	return h
}

// A model goes by its name: fetched, listed, shown, used from the cache,
// converted, deleted.
func TestModelByName(t *testing.T) {
	h := tinyHub(t)
	r := runProgram(t, nil, "model", "pull", "nvidia/tiny", "--json")
	var m models.HubModel
	if err := json.Unmarshal([]byte(r.out), &m); r.code != exitDone || err != nil || m.Model != "nvidia/tiny" || m.Commit != hubtest.Commit || m.License != "mit" {
		t.Fatalf("%+v, %v", r, err)
	}
	if !strings.Contains(r.errors, "licence: mit") {
		t.Errorf("said %q", r.errors)
	}
	if r := runProgram(t, nil, "model", "list"); r.code != exitDone || !strings.Contains(r.out, "nvidia/tiny") {
		t.Errorf("%+v", r)
	}
	h.Close() // the cache is enough from here on
	if r := runProgram(t, nil, "model", "show", "nvidia/tiny", "--json"); r.code != exitDone || !strings.Contains(r.out, `"nvidia/tiny"`) {
		t.Errorf("%+v", r)
	}
	dir := t.TempDir()
	for _, args := range [][]string{{"nvidia/tiny", "half", "--half"}, {"half", "official.pth"}, {"official.pth", "back"}, {"default", "copy"}} {
		for i := range args {
			if !strings.HasPrefix(args[i], "-") && !strings.HasPrefix(args[i], "nvidia") && args[i] != "default" {
				args[i] = filepath.Join(dir, args[i])
			}
		}
		if r := runProgram(t, nil, append([]string{"model", "convert"}, args...)...); r.code != exitDone {
			t.Fatalf("%v: %+v", args, r)
		}
	}
	for _, name := range []string{"half/model.safetensors", "official.pth", "back/config.json", "copy/eval.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if r := runProgram(t, nil, "model", "rm", "nvidia/tiny"); r.code != exitDone || !strings.Contains(r.errors, "freed") {
		t.Errorf("%+v", r)
	}
	if r := runProgram(t, nil, "model", "show", "nvidia/tiny"); r.code != exitFailed {
		t.Errorf("%+v", r)
	}
}

// --model fetches what is missing; what is neither a file nor a name is said to
// be missing.
func TestModelFetchedWhenMissing(t *testing.T) {
	tinyHub(t)
	r := runProgram(t, nil, "model", "show", "nvidia/tiny", "--json")
	if r.code != exitDone || !strings.Contains(r.out, `"nvidia/tiny"`) || !strings.Contains(r.errors, "fetching it from the Hub") {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailed, "no such file", []string{"model", "show", "nowhere"}},
		{exitFailed, "check the name", []string{"model", "show", "nvidia/none"}},
		{exitUsage, "a name looks like", []string{"model", "pull", "tiny"}},
		{exitUsage, "give one of them", []string{"model", "pull", "a/b@c", "--revision", "d"}},
		{exitFailed, "not in the cache", []string{"model", "rm", "nvidia/none"}},
		{exitUsage, "choose huggingface", []string{"model", "convert", "nvidia/tiny", "x", "--to", "onnx"}},
	} {
		if r := runProgram(t, nil, c.args...); r.code != c.code || !strings.Contains(r.errors, c.want) {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	if r := runProgram(t, nil, "model", "show", "nvidia/none"); r.code != exitFailed || !strings.Contains(r.errors, "HF_HUB_OFFLINE") {
		t.Errorf("%+v", r)
	}
}
