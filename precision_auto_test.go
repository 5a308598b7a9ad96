package groupvit

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/weights"
	"github.com/groupvit/groupvit/mask"
)

// ownCache keeps what this process and the user remember apart from the test.
func ownCache(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	precisionChoices.Clear()
	t.Cleanup(precisionChoices.Clear)
}

func embedded(t *testing.T) *weights.Model {
	t.Helper()
	files, err := DefaultFiles()
	if err != nil {
		t.Skip(err)
	}
	w, err := weights.OpenFS(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The choice is the fastest precision that agrees with float32 in every built-in photo, it is what the model computes in,
// and it is the same again, from memory and from the file.
func TestAutoPrecision(t *testing.T) {
	ownCache(t)
	w := embedded(t)
	t.Setenv(engine.EnvPrecision, engine.AutoPrecision)
	open := func() Precision {
		m, err := Open(context.Background(), "", &Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if p := m.Precision(); p.Computed != engine.PrecisionOf(m.backend) {
			t.Errorf("chosen is %s, computed in %s", p.Computed, engine.PrecisionOf(m.backend))
		}
		return m.Precision()
	}
	first := open()
	t.Logf("%+v", first)
	faster := engine.Fastest()
	if !first.Chosen || len(faster) == 0 && (first.Computed != engine.Float32 || first.Note == "") {
		t.Fatalf("the choice is %+v", first)
	}
	if len(faster) == 0 {
		return
	}
	want := engine.Float32
	for _, name := range faster {
		if first.Agreement[name] >= leastAgreement {
			want = name
			break
		}
	}
	if first.Computed != want || first.Agreement[faster[0]] == 0 {
		t.Errorf("%s was chosen, not %s, of %v", first.Computed, want, first.Agreement)
	}
	key := precisionKey(w, faster)
	if p, ok := readPrecision(key, faster); !ok || p.Computed != first.Computed {
		t.Errorf("remembered is %+v, %v", p, ok)
	}
	precisionChoices.Clear()
	if again := open(); again.Computed != first.Computed || again.Agreement[faster[0]] != first.Agreement[faster[0]] {
		t.Errorf("from the file it is %+v, not %+v", again, first)
	}
	if err := os.RemoveAll(filepath.Dir(precisionFile(key))); err != nil {
		t.Fatal(err)
	}
	if again := open(); again.Computed != first.Computed {
		t.Errorf("from memory it is %+v, not %+v", again, first)
	}
}

// Weights whose masks change with every rounding stay in float32.
func TestAutoPrecisionRefuses(t *testing.T) {
	if len(engine.Fastest()) == 0 || testing.Short() {
		t.Skip("labels photos three times with the published network, where there is a faster precision than float32")
	}
	ownCache(t)
	p, err := choosePrecision(context.Background(), "formula", formulaModel(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", p)
	for _, name := range engine.Fastest() {
		if share, tried := p.Agreement[name]; tried && (share >= leastAgreement) != (p.Computed == name) {
			t.Errorf("%s was chosen although %s agrees on %.4f", p.Computed, name, share)
		}
	}
}

// A model that cannot read labels, an engine with one precision: float32, and why.
func TestAutoPrecisionHasNothingToTry(t *testing.T) {
	ownCache(t)
	p, err := choosePrecision(context.Background(), "formula", formulaModel(), Options{Engine: engine.Go})
	if err != nil || p.Computed != engine.Float32 || !strings.Contains(p.Note, "engine go") {
		t.Errorf("on engine go the choice is %+v, %v", p, err)
	}
	if len(engine.Fastest()) == 0 {
		return
	}
	mute := formulaModel()
	mute.TokenizerFiles, mute.Config.Text.Vocabulary = nil, 40
	if p, err = choosePrecision(context.Background(), "mute", mute, Options{}); err == nil && (p.Computed != engine.Float32 || p.Note == "") {
		t.Errorf("without a tokenizer the choice is %+v, %v", p, err)
	}
}

// What was not written by writePrecision is measured anew.
func TestPrecisionFile(t *testing.T) {
	ownCache(t)
	faster := []string{engine.Int8, engine.BF16}
	for _, c := range []struct {
		text string
		want string // "" where it is no choice
	}{
		{`{"computed":"int8","chosen":true,"agreement":{"int8":0.9995}}`, "int8"},
		{`{"computed":"bf16","chosen":true,"agreement":{"int8":0.99,"bf16":0.9995}}`, "bf16"},
		{`{"computed":"float32","chosen":true,"agreement":{"int8":0.99,"bf16":0.998}}`, "float32"},
		{`{"computed":"int8","chosen":true,"agreement":{"int8":0.5}}`, ""},
		{`{"computed":"bf16","chosen":true,"agreement":{"int8":0.9995,"bf16":0.9995}}`, ""},
		{`{"computed":"float32","chosen":true,"agreement":{"int8":0.99}}`, ""},
		{`{"computed":"int8","agreement":{"int8":0.9995}}`, ""},
		{`{"computed":"int8","chosen":true,"agreement":{"int8":2}}`, ""},
		{`{"computed":"fp4","chosen":true,"agreement":{"int8":0.1,"bf16":0.1}}`, ""},
		{`{"computed":`, ""},
		{``, ""},
		{strings.Repeat(" ", maxPrecisionFile) + `{"computed":"int8","chosen":true,"agreement":{"int8":0.9995}}`, ""},
	} {
		path := precisionFile("k")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, ok := readPrecision("k", faster)
		if ok != (c.want != "") || ok && p.Computed != c.want {
			t.Errorf("%.80s is %+v, %v", c.text, p, ok)
		}
	}
	if _, ok := readPrecision("missing", faster); ok {
		t.Error("a file that is not there is a choice")
	}
}

// A photo that is all background hides nothing.
func TestAgreementIsOfTheWorstPhoto(t *testing.T) {
	same := &mask.Map{Width: 4, Height: 1, Labels: []uint16{0, 0, 0, 0}}
	a, b := &mask.Map{Width: 4, Height: 1, Labels: []uint16{1, 1, 2, 2}}, &mask.Map{Width: 4, Height: 1, Labels: []uint16{1, 2, 2, 2}}
	if got := agreement([]*mask.Map{same, a}, []*mask.Map{same, b}); got != 0.75 {
		t.Errorf("the agreement is %v", got)
	}
}
