package settings

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of settings in docs/training.md")

// Every setting has a meaning, every flag and meaning a setting.
func TestKeys(t *testing.T) {
	l := &Loaded{Settings: Default()}
	fields := l.fields()
	for key := range fields {
		if meanings[key] == "" {
			t.Errorf("%s has no meaning: say in keys_meaning.go what it is", key)
		}
	}
	seen := map[string]string{}
	for _, k := range Keys() {
		if _, ok := fields[k.Name]; !ok {
			t.Errorf("there is no setting %s", k.Name)
		}
		if other := seen[k.Flag]; k.Flag != "" && other != "" {
			t.Errorf("--%s is %s and %s", k.Flag, k.Name, other)
		}
		seen[k.Flag] = k.Name
	}
	for key := range flags {
		if meanings[key] == "" {
			t.Errorf("a flag for %s, which has no meaning", key)
		}
	}
}

// Flags of several keys set what they say.
func TestFlagsOfSeveral(t *testing.T) {
	for _, f := range FlagsOfSeveral {
		var overrides []Override
		for _, s := range f.Sets {
			overrides = append(overrides, Override{s.Key, strings.ReplaceAll(s.Value, "VALUE", "0.5"), "--" + f.Flag})
		}
		if f.Flag == "warmup" {
			overrides[0].Value = "7"
		}
		l, err := Load("", nil, overrides)
		if err != nil {
			t.Errorf("--%s: %v", f.Flag, err)
			continue
		}
		s := l.Settings
		ok := map[string]bool{
			"beta1": s.Optimizer.Betas == [2]float64{0.5, 0.999}, "beta2": s.Optimizer.Betas == [2]float64{0.9, 0.5},
			"warmup": s.Schedule.WarmupSteps == 7 && s.Schedule.WarmupEpochs == 0,
			"siglip": s.Loss.Config().Sigmoid && s.Model.Variant.LogitBias && s.Model.Temperature == 0.1,
			"lock-text": s.Optimizer.Frozen("text_projection.0.weight") && s.Optimizer.Frozen("text_model.final_layer_norm.bias") &&
				!s.Optimizer.Frozen("vision_model.layernorm.bias"),
			"lock-image": s.Optimizer.Frozen("visual_projection.0.weight") && s.Optimizer.Frozen("vision_model.layernorm.bias") &&
				!s.Optimizer.Frozen("text_model.final_layer_norm.bias"),
		}
		if !ok[f.Flag] {
			t.Errorf("--%s: %+v", f.Flag, s.Optimizer)
		}
	}
	if _, err := Load("", nil, []Override{{"optimizer.betas.2", "0.5", "--set"}}); err == nil {
		t.Error("a third of two numbers is taken")
	}
}

// The table of docs/training.md is the settings'; go test -update writes it.
func TestDocumentedKeys(t *testing.T) {
	const page, start, end = "../../../docs/training.md", "<!-- settings -->\n", "<!-- end of settings -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), start)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the lines %q and %q", page, start, end)
	}
	want := before + start + "\n" + KeyTable() + "\n" + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(data) {
		t.Errorf("the table of settings in %s is not that of the program: go test ./internal/train/settings -run DocumentedKeys -update", page)
	}
	if lines := strings.Split(KeyTable(), "\n"); slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "| ? |") }) {
		t.Error("a key without a default")
	}
}
