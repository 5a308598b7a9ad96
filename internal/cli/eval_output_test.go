package cli

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A measurement into a folder: report, predictions, page of pictures, plot; the
// same command goes on there and another one does not.
func TestEvalOutput(t *testing.T) {
	root, masks := miniVOC(t)
	out := filepath.Join(t.TempDir(), "deep", "run")
	args := []string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model, "--sweep", "background", "--pictures", "2", "-o", out}
	r := runProgram(t, nil, args...)
	if r.code != exitDone || !strings.Contains(r.out, "best of these photos") || !strings.Contains(r.out, "boundary F") || !strings.Contains(r.errors, "index.html") {
		t.Fatalf("%+v", r)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var report struct {
		MIoU     *float64         `json:"mIoU"`
		Sweep    []map[string]any `json:"sweep"`
		PerImage []map[string]any `json:"per_image"`
	}
	if err := json.Unmarshal(read("report.json"), &report); err != nil || report.MIoU == nil || len(report.Sweep) < 20 || len(report.PerImage) != 3 {
		t.Fatalf("%v, %+v", err, report)
	}
	if string(read("report.txt")) != r.out {
		t.Error("report.txt is not what was printed")
	}
	if im, err := png.Decode(bytes.NewReader(read("sweep.png"))); err != nil || im.Bounds().Dx() < 300 {
		t.Errorf("sweep.png: %v", err)
	}
	for id := range masks {
		im, err := png.Decode(bytes.NewReader(read("predictions/" + id + ".png")))
		if err != nil || im.Bounds().Size() != (image.Point{60, 45}) {
			t.Errorf("prediction of %s: %v", id, err)
		}
	}
	page := string(read("index.html"))
	if strings.Count(page, "<article>") != 2 || strings.Contains(page, "%!") {
		t.Errorf("the page has %d photos:\n%s", strings.Count(page, "<article>"), page)
	}
	for _, kind := range []string{"photo", "truth", "prediction", "error"} {
		if n := strings.Count(page, "."+kind+".png"); n != 2 {
			t.Errorf("%d pictures of %s", n, kind)
		}
		found, _ := filepath.Glob(filepath.Join(out, "pictures", "*."+kind+".png"))
		if len(found) != 2 {
			t.Errorf("files %v", found)
		}
	}
	if again := runProgram(t, nil, args...); again.code != exitDone || !strings.Contains(again.out, "3 of the photos were measured before") {
		t.Errorf("%+v", again)
	}
	other := slices.Concat(args, []string{"--background", "0.3"})
	if r := runProgram(t, nil, other...); r.code != exitUsage || !strings.Contains(r.errors, "another measurement") {
		t.Errorf("%+v", r)
	}
}

func TestEvalOracles(t *testing.T) {
	root, _ := miniVOC(t)
	base := []string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model, "--json"}
	plain := parseReport(t, []byte(runProgram(t, nil, base...).out))
	for _, oracle := range []string{"regions", "labels"} {
		r := runProgram(t, nil, slices.Concat(base, []string{"--oracle", oracle})...)
		if r.code != exitDone {
			t.Fatalf("%+v", r)
		}
		helped := parseReport(t, []byte(r.out))
		if *helped.MIoU < *plain.MIoU || !strings.Contains(r.out, `"oracle":"`+oracle+`"`) {
			t.Errorf("oracle %s: mIoU %v, without it %v", oracle, *helped.MIoU, *plain.MIoU)
		}
	}
}

func TestEvalCompare(t *testing.T) {
	root, _ := miniVOC(t)
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	for path, protocol := range map[string]string{a: "tcl", b: "paper"} {
		r := runProgram(t, nil, "eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model, "--protocol", protocol, "--json", path)
		if r.code != exitDone || !strings.Contains(r.out, "protocol "+protocol) {
			t.Fatalf("%+v", r)
		}
	}
	r := runProgram(t, nil, "eval", "compare", a, b, "--samples", "200")
	if r.code != exitDone || !strings.Contains(r.out, "95 % interval") || !strings.Contains(r.out, "protocol tcl") || !strings.Contains(r.out, "3 photos, 200 resamples") {
		t.Fatalf("%+v", r)
	}
	r = runProgram(t, nil, "eval", "compare", a, a, "--json")
	var same struct {
		MIoU map[string]float64 `json:"mIoU"`
	}
	if err := json.Unmarshal([]byte(r.out), &same); err != nil || same.MIoU["difference"] != 0 || same.MIoU["high"] != 0 {
		t.Fatalf("%v, %+v", err, r)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"one report": {[]string{a}, exitUsage, "compare A.json B.json"},
		"no report":  {[]string{a, filepath.Join(dir, "none.json")}, exitFailed, "none.json"},
		"no JSON":    {[]string{a, writePhoto(t, dir, "x.png")}, exitFailed, "no report"},
		"samples":    {[]string{a, b, "--samples", "0"}, exitUsage, "--samples"},
	} {
		if r := runProgram(t, nil, append([]string{"eval", "compare"}, c.args...)...); r.code != c.code || !strings.Contains(r.errors, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestEvalSegmentationUsage(t *testing.T) {
	root, _ := miniVOC(t)
	base := []string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"sweep of what":      {[]string{"--sweep", "size"}, "choose background"},
		"sweep and choice":   {[]string{"--sweep", "background", "--choose-threshold"}, "--sweep"},
		"oracle of what":     {[]string{"--oracle", "all"}, "choose regions or labels"},
		"oracle and sweep":   {[]string{"--oracle", "regions", "--sweep", "background"}, "no threshold"},
		"plot of nothing":    {[]string{"--plot", "x.png"}, "--sweep"},
		"pictures":           {[]string{"--pictures", "-1"}, "--pictures"},
		"protocol":           {[]string{"--protocol", "official"}, "sclip"},
		"sweep with hf":      {[]string{"--sweep", "background", "--protocol", "hf"}, "no background"},
		"sweep, none behind": {[]string{"--sweep", "background", "--classes", "cat,dog"}, "background class"},
	} {
		if r := runProgram(t, nil, slices.Concat(base, c.args)...); r.code != exitUsage || !strings.Contains(r.errors, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
