package cli

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

// miniVOC writes a dataset in VOC's layout: three photos of 60 × 45 pixels,
// whose masks hold background, cat (8), dog (12), person (15) and ignored
// pixels. It returns the root and the masks' values by photo.
func miniVOC(t testing.TB) (string, map[string][]uint8) {
	t.Helper()
	root, masks := t.TempDir(), map[string][]uint8{}
	list := ""
	for n, id := range []string{"2007_1", "2007_2", "2007_3"} {
		list += id + "\n"
		writePhoto(t, root, "JPEGImages/"+id+".png")
		values := make([]uint8, 60*45)
		for i := range values {
			switch x, y := i%60, i/60; {
			case x < 10+10*n:
				values[i] = 8
			case y > 30:
				values[i] = 12
			case x > 50:
				values[i] = 15
			case x == 45:
				values[i] = 255
			}
		}
		masks[id] = values
		writeBytes(t, root, "SegmentationClass/"+id+".png", maskPNG(t, 60, values))
	}
	writeBytes(t, root, "ImageSets/Segmentation/val.txt", []byte(list))
	return root, masks
}

func maskPNG(t testing.TB, width int, values []uint8) []byte {
	t.Helper()
	im := image.NewPaletted(image.Rect(0, 0, width, len(values)/width), make(color.Palette, 256))
	for i := range im.Palette {
		im.Palette[i] = color.Gray{uint8(i)}
	}
	copy(im.Pix, values)
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segmentationJSON is what the contract says of a report.
type segmentationJSON struct {
	MIoU            *float64            `json:"mIoU"`
	PerClass        map[string]*float64 `json:"per_class"`
	PixelAccuracy   *float64            `json:"pixel_accuracy"`
	Protocol        string              `json:"protocol"`
	Background      string              `json:"background"`
	Model           map[string]string   `json:"model"`
	Images          int                 `json:"images"`
	ImagesPerSecond float64             `json:"images_per_second"`
	Baseline        struct {
		Class string   `json:"class"`
		MIoU  *float64 `json:"mIoU"`
	} `json:"baseline"`
	Note    string         `json:"note"`
	Command string         `json:"command"`
	Split   map[string]any `json:"split_threshold"`
}

func parseReport(t *testing.T, text []byte) segmentationJSON {
	t.Helper()
	var r segmentationJSON
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

// The report is what comes out when the masks that `segment` writes are compared
// with the truth pixel by pixel.
func TestEvalAgreesWithSegment(t *testing.T) {
	root, masks := miniVOC(t)
	common := []string{"--model", model, "--protocol", "paper", "--background", "0.2"}
	out := filepath.Join(t.TempDir(), "out")
	r := runProgram(t, nil, slices.Concat([]string{"segment", filepath.Join(root, "JPEGImages"), "--labels", "cat,dog", "--format", "mask", "-o", out}, common)...)
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	classOf := map[uint8]int{8: 1, 12: 2} // all others are background
	both, either := make([]float64, 3), make([]float64, 3)
	var right, counted float64
	for id, values := range masks {
		f, err := os.Open(filepath.Join(out, id+".mask.png"))
		if err != nil {
			t.Fatal(err)
		}
		found, err := mask.DecodePNG(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if v == 255 {
				continue
			}
			truth, got := classOf[v], int(found.Labels[i])
			counted++
			if truth == got {
				right++
				both[truth]++
				either[truth]++
			} else {
				either[truth]++
				either[got]++
			}
		}
	}
	r = runProgram(t, nil, slices.Concat([]string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--classes", "background,cat,dog", "--json"}, common)...)
	if r.code != exitDone || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("%+v", r)
	}
	report := parseReport(t, []byte(r.out))
	round := func(share float64) float64 { return math.Round(share*1e4) / 100 }
	mean := 0.0
	for c, name := range []string{"background", "cat", "dog"} {
		mean += both[c] / either[c] / 3
		if got := report.PerClass[name]; got == nil || *got != round(both[c]/either[c]) {
			t.Errorf("IoU of %s is %v, pixel by pixel it is %v", name, got, round(both[c]/either[c]))
		}
	}
	if *report.MIoU != round(mean) || *report.PixelAccuracy != round(right/counted) {
		t.Errorf("mIoU %v, accuracy %v, pixel by pixel %v, %v", *report.MIoU, *report.PixelAccuracy, round(mean), round(right/counted))
	}
	if report.Images != 3 || report.Protocol != "paper" || report.Background != "0.2" || len(report.Model["sha256"]) != 64 || report.Baseline.Class != "background" || report.ImagesPerSecond <= 0 {
		t.Errorf("%+v", report)
	}
	if !strings.Contains(report.Note, "trained at 32 pixels") || !strings.Contains(report.Note, "short side of 64") {
		t.Errorf("the note does not tell the sizes: %q", report.Note)
	}
	if want := "groupvit eval segmentation --background=0.2 --classes=background,cat,dog --dataset=voc12 --model="; !strings.HasPrefix(report.Command, want) {
		t.Errorf("command %q", report.Command)
	}
}

func TestEvalReports(t *testing.T) {
	root, _ := miniVOC(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "report.json")
	base := []string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model}
	for _, c := range []struct {
		name, protocol string
		args           []string
		says           string
	}{
		{"all classes", "paper", nil, "left out of the mean"},
		{"workers", "paper", []string{"--workers", "3"}, "mIoU"},
		{"choose", "paper", []string{"--choose-threshold"}, "each chosen on the others"},
		{"choose, best", "best", []string{"--choose-threshold", "--protocol", "best", "--classes", "background,cat,kitten|,dog"}, ""},
		{"hf", "hf", []string{"--protocol", "hf", "--limit", "2"}, "squashed"},
		{"no background", "best", []string{"--protocol", "best", "--classes", "cat,dog"}, "are ignored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runProgram(t, nil, slices.Concat(base, c.args, []string{"--json", file})...)
			if c.says == "" {
				if r.code != exitUsage {
					t.Fatalf("a class that does not exist: %+v", r)
				}
				return
			}
			if r.code != exitDone || !strings.Contains(r.out, c.says) || !strings.Contains(r.out, "baseline") {
				t.Fatalf("%+v", r)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			report := parseReport(t, text)
			if report.MIoU == nil || report.Protocol != c.protocol || !strings.Contains(r.out, "protocol "+c.protocol) {
				t.Errorf("%s", text)
			}
			if strings.Contains(c.name, "choose") != (report.Split != nil) {
				t.Errorf("split threshold: %v", report.Split)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestEvalFolderLayout(t *testing.T) {
	root := t.TempDir()
	writeBytes(t, root, "classes.txt", []byte("sky\nroad,street\n"))
	writePhoto(t, root, "images/a.png")
	writeBytes(t, root, "masks/a.png", maskPNG(t, 60, append(make([]uint8, 60*44), bytes.Repeat([]byte{1}, 60)...)))
	r := runProgram(t, nil, "eval", "segmentation", "--dataset", "camvid", "--root", root, "--model", model, "--json")
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	report := parseReport(t, []byte(r.out))
	if report.Background != "off" || report.Baseline.Class != "sky" || len(report.PerClass) != 2 {
		t.Errorf("%s", r.out)
	}
}

func TestEvalBadInput(t *testing.T) {
	root, _ := miniVOC(t)
	other, _ := miniVOC(t)
	writeBytes(t, other, "SegmentationClass/2007_2.png", maskPNG(t, 59, make([]uint8, 59*45)))
	broken, _ := miniVOC(t)
	writeBytes(t, broken, "JPEGImages/2007_3.png", []byte("no photo"))
	run := func(root string, more ...string) []string {
		return slices.Concat([]string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model}, more)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no dataset", []string{"eval", "segmentation", "--root", root}, exitUsage, "camvid"},
		{"no root", []string{"eval", "segmentation", "--dataset", "voc12"}, exitUsage, "--root"},
		{"unknown dataset", []string{"eval", "segmentation", "--dataset", "voc13", "--root", root}, exitUsage, "voc12, voc21"},
		{"missing root", run(filepath.Join(root, "none")), exitFailed, "root folder"},
		{"unknown class", run(root, "--classes", "background,unicorn"), exitUsage, "aeroplane, bicycle"},
		{"class twice", run(root, "--classes", "cat,kitten"), exitUsage, "twice"},
		{"only background", run(root, "--classes", "background"), exitUsage, "only class"},
		{"unknown split", run(root, "--split", "train"), exitFailed, "train.txt"},
		{"split leads out", run(root, "--split", "../val"), exitUsage, "plain name"},
		{"bad limit", run(root, "--limit", "-1"), exitUsage, "limit"},
		{"bad workers", run(root, "--workers", "-1"), exitUsage, "--workers"},
		{"bad protocol", run(root, "--protocol", "magic"), exitUsage, "magic"},
		{"bad background", run(root, "--background", "2"), exitUsage, "--background"},
		{"bad templates", run(root, "--templates", "haiku"), exitUsage, "haiku"},
		{"bad size", run(root, "--short-side", "3"), exitUsage, "short side"},
		{"threshold without background", run(root, "--classes", "cat,dog", "--background", "0.5"), exitUsage, "no background"},
		{"choice without background", run(root, "--classes", "cat,dog", "--choose-threshold"), exitUsage, "background"},
		{"threshold with hf", run(root, "--protocol", "hf", "--background", "0.5"), exitUsage, "use paper"},
		{"choice with hf", run(root, "--protocol", "hf", "--choose-threshold"), exitUsage, "use paper"},
		{"two rules", run(root, "--choose-threshold", "--background", "0.5"), exitUsage, "give one"},
		{"argument", run(root, "report.json"), exitUsage, "report.json"},
		{"mask of another size", run(other), exitFailed, "59×45"},
		{"broken photo", run(broken), exitFailed, "2007_3"},
		{"missing model", []string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", "no/model"}, exitFailed, "no/model"},
		{"report in no folder", run(root, "--json", filepath.Join(root, "none", "r.json")), exitFailed, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runProgram(t, nil, c.args...)
			if r.code != c.code || !strings.Contains(r.errors, c.want) || r.out != "" {
				t.Errorf("exit code %d, want %d, and %q in: %s\nstdout %s", r.code, c.code, c.want, r.errors, r.out)
			}
		})
	}
}

func TestEvalRetrieval(t *testing.T) {
	dir := t.TempDir()
	for n, key := range []string{"a", "b", "c"} {
		writePhoto(t, dir, key+".png")
		captions, _ := json.Marshal(map[string]any{"captions": []string{"a dog " + key, strings.Repeat("cat ", n+1)}})
		writeBytes(t, dir, key+".json", captions)
	}
	writeBytes(t, dir, "d.png", []byte("no picture"))
	writeBytes(t, dir, "d.txt", []byte("a caption"))
	file := filepath.Join(t.TempDir(), "r.json")
	r := runProgram(t, nil, "eval", "retrieval", "--data", dir, "--model", model, "--json", file)
	if r.code != exitDone || !strings.Contains(r.out, "image to any caption") || !strings.Contains(r.out, "1 samples were left out") {
		t.Fatalf("%+v", r)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		First struct {
			ToText map[string]float64 `json:"image_to_text"`
		} `json:"first_caption"`
		All struct {
			Captions int
			ToImage  map[string]float64 `json:"text_to_image"`
		} `json:"all_captions"`
		Images  int
		Skipped map[string]int
		Model   map[string]string
		Command string
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	// Three pictures that are the same: what is found is chance.
	if report.First.ToText["R@5"] != 100 || report.First.ToText["chance@1"] != 33.33 || report.All.ToImage["R@1"] != 33.33 ||
		report.All.Captions != 6 || report.Images != 3 || len(report.Skipped) != 1 || len(report.Model["sha256"]) != 64 || !strings.HasPrefix(report.Command, "groupvit eval retrieval --data=") {
		t.Errorf("%s", text)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no data":      {nil, exitUsage, "--data"},
		"missing data": {[]string{"--data", filepath.Join(dir, "none.tar")}, exitFailed, "none.tar"},
		"one pair":     {[]string{"--data", dir, "--limit", "1"}, exitFailed, "two are needed"},
		"limit":        {[]string{"--data", dir, "--limit", "-1"}, exitUsage, "--limit"},
	} {
		r := runProgram(t, nil, append([]string{"eval", "retrieval", "--model", model}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.errors, c.want) || r.out != "" {
			t.Errorf("%s: exit code %d, want %d, and %q in: %s", name, r.code, c.code, c.want, r.errors)
		}
	}
}

func TestEvalClassification(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"dog/a.png", "dog/b.png", "polar_bear/c.png"} {
		writePhoto(t, root, name)
	}
	r := runProgram(t, nil, "eval", "classification", "--root", root, "--model", model, "--json")
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	var report struct {
		Top1, Top5 float64
		Chance     float64            `json:"chance_top1"`
		PerClass   map[string]float64 `json:"per_class"`
		Images     int
		Model      map[string]string
		Command    string
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		t.Fatal(err)
	}
	// The photos are the same: one class gets them all.
	if dog := report.PerClass["dog"]; report.Images != 3 || report.Top5 != 100 || report.Chance != 50 || dog+report.PerClass["polar bear"] != 100 ||
		(dog == 100) != (report.Top1 == 66.67) || len(report.Model["sha256"]) != 64 || report.Command == "" {
		t.Errorf("%s", r.out)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no root":      {nil, exitUsage, "--root"},
		"missing root": {[]string{"--root", filepath.Join(root, "none")}, exitFailed, "root folder"},
		"one class":    {[]string{"--root", filepath.Join(root, "dog")}, exitFailed, "at least 2"},
		"limit":        {[]string{"--root", root, "--limit", "-2"}, exitUsage, "limit"},
		"workers":      {[]string{"--root", root, "--workers", "-2"}, exitUsage, "--workers"},
	} {
		r := runProgram(t, nil, append([]string{"eval", "classification", "--model", model}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.errors, c.want) || r.out != "" {
			t.Errorf("%s: exit code %d, want %d, and %q in: %s", name, r.code, c.code, c.want, r.errors)
		}
	}
}

// presence counts every class of every photo once, and compares the region of a found
// word with those beside one, three and ten absent words.
func TestEvalPresence(t *testing.T) {
	root, _ := miniVOC(t)
	r := runProgram(t, nil, "eval", "presence", "--dataset", "voc12", "--root", root, "--classes", "background,cat,dog,horse", "--background", "0.000001", "--model", model, "--json")
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	var got struct {
		Absent    int `json:"absent"`
		Present   int `json:"present"`
		Found     int `json:"present_found"`
		Stability []struct {
			Added   int      `json:"added"`
			IoU     *float64 `json:"iou"`
			Regions int      `json:"regions"`
		} `json:"stability"`
		Halves []struct {
			Absent int `json:"absent"`
		} `json:"halves"`
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	if got.Absent != 3 || got.Present != 6 || len(got.Halves) != 2 || got.Halves[0].Absent != 2 {
		t.Errorf("the horse is in none of three photos, cat and dog are in all: %+v", got)
	}
	if len(got.Stability) != 3 {
		t.Fatalf("stability is %+v", got.Stability)
	}
	for i, s := range got.Stability {
		if s.Added != []int{1, 3, 10}[i] || s.Regions < got.Found || (s.Regions > 0) != (s.IoU != nil) {
			t.Errorf("stability is %+v, %d words were found", s, got.Found)
		}
	}
}
