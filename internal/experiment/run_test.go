package experiment

import (
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every experiment, from end to end, in one folder: models that two of them share
// are trained once, and a second call does nothing again and says the same, wherever
// the folder has been moved to.
func TestExperiments(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains models")
	}
	output := filepath.Join(t.TempDir(), "output")
	trainedModels := map[string]bool{}
	for _, name := range []string{"table3", "table4", "table5", "table1", "table2", "figure7", "transfer"} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			o := Options{Name: name, Scale: Tiny, Output: output, Threads: 1, Parallel: 2, Command: "groupvit experiment " + name, Progress: &said}
			r, folder, err := Run(context.Background(), o)
			if err != nil {
				t.Fatalf("%v\n%s", err, said.String())
			}
			checkReport(t, r, folder)
			runs, _ := filepath.Glob(filepath.Join(output, "runs", "*"))
			for _, dir := range runs {
				trainedModels[filepath.Base(dir)] = true
			}
			if strings.Count(said.String(), "starting anew") > 6 {
				t.Errorf("more runs than models:\n%s", said.String())
			}
			before, err := os.ReadFile(filepath.Join(folder, "report.md"))
			if err != nil {
				t.Fatal(err)
			}
			said.Reset()
			moved := output + "-of-" + name
			if err := os.Rename(output, moved); err != nil {
				t.Fatal(err)
			}
			output, o.Output = moved, moved
			folder = filepath.Join(output, filepath.Base(folder))
			if _, _, err := Run(context.Background(), o); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(filepath.Join(folder, "report.md"))
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("again: %v\n%s\n%s", err, before, after)
			}
			if said.Len() > 0 {
				t.Errorf("again it does something:\n%s", said.String())
			}
		})
	}
	// table3 2, table4 2 more (the ViT, local patches), table1 4, table2 6, figure7's
	// are table3's: a number that is larger shows a model that was not shared.
	if !t.Failed() && len(trainedModels) != 14 {
		t.Errorf("%d models were trained: %v", len(trainedModels), trainedModels)
	}
}

// checkReport looks for what every report must have.
func checkReport(t *testing.T, r *Report, folder string) {
	t.Helper()
	recipe, err := Load(r.Name)
	if err != nil {
		t.Fatal(err)
	}
	if recipe.Kind == kindTable && (len(r.Rows) != len(recipe.Variations) || len(r.Verdicts) != len(recipe.Claims)) {
		t.Errorf("%d rows, %d verdicts", len(r.Rows), len(r.Verdicts))
	}
	for _, v := range r.Verdicts { // scale tiny: one seed, two steps, three photos
		if v.Result != tooFew || strings.Contains(v.String(), "**") {
			t.Errorf("%q is judged: %s", v.Claim, v)
		}
	}
	for _, row := range r.Rows {
		if len(row.MIoU) != 1 || !(row.Mean >= 0 && row.Mean <= 100) || row.Mean != row.MIoU[0] {
			t.Errorf("row %s: mean %v of %v, want the only one, 0 to 100", row.Name, row.Mean, row.MIoU)
		}
	}
	if recipe.Kind != kindTable && len(r.Groups) == 0 {
		t.Error("no groups")
	}
	sum := map[int]float64{}
	for _, g := range r.Groups {
		sum[g.Stage] += g.Share
		if len(g.Words) != 3 || g.Words[0].Value < g.Words[1].Value || g.Words[0].Value > 1+1e-6 {
			t.Errorf("group %d of stage %d: words %v, want 3 by falling cosine", g.Number, g.Stage, g.Words)
		}
	}
	for stage, s := range sum {
		if s < 1-1e-6 || s > 1+1e-6 {
			t.Errorf("the groups of stage %d take %g of the pixels", stage, s)
		}
	}
	if len(r.Pictures) == 0 {
		t.Error("no picture")
	}
	for _, p := range r.Pictures {
		f, err := os.Open(filepath.Join(folder, p.File))
		if err != nil {
			t.Error(err)
			continue
		}
		im, kind, err := image.Decode(f)
		f.Close()
		if err != nil || kind != "png" || im.Bounds().Dx() < 200 {
			t.Errorf("%s: %v, %s", p.File, err, kind)
		}
	}
}

// Interrupted before anything is trained, it says how to go on; and goes on.
func TestInterrupted(t *testing.T) {
	output := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	said := &stopper{cancel: cancel, at: "models to train"}
	o := Options{Name: "transfer", Scale: Tiny, Output: output, Threads: 1, Progress: said}
	if _, _, err := Run(ctx, o); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "goes on") {
		t.Fatalf("%v\n%s", err, said.String())
	}
	o.Progress = &bytes.Buffer{}
	if _, _, err := Run(context.Background(), o); err != nil {
		t.Error(err)
	}
}

// stopper cancels when it reads some words.
type stopper struct {
	bytes.Buffer
	cancel func()
	at     string
}

func (s *stopper) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.at) {
		s.cancel()
	}
	return s.Buffer.Write(p)
}

// A model that is not there is an error.
func TestFigureOfNoModel(t *testing.T) {
	o := Options{Name: "transfer", Scale: Tiny, Output: t.TempDir(), Model: "nowhere", Progress: &bytes.Buffer{}}
	if _, _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Error(err)
	}
}
