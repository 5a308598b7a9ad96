package selftrain

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// sceneWords are the words of synthetic scenes.
func sceneWords() []nouns.Word {
	var list []nouns.Word
	for i, name := range synth.Words() {
		kind := nouns.Thing
		if synth.IsGround(i) {
			kind = nouns.Stuff
		}
		list = append(list, nouns.Word{Name: name, Kind: kind})
	}
	return list
}

// scenes writes so many scenes into shards of ten.
func scenes(t *testing.T, count int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scenes")
	err := synth.Write(t.Context(), dir, synth.DataOptions{Scenes: count, Seed: 3, Scene: synth.Options{Size: 32, MinRadius: 5, MaxRadius: 9}, Shards: true, ShardSize: 10})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func tinyOptions(t *testing.T, sources string) Options {
	s := Default()
	s.Views, s.Grid, s.BalancePhotos = []int{32}, 8, 8
	return Options{
		Sources: sources, Models: []string{weightstest.Tiny(t)}, Compute: groupvit.Options{Threads: 2}, Vocabulary: sceneWords(),
		Settings: s, Output: filepath.Join(t.TempDir(), "masks"), ShardSize: 7,
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(b)
	}
	return out
}

// TestRun: every photo comes out with its own bytes and texts, its named words and a
// mask that training reads; the summary counts what the masks hold.
func TestRun(t *testing.T) {
	o := tinyOptions(t, scenes(t, 20))
	last := 0
	o.Progress = func(done, of int) {
		if done < last || of != 20 {
			t.Errorf("%d of %d after %d", done, of, last)
		}
		last = done
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Photos != 20 || r.Labelled != 20 || len(r.Shards) != 3 || r.Kept != 0 || last != 20 {
		t.Errorf("%+v, %d done", r, last)
	}
	before, err := pairs.OpenIndex(t.Context(), o.Sources)
	if err != nil {
		t.Fatal(err)
	}
	after, err := pairs.OpenIndex(t.Context(), o.Output)
	if err != nil || after.Len() != 20 || len(after.Problems()) > 0 {
		t.Fatalf("%d samples, %v, %v", after.Len(), after.Problems(), err)
	}
	list, err := nouns.List(o.Vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	var again Summary
	for i := range 20 {
		a, err1 := before.Sample(i)
		b, err2 := after.Sample(i)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if a.Key != b.Key || string(a.Picture) != string(b.Picture) || !slices.Equal(a.Captions, b.Captions) {
			t.Errorf("%s: changed", a.Key)
		}
		m, err := b.LabelMap()
		if err != nil || m == nil || m.Width != 8 || m.Height != 8 {
			t.Fatalf("%s: %+v, %v", b.Key, m, err)
		}
		things := 0
		for _, word := range m.Words {
			if !slices.Contains(list.Nouns(strings.Join(a.Captions, ". ")), word) {
				t.Errorf("%s: %q is labelled, the captions are %q", b.Key, word, a.Captions)
			}
			if w, _ := list.Word(word); w.Kind == nouns.Thing {
				things++
			}
		}
		again.add(&Mask{*m, things})
	}
	again.Broken = r.Broken
	x, _ := json.Marshal(again)
	y, _ := json.Marshal(r.Summary)
	if string(x) != string(y) {
		t.Errorf("the masks hold\n%s, the summary says\n%s", x, y)
	}
	if im, err := Sheet(t.Context(), r.Shards, 6); err != nil || im.Bounds().Dx() < 6*sheetCell/3 {
		t.Errorf("sheet: %v", err)
	}
}

// TestRunAgain: a run that was ended goes on where it was, to the same bytes; a whole
// one is kept.
func TestRunAgain(t *testing.T) {
	o := tinyOptions(t, scenes(t, 30))
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := files(t, o.Output)

	o.Output = filepath.Join(t.TempDir(), "again")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopped := o
	stopped.Progress = func(done, _ int) {
		if done >= 10 {
			cancel()
		}
	}
	if _, err := Run(ctx, stopped); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	left := files(t, o.Output)
	if _, ok := left["labelled-000000.tar"]; !ok || len(left) >= len(want) {
		t.Fatalf("%d files are left", len(left))
	}
	for name := range left {
		if strings.Contains(name, ".tmp-") {
			t.Errorf("%s is left", name)
		}
	}
	// As if it had been killed: a line that is cut, and a shard of another length.
	path := filepath.Join(o.Output, doneFile)
	if err := os.WriteFile(path, append([]byte(left[doneFile]), `{"shard":1,"fi`...), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), o)
	if err != nil || r.Kept != 1 || r.Photos != 30 {
		t.Fatalf("%+v, %v", r, err)
	}
	got := files(t, o.Output)
	for name, content := range want {
		if name != doneFile && got[name] != content {
			t.Errorf("%s differs", name)
		}
	}
	if err := os.Truncate(filepath.Join(o.Output, "labelled-000002.tar"), 1000); err != nil {
		t.Fatal(err)
	}
	if r, err = Run(t.Context(), o); err != nil || r.Kept != 4 || files(t, o.Output)["labelled-000002.tar"] != want["labelled-000002.tar"] {
		t.Errorf("after a shard was cut: %+v, %v", r, err)
	}
}

// TestRunRefuses: what would mix two runs is refused by the name of what differs.
func TestRunRefuses(t *testing.T) {
	o := tinyOptions(t, scenes(t, 12))
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	more := scenes(t, 13)
	for want, change := range map[string]func(*Options){
		"setting high":        func(o *Options) { o.Settings.High = 0.5 },
		"setting views":       func(o *Options) { o.Settings.Views = []int{32, 40} },
		"setting balance ":    func(o *Options) { o.Settings.Balance = BalanceNone },
		"shard_size":          func(o *Options) { o.ShardSize = 8 },
		"vocabulary_sha256":   func(o *Options) { o.Vocabulary = o.Vocabulary[1:] },
		"sources_fingerprint": func(o *Options) { o.Sources = more },
		"another model":       func(o *Options) { o.Models = append(o.Models, o.Models...) },
		"limit":               func(o *Options) { o.Limit = 5 },
		"seed":                func(o *Options) { o.Seed = 1 },
	} {
		c := o
		change(&c)
		if _, err := Run(t.Context(), c); !errors.Is(err, ErrOutput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := o
	c.Output = other
	if _, err := Run(t.Context(), c); !errors.Is(err, ErrOutput) || !strings.Contains(err.Error(), "mine.txt") {
		t.Errorf("a folder of something else: %v", err)
	}
	for _, damaged := range []string{"", "{", `{"format":9}`, "[]"} {
		c.Output = filepath.Join(t.TempDir(), "damaged")
		if err := os.Mkdir(c.Output, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.Output, recordFile), []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), c); !errors.Is(err, ErrOutput) {
			t.Errorf("record %q: %v", damaged, err)
		}
	}
}

// TestRunBroken: photos that cannot be used are left out and told, and end nothing;
// photos that name no word come without a mask.
func TestRunBroken(t *testing.T) {
	dir := t.TempDir()
	w, err := pairs.NewShardWriter(dir, "mixed", 100)
	if err != nil {
		t.Fatal(err)
	}
	x, err := pairs.OpenIndex(t.Context(), scenes(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		s, err := x.Sample(i)
		if err != nil {
			t.Fatal(err)
		}
		switch i {
		case 1:
			s.Picture = s.Picture[:len(s.Picture)/2]
		case 2:
			s.Captions = []string{"nothing that the vocabulary knows"}
		}
		if err := w.Add(s, "png", 32, 32); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	o := tinyOptions(t, dir)
	var told []pairs.Problem
	o.Skip = func(p pairs.Problem) { told = append(told, p) }
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Photos != 3 || r.Labelled != 2 || r.Broken["broken picture"] != 1 || len(told) != 1 || told[0].Key != x.Key(1) {
		t.Errorf("%+v, told %v", r, told)
	}
}

// TestChosen: a share and a limit are random, the same each time, in the order of the
// sources, and what is asked for in number.
func TestChosen(t *testing.T) {
	o := tinyOptions(t, scenes(t, 40))
	choose := func(share float64, limit int, seed uint64) []int {
		r := &run{Options: o}
		r.Share, r.Limit, r.Seed = share, limit, seed
		var err error
		if r.index, err = pairs.OpenIndex(t.Context(), o.Sources); err != nil {
			t.Fatal(err)
		}
		r.choose()
		return r.chosen
	}
	if got := choose(0, 0, 0); len(got) != 40 {
		t.Errorf("%d of 40", len(got))
	}
	half := choose(0.5, 0, 0)
	if len(half) != 20 || !slices.IsSorted(half) || slices.Equal(half, choose(0.5, 0, 1)) || !slices.Equal(half, choose(0.5, 0, 0)) {
		t.Errorf("a half: %v", half)
	}
	if half[19] < 30 || half[0] > 10 {
		t.Errorf("a half is not spread: %v", half)
	}
	few := choose(0.5, 7, 0)
	if len(few) != 7 {
		t.Errorf("%d of at most 7", len(few))
	}
	for _, i := range few {
		if !slices.Contains(half, i) {
			t.Errorf("%d is not in the half", i)
		}
	}
}

// TestThreads: how many work changes nothing.
func TestThreads(t *testing.T) {
	o := tinyOptions(t, scenes(t, 40))
	var want map[string]string
	for _, threads := range []int{1, 3} {
		o.Compute.Threads, o.Output = threads, filepath.Join(t.TempDir(), "masks")
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		got := files(t, o.Output)
		for name, content := range want {
			if got[name] != content {
				t.Errorf("%s differs with %d threads", name, threads)
			}
		}
		want = got
	}
}

// TestTwoModels: logits of two models are averaged; of one model with itself they are
// its own.
func TestTwoModels(t *testing.T) {
	o := tinyOptions(t, scenes(t, 9))
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := files(t, o.Output)
	o.Models, o.Output = append(o.Models, o.Models[0]), filepath.Join(t.TempDir(), "two")
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if files(t, o.Output)["labelled-000000.tar"] != want["labelled-000000.tar"] {
		t.Error("a model averaged with itself gives other masks")
	}
}
