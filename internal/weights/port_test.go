package weights

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/internal/bpe"
)

// TestPortLoadsWhatWeSave: transformers' GroupViTModel.from_pretrained loads
// directories that Save wrote, with no tensor missing or unknown, and computes
// the stored outputs of the tiny network with them; CLIPTokenizer reads the
// tokenizer beside it, and we what that writes. It needs a Python with
// tools/reference/requirements.txt:
//
//	GROUPVIT_PYTHON=/tmp/reference/bin/python go test ./internal/weights -run PortLoads -v
func TestPortLoadsWhatWeSave(t *testing.T) {
	python := os.Getenv("GROUPVIT_PYTHON")
	if python == "" {
		t.Skip("GROUPVIT_PYTHON names no Python with transformers")
	}
	const expected = "../network/testdata/tiny/expected.safetensors"
	open := func(path string) *Model {
		m, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	// The official file does not tell its heads: its configuration is the port's.
	official := open("testdata/official.pth")
	official.Config = open(tinyDir).Config
	official.Config.NounLoss = true
	bin := open("testdata/pytorch_model.bin")
	bin.Config = open(tinyDir).Config
	stages := func(depths, tokens, groups []int) *Model {
		c := tiny()
		c.Depths, c.GroupTokens, c.OutputGroups = depths, tokens, groups
		c.Heads = c.Heads[:len(depths)]
		return model(c)
	}
	var err error
	if official.TokenizerFiles, err = bpe.CLIP().Files(official.Config.Text.Context); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		model    *Model
		half     bool
		expected string
	}{
		{"float32", open(tinyDir), false, expected},
		{"half precision", open(tinyDir), true, expected},
		{"read from an official .pth", official, false, expected},
		{"read from pytorch_model.bin", bin, false, expected},
		{"one stage", stages([]int{2}, []int{4}, []int{4}), false, ""},
		{"two stages, the last without groups", stages([]int{1, 2}, []int{6, 0}, []int{3, 0}), false, ""},
		{"two stages with groups", stages([]int{1, 1}, []int{6, 3}, []int{6, 3}), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "saved")
			if err := Save(dir, c.model, SaveOptions{Half: c.half}); err != nil {
				t.Fatal(err)
			}
			args := []string{"../../tools/reference/check_save.py", dir}
			if c.expected != "" {
				args = append(args, c.expected)
			}
			cmd := exec.Command(python, args...)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			t.Logf("%.600s", out)
			if err != nil {
				t.Fatal(err)
			}
			if c.model.TokenizerFiles != nil {
				checkTokens(t, out, filepath.Join(dir, "resaved"))
			}
		})
	}
}

// checkTokens compares transformers' ids in a report of check_save.py with ours,
// and with those of the tokenizer that transformers wrote.
func checkTokens(t *testing.T, report []byte, resaved string) {
	t.Helper()
	var r struct {
		Tokens []struct {
			Text string
			IDs  []int32
		}
	}
	if err := json.Unmarshal(report, &r); err != nil || len(r.Tokens) < 8 {
		t.Fatalf("%d texts, %v", len(r.Tokens), err)
	}
	theirs, err := bpe.Load(resaved)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Tokens {
		for name, tokenizer := range map[string]*bpe.Tokenizer{"ours": bpe.CLIP(), "read from transformers' files": theirs} {
			if got := tokenizer.Encode(x.Text, len(x.IDs)); !slices.Equal(got, x.IDs) {
				t.Errorf("%q, %s: %v, transformers has %v", x.Text, name, got, x.IDs)
			}
		}
	}
}
