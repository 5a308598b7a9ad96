package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/cli/datasets"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// smallScenes writes scenes of 32 pixels into shards, with their exact masks if wanted.
func smallScenes(t *testing.T, count int, first uint64, exact bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scenes")
	err := synth.Write(t.Context(), dir, synth.DataOptions{
		Scenes: count, Seed: 8, First: first, Scene: synth.Options{Size: 32, MinRadius: 5, MaxRadius: 9}, Shards: true, ShardSize: 50, Labels: exact,
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// sceneVocabulary is a vocabulary file of the scenes' words.
func sceneVocabulary(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for i, w := range synth.Words() {
		kind := "thing"
		if synth.IsGround(i) {
			kind = "stuff"
		}
		b.WriteString("- {name: " + w + ", kind: " + kind + "}\n")
	}
	path := filepath.Join(t.TempDir(), "words.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The whole way of the command: masks, summary, sheet, the same again, and what it
// refuses.
func TestDataLabel(t *testing.T) {
	scenes, model, words := smallScenes(t, 20, 0, false), weightstest.Tiny(t), sceneVocabulary(t)
	dir := t.TempDir()
	out, sheet := filepath.Join(dir, "masks"), filepath.Join(dir, "sheet.png")
	args := []string{"data", "label", scenes, "--model", model, "--vocabulary", words, "--views", "32", "--grid", "8", "--balance-photos", "8", "--output", out, "--json"}
	r := runProgram(t, nil, append(args, "--sheet", sheet)...)
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	var got datasets.LabelledJSON
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Output != out || len(got.Shards) != 1 || got.Photos != 20 || got.Labelled != 20 || got.Foreground+got.Stuff+got.Background+got.Ignored != 20*64 {
		t.Errorf("%s", r.out)
	}
	if b, err := os.ReadFile(sheet); err != nil || !strings.HasPrefix(string(b), "\x89PNG") {
		t.Errorf("sheet: %v", err)
	}
	if r := runProgram(t, nil, "data", "validate", out); r.code != exitDone {
		t.Errorf("what label wrote is not valid: %+v", r)
	}
	if r := runProgram(t, nil, args...); r.code != exitDone || !strings.Contains(r.out, `"kept":1`) {
		t.Errorf("again: %+v", r)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitFailed, "setting high (0.45, now 0.6)", append(slices.Clone(args), "--high", "0.6")},
		{exitFailed, "setting ", append(slices.Clone(args), "--round", "2")},
		{exitUsage, "--output", args[:len(args)-3]},
		{exitUsage, "name a folder", []string{"data", "label", scenes, "--output", filepath.Join(dir, "masks.tar")}},
		{exitUsage, "balance is", append(slices.Clone(args), "--balance", "even")},
		{exitUsage, "low is 0.9", append(slices.Clone(args), "--low", "0.9")},
		{exitUsage, "--round 0", append(slices.Clone(args), "--round", "0")},
		{exitUsage, "share 2", append(slices.Clone(args), "--share", "2")},
		{exitFailed, "no-such", append(slices.Clone(args), "--model", filepath.Join(dir, "no-such"))},
		{exitFailed, "none.tar", []string{"data", "label", filepath.Join(dir, "none.tar"), "-o", out}},
		{exitFailed, "no-words.yaml", append(slices.Clone(args), "--vocabulary", filepath.Join(dir, "no-words.yaml"))},
	} {
		if r := runProgram(t, nil, c.args...); r.code != c.code || !strings.Contains(r.errors, c.says) {
			t.Errorf("%q: exit code %d, %s", c.args, r.code, r.errors)
		}
	}
}

// A vocabulary of what captions say, which label takes.
func TestDataVocabulary(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "words.yaml")
	scenes := smallScenes(t, 40, 0, false)
	r := runProgram(t, nil, "data", "vocabulary", scenes, "--min-count", "5", "--output", out, "--json")
	var got datasets.VocabularyJSON
	if err := json.Unmarshal([]byte(r.out), &got); r.code != exitDone || err != nil || got.Photos != 40 || got.Words["stuff"] < 3 || got.Words["thing"] < 4 {
		t.Fatalf("%+v, %v", r, err)
	}
	words, err := datasets.ReadVocabulary(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"box", "fish", "kite", "grass", "brick"} {
		if !slices.ContainsFunc(words, func(w nouns.Word) bool { return w.Name == name && w.Count >= 5 }) {
			t.Errorf("%s is no word of %s", name, out)
		}
	}
	masks := filepath.Join(dir, "masks")
	if r := runProgram(t, nil, "data", "label", scenes, "--model", weightstest.Tiny(t), "--views", "32", "--vocabulary", out, "--output", masks); r.code != exitDone {
		t.Errorf("%+v", r)
	}
	for says, args := range map[string][]string{
		"--output":    {"data", "vocabulary", scenes},
		"--min-count": {"data", "vocabulary", scenes, "-o", out, "--min-count", "0"},
	} {
		if r := runProgram(t, nil, args...); r.code != exitUsage || !strings.Contains(r.errors, says) {
			t.Errorf("%q: %+v", args, r)
		}
	}
	if r := runProgram(t, nil, "data", "vocabulary", scenes, "-o", filepath.Join(dir, "none.yaml"), "--min-count", "1000"); r.code != exitFailed || !strings.Contains(r.errors, "no word") {
		t.Errorf("%+v", r)
	}
}

// agreement is the share of the places of pseudo masks that say something and are
// right by the exact masks, and the share that say something.
func agreement(t *testing.T, pseudo, exact string) (right, said float64) {
	t.Helper()
	a, err := pairs.OpenIndex(t.Context(), pseudo)
	if err != nil {
		t.Fatal(err)
	}
	b, err := pairs.OpenIndex(t.Context(), exact)
	if err != nil || a.Len() != b.Len() {
		t.Fatalf("%d and %d samples, %v", a.Len(), b.Len(), err)
	}
	var hits, says, all float64
	for i := range a.Len() {
		var maps [2]*pairs.LabelMap
		for k, x := range []*pairs.Index{a, b} {
			s, err := x.Sample(i)
			if err != nil {
				t.Fatal(err)
			}
			if maps[k], err = s.LabelMap(); err != nil || maps[k] == nil {
				t.Fatalf("%s: %v", s.Key, err)
			}
		}
		p, q := maps[0], maps[1]
		for y := range q.Height {
			for x := range q.Width {
				v := p.Pix[y*p.Height/q.Height*p.Width+x*p.Width/q.Width]
				all++
				if v == pairs.LabelUnknown || v == pairs.LabelBackground {
					continue
				}
				says++
				if u := q.Pix[y*q.Width+x]; u > 0 && q.Words[u-1] == p.Words[v-1] {
					hits++
				}
			}
		}
	}
	return hits / max(says, 1), says / all
}

// A tiny network that learnt scenes from captions alone for some steps makes masks
// that are mostly right; one that learnt nothing does not.
func TestLabelledScenes(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains for half a minute")
	}
	train, exact, words := smallScenes(t, 400, 0, false), smallScenes(t, 60, 1000, true), sceneVocabulary(t)
	var right []float64
	for _, steps := range []string{"1", "150"} {
		run := filepath.Join(t.TempDir(), "run")
		code, _, said := runTraining("train", "--config", "../../recipes/scenes-local.yaml", "--train-data", train, "--output", run, "--steps", steps,
			"--set", "model.image_size=32", "--set", "data.cache_side=32")
		if code != exitDone {
			t.Fatal(said)
		}
		out := filepath.Join(t.TempDir(), "masks")
		code, _, said = runTraining("data", "label", exact, "--model", filepath.Join(run, "final"), "--vocabulary", words, "--views", "32", "--grid", "16",
			"--vote-superpixels", "0", "--output", out)
		if code != exitDone {
			t.Fatal(said)
		}
		share, said2 := agreement(t, out, exact)
		t.Logf("%s steps: %.2f of %.2f right", steps, share, said2)
		right = append(right, share)
	}
	if right[1] < 0.6 || right[1] < right[0]+0.2 {
		t.Errorf("%.2f of the places are right, %.2f without training", right[1], right[0])
	}
}

// A run that is killed goes on to the same shards.
func TestDataLabelKilled(t *testing.T) {
	scenes, model, words := smallScenes(t, 200, 0, false), weightstest.Tiny(t), sceneVocabulary(t)
	dir := t.TempDir()
	args := func(out string) []string {
		return []string{"data", "label", scenes, "--model", model, "--vocabulary", words, "--views", "32,64", "--shard-size", "20", "--balance-photos", "8", "--output", out}
	}
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	if r := runProgram(t, nil, args(whole)...); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	cmd := exec.Command(program, args(killed)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err := os.Stat(filepath.Join(killed, "labelled-000001.tar")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	r := runProgram(t, nil, args(killed)...)
	if r.code != exitDone || strings.Contains(r.errors, "(0 kept") {
		t.Fatalf("%+v", r)
	}
	shards, err := filepath.Glob(filepath.Join(whole, "*.tar"))
	if err != nil || len(shards) != 10 {
		t.Fatalf("%q, %v", shards, err)
	}
	for _, path := range append(shards, filepath.Join(whole, "labels.json")) {
		a, err1 := os.ReadFile(path)
		b, err2 := os.ReadFile(filepath.Join(killed, filepath.Base(path)))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v, %v", filepath.Base(path), err1, err2)
		}
	}
}
