package experiment

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files")

func number(v float64) *float64 { return &v }

// made is a report with everything a report may have.
func made() *Report {
	r := &Report{
		Name: "table1", Title: "Table 1: this and that", Scale: Small, Paper: "this is better", PaperSource: "its Table 1", Setting: "Trained on nothing.",
		Command: "groupvit experiment table1 --scale=small",
		Rows: []Row{
			{Name: "this", Note: "ours", Paper: number(39.3), Seeds: []uint64{0, 1, 2}, MIoU: []float64{50, 52, 54}},
			{Name: "that", Seeds: []uint64{0, 1, 2}, MIoU: []float64{40, 53, 41}},
			{Name: "other", Seeds: []uint64{0, 1, 2}, MIoU: []float64{60, 62, 64}},
		},
		Groups: []Group{
			{Stage: 1, Number: 4, Share: 0.25, Photos: 7, Words: []Weighed{{"star", 0.5}, {"fish", 0.25}}, Takes: []Weighed{{"star", 0.75}}},
			{Stage: 2, Number: 1, Share: 0.5, Photos: 8, Words: []Weighed{{"sand", 0.125}}},
		},
		Pictures: []Picture{{File: "plot.png", Title: "this and that"}},
	}
	for i := range r.Rows {
		r.Rows[i].Mean, r.Rows[i].Deviation = meanOf(r.Rows[i].MIoU)
	}
	r.Verdicts = []Verdict{judge("this above that", r.Rows[0], r.Rows[1]), judge("this above other", r.Rows[0], r.Rows[2]), judge("other above this", r.Rows[2], r.Rows[0])}
	return r
}

// A section is written as the golden file has it, again in its place, and the rest
// of the page stays as it was.
func TestWrite(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "plot.png"), []byte("a picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("# Page\n\nBefore.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := made()
	write := func() string {
		t.Helper()
		if err := r.Write(page, folder); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	got := write()
	golden := filepath.Join("testdata", "page.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if b, err := os.ReadFile(filepath.Join(filepath.Dir(page), "images", "experiment-table1-small-plot.png")); err != nil || string(b) != "a picture" {
		t.Errorf("picture: %q, %v", b, err)
	}
	if err := os.WriteFile(page, []byte(got+"After.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if again := write(); again != got+"After.\n" {
		t.Errorf("written again:\n%s", cmp.Diff(got+"After.\n", again))
	}
	r.Title, r.Rows = "Changed", r.Rows[:1]
	changed := write()
	if !strings.HasPrefix(changed, "# Page\n\nBefore.\n") || !strings.HasSuffix(changed, "end -->\nAfter.\n") || !strings.Contains(changed, "### Changed") || strings.Contains(changed, "| that |") {
		t.Errorf("changed:\n%s", changed)
	}
	r.Scale = Full
	if both := write(); !strings.HasPrefix(both, changed) || strings.Count(both, "begin -->") != 2 {
		t.Errorf("another scale:\n%s", both)
	}
}

func TestWriteNewPage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "new.md")
	r := made()
	r.Pictures = nil
	if err := r.Write(page, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(page); err != nil || !strings.HasPrefix(string(b), "<!-- experiment table1 small") {
		t.Errorf("%q, %v", b, err)
	}
}

// A page whose markers were damaged is left alone.
func TestDamagedMarkers(t *testing.T) {
	const begin, end = "<!-- experiment a b: written by the command, begin -->\n", "<!-- experiment a b: end -->\n"
	for name, page := range map[string]string{
		"no end": begin, "no begin": end, "the wrong way round": end + begin, "twice": begin + end + begin + end,
	} {
		if got, err := replaceSection(page, "a b", "text\n"); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestJudge(t *testing.T) {
	row := func(v ...float64) Row { return Row{MIoU: v} }
	for _, c := range []struct {
		above, below Row
		want         string
		difference   float64
	}{
		{row(3, 5), row(1, 4), agrees, 1.5}, {row(1, 4), row(3, 5), against, -1.5}, {row(1, 5), row(3, 4), open, -0.5}, {row(2), row(2), open, 0},
	} {
		if v := judge("x", c.above, c.below); v.Result != c.want || v.Difference != c.difference {
			t.Errorf("%v over %v: %+v", c.above, c.below, v)
		}
	}
	for _, c := range []struct {
		seeds, steps, photos int
		want                 string
	}{
		{3, 1000, 300, ""}, {3, 0, 100, ""}, {5, 300, 1449, ""},
		{1, 2, 3, "1 seed of at least 3, 2 steps of at least 300, 3 photos of at least 100"},
		{3, 1, 300, "1 step of at least 300"}, {2, 0, 1449, "2 seeds of at least 3"},
	} {
		if got := tooLittle(c.seeds, c.steps, c.photos); got != c.want {
			t.Errorf("%d seeds, %d steps, %d photos: %q, want %q", c.seeds, c.steps, c.photos, got, c.want)
		}
	}
	if m, d := meanOf([]float64{2, 4, 9}); m != 5 || d*d < 12.999 || d*d > 13.001 {
		t.Errorf("mean %g, deviation %g", m, d)
	}
}

// FuzzReplaceSection: whatever a page holds, it is refused, or the section stands in
// it once, writing it again changes nothing, and what stood outside still does.
func FuzzReplaceSection(f *testing.F) {
	const begin, end = "<!-- experiment a b: written by the command, begin -->\n", "<!-- experiment a b: end -->\n"
	f.Add("", "x\n")
	f.Add("before\n"+begin+"old\n"+end+"after", "new\n")
	f.Add(end+begin, "y\n")
	f.Fuzz(func(t *testing.T, page, section string) {
		if strings.Contains(section, begin) || strings.Contains(section, end) {
			return
		}
		got, err := replaceSection(page, "a b", section)
		if err != nil {
			return
		}
		if strings.Count(got, begin+section+end) != 1 {
			t.Errorf("the section does not stand in %q once", got)
		}
		if again, err := replaceSection(got, "a b", section); err != nil || again != got {
			t.Errorf("again: %q, %v", again, err)
		}
		if from, to := strings.Index(page, begin), strings.Index(page, end); from >= 0 && !(strings.HasPrefix(got, page[:from]) && strings.HasSuffix(got, page[to+len(end):])) {
			t.Errorf("the rest of %q became %q", page, got)
		}
	})
}
