package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/mask"
)

// TestSegmentKeys: the JSON has the promised keys, in their order; labels and
// report come after them.
func TestSegmentKeys(t *testing.T) {
	photo := writePhoto(t, t.TempDir(), "p.png")
	r := runProgram(t, nil, "segment", photo, "--labels", "dog,grass", "--model", model, "--format", "", "--background", "off", "--json")
	if r.code != exitDone {
		t.Fatal(r)
	}
	if want := []string{"photo", "width", "height", "model", "protocol", "background", "segments", "seconds", "labels", "report"}; !slices.Equal(keys(t, []byte(r.out)), want) {
		t.Errorf("keys %v, want %v", keys(t, []byte(r.out)), want)
	}
	var parts struct {
		Model    json.RawMessage
		Segments []json.RawMessage
	}
	if err := json.Unmarshal([]byte(r.out), &parts); err != nil || len(parts.Segments) == 0 {
		t.Fatalf("%v in %s", err, r.out)
	}
	if want := []string{"name", "sha256"}; !slices.Equal(keys(t, parts.Model), want) {
		t.Errorf("model has keys %v, want %v", keys(t, parts.Model), want)
	}
	if want := []string{"id", "label", "pixels", "area", "box", "score", "runner_up"}; !slices.Equal(keys(t, parts.Segments[0]), want) {
		t.Errorf("a segment has keys %v, want %v", keys(t, parts.Segments[0]), want)
	}
}

// keys returns the keys of a JSON object in their order.
func keys(t *testing.T, b []byte) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	var list []string
	depth, isKey := 0, true
	for {
		token, err := d.Token()
		if err != nil {
			return list
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
				isKey = depth == 1
				continue
			}
			depth--
			isKey = depth == 1
		case string:
			if depth == 1 && isKey {
				list = append(list, v)
				isKey = false
				continue
			}
			isKey = depth == 1
		default:
			isKey = depth == 1
		}
	}
}

// TestFormatsAgree: every format tells of the same pixels.
func TestFormatsAgree(t *testing.T) {
	dir := t.TempDir()
	photo := writePhoto(t, dir, "p.png")
	r := runProgram(t, nil, "segment", photo, "--labels", "dog,grass,sky", "--model", model, "-o", dir, "--format", "mask,json,coco,rle,polygons", "--background", "off")
	if r.code != exitDone {
		t.Fatal(r)
	}
	read := func(ending string, into any) {
		b, err := os.ReadFile(filepath.Join(dir, "p"+ending))
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(dir, "p.mask.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := mask.DecodePNG(f)
	if err != nil {
		t.Fatal(err)
	}
	var found groupvit.Record
	var coco mask.COCO
	var rle struct {
		Segments []struct {
			ID  int
			RLE mask.RLE
		}
	}
	var polygons struct {
		Segments []struct {
			ID       int
			Polygons []mask.Polygon
		}
	}
	read(".json", &found)
	read(".coco.json", &coco)
	read(".rle.json", &rle)
	read(".polygons.json", &polygons)
	if n := len(found.Segments); n == 0 || len(coco.Annotations) != n || len(rle.Segments) != n || len(polygons.Segments) != n || len(coco.Categories) != 3 {
		t.Fatalf("%d segments, in COCO %d, as run lengths %d, as polygons %d", n, len(coco.Annotations), len(rle.Segments), len(polygons.Segments))
	}
	for name, draw := range map[string]func(*mask.Map){
		"coco": func(m *mask.Map) {
			for _, a := range coco.Annotations {
				if err := a.Segmentation.Draw(m, uint16(a.Category)); err != nil {
					t.Error(err)
				}
			}
		},
		"rle": func(m *mask.Map) {
			for _, s := range rle.Segments {
				if err := s.RLE.Draw(m, uint16(s.ID)); err != nil {
					t.Error(err)
				}
			}
		},
		"polygons": func(m *mask.Map) {
			for _, s := range polygons.Segments {
				for _, p := range s.Polygons {
					p.Draw(m, uint16(s.ID))
				}
			}
		},
	} {
		m, err := mask.New(60, 45)
		if err != nil {
			t.Fatal(err)
		}
		if draw(m); !slices.Equal(m.Labels, want.Labels) {
			t.Errorf("%s draws another map than the mask", name)
		}
	}
}

// TestNamesOfResults: photos of one name do not overwrite each other's results,
// and say so; a photo named twice is taken once.
func TestNamesOfResults(t *testing.T) {
	dir := t.TempDir()
	photos := []string{writePhoto(t, dir, "x/a.jpg"), writePhoto(t, dir, "x/a.png"), writePhoto(t, dir, "y/A.png")}
	out := filepath.Join(dir, "out")
	args := slices.Concat([]string{"segment"}, photos, []string{filepath.Join(dir, "x", ".", "a.png"), "--labels", "dog", "--model", model, "-o", out, "--json"})
	for range 2 {
		r := runProgram(t, nil, args...)
		if r.code != exitDone || strings.Count(r.out, "\n") != 3 {
			t.Fatalf("%+v", r)
		}
		if !strings.Contains(r.errors, "a.png: another photo has its name: the results are a-2") || !strings.Contains(r.errors, "the results are A-3") {
			t.Errorf("not told of other names: %s", r.errors)
		}
		checkPhotosOf(t, out, map[string]string{"a": "a.jpg", "a-2": "a.png", "A-3": "A.png"})
	}
}

// checkPhotosOf checks which photo each JSON file is about.
func checkPhotosOf(t *testing.T, out string, photos map[string]string) {
	t.Helper()
	for name, photo := range photos {
		var found groupvit.Record
		b, err := os.ReadFile(filepath.Join(out, name+".json"))
		if err == nil {
			err = json.Unmarshal(b, &found)
		}
		if err != nil || filepath.Base(found.Photo) != photo {
			t.Errorf("%s.json is of %s, want %s (%v)", name, found.Photo, photo, err)
		}
	}
}

// TestFolder: the results of a folder keep its tree, and the second run goes on; what
// is no photo is counted, results of the first run among it.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.png", "a.jpg", "below/a.png", "PHOTO.JFIF", ".hidden.png", ".cache/b.png"} {
		writePhoto(t, dir, name)
	}
	writeBytes(t, dir, "b.jxl", []byte("no photo"))
	writeBytes(t, dir, "c.JXL", []byte("no photo"))
	writeBytes(t, dir, "notes.txt", []byte("words"))
	args := []string{"segment", dir, "--labels", "dog", "--model", model, "-o", dir, "--format", "mask,json"}
	r := runProgram(t, nil, args...)
	if r.code != exitDone || strings.Count(r.out, "\n") != 4 || !strings.Contains(r.out, "dog 100.0%") {
		t.Fatalf("%+v", r)
	}
	for _, want := range []string{"5 files left out: 2 .jxl, 2 hidden, 1 .txt", "JPEG XL is not read", "the results are a-2", "4 photos done", "wrote mask and json to " + dir} {
		if !strings.Contains(r.errors, want) {
			t.Errorf("%q is missing in: %s", want, r.errors)
		}
	}
	checkPhotosOf(t, dir, map[string]string{"a": "a.jpg", "a-2": "a.png", "below/a": "a.png", "PHOTO": "PHOTO.JFIF"})
	summary, err := os.ReadFile(filepath.Join(dir, ".summary.json"))
	if err != nil || !bytes.Contains(summary, []byte(`"photos_done":4`)) || !bytes.Contains(summary, []byte(`".jxl":2`)) {
		t.Errorf("%s, %v", summary, err)
	}
	before := contents(t, dir)
	writePhoto(t, dir, "A.gif") // comes before the others
	r = runProgram(t, nil, append(args, "-q")...)
	if r.code != exitDone || strings.Count(r.out, "\n") != 1 || strings.Contains(r.errors, "photos done") || !strings.Contains(r.errors, "written by an earlier run") {
		t.Errorf("%+v", r)
	}
	after := contents(t, dir)
	for name, data := range before {
		if after[name] != data {
			t.Errorf("%s has been written again", name)
		}
	}
	if len(after) != len(before)+3 {
		t.Errorf("%d files, %d before", len(after), len(before))
	}
	if r := runProgram(t, nil, "segment", t.TempDir(), "--labels", "dog", "--model", model, "-o", filepath.Join(dir, "new")); r.code != exitFailed || !strings.Contains(r.errors, "no photos") {
		t.Errorf("an empty folder: %+v", r)
	}
	if r := runProgram(t, nil, "segment", dir, "--labels", "dog", "--model", model, "--format", "", "-q"); r.code != exitDone || strings.Count(r.out, "\n") != 5 {
		t.Errorf("without files: %+v", r)
	}
}

// TestDefaultModel: without --model, the embedded one, or an error that says
// what to do.
func TestDefaultModel(t *testing.T) {
	r := runProgram(t, nil, "segment", "../../examples/photos/cat.jpg", "--labels", "cat", "--format", "", "--json")
	if _, err := os.Stat(filepath.Join("..", "..", "models", "default", "config.json")); err != nil {
		if r.code != exitFailed || !strings.Contains(r.errors, "no embedded model") || !strings.Contains(r.errors, "--model") {
			t.Errorf("%+v", r)
		}
		return
	}
	var found groupvit.Record
	if err := json.Unmarshal([]byte(r.out), &found); err != nil || r.code != exitDone || found.Model.Name != "default" || found.Width != 451 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	photo := writePhoto(t, dir, "p.png")
	blocked := filepath.Join(dir, "out", "p.json")
	if err := os.MkdirAll(blocked, 0o755); err != nil { // a folder stands where a file is needed
		t.Fatal(err)
	}
	run := func(args ...string) result {
		return runProgram(t, nil, append([]string{"segment", photo, "--labels", "dog", "--model", model}, args...)...)
	}
	if r := run("-o", filepath.Join(dir, "out")); r.code != exitFailed || !strings.Contains(r.errors, "p.json") {
		t.Errorf("%+v", r)
	}
	if r := runProgram(t, nil, "groups", photo, "--model", model, "-o", filepath.Join(dir, "no", "such", "sheet.png")); r.code != exitFailed || !strings.Contains(r.errors, "sheet.png") {
		t.Errorf("%+v", r)
	}
	if runtime.GOOS != "linux" {
		return
	}
	// /proc refuses new files, even to root: before the work begins.
	if r := run("-o", "/proc"); r.code != exitFailed || !strings.Contains(r.errors, "/proc cannot be written to") || r.out != "" {
		t.Errorf("%+v", r)
	}
	if r := runProgram(t, nil, "groups", photo, "--model", model, "-o", "/dev/full"); r.code != exitFailed || !strings.Contains(r.errors, "/dev/full") {
		t.Errorf("%+v", r)
	}
	if info, err := os.Stat("/dev/full"); err != nil || info.Mode().IsRegular() {
		t.Error("/dev/full has been replaced")
	}
}

// TestInterrupt: Ctrl-C ends a batch soon, with whole files only.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupt can be sent there")
	}
	dir := t.TempDir()
	for i := range 400 {
		writePhoto(t, dir, fmt.Sprintf("in/%d.png", i))
	}
	cmd := exec.Command(program, "segment", filepath.Join(dir, "in"), "--labels", "dog,grass", "--model", model, "-o", filepath.Join(dir, "out"))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan() // it is at work
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	start, n := time.Now(), 1
	for lines.Scan() {
		n++
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || n == 400 || !strings.Contains(errs.String(), "interrupted after") {
		t.Errorf("exit code %d after %d photos and %v: %s", code, n, time.Since(start), errs.String())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "out", ".groupvit-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	for _, ending := range []string{".json", ".mask.png"} {
		files, _ := filepath.Glob(filepath.Join(dir, "out", "*"+ending))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil || ending == ".json" && !json.Valid(b) || ending == ".mask.png" && !bytes.Contains(b, []byte("IEND")) {
				t.Errorf("%s is not whole: %v", f, err)
			}
		}
	}
}

// TestInterruptWaiting: Ctrl-C ends a program that waits for a photo on stdin.
func TestInterruptWaiting(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupt can be sent there")
	}
	for _, args := range [][]string{{"segment", "-", "--labels", "dog"}, {"embed", "--image", "-"}} {
		cmd := exec.Command(program, append(args, "--model", model)...)
		in, err := cmd.StdinPipe() // stays open
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		time.Sleep(500 * time.Millisecond)
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		kill.Stop()
		// Where the machine is slow, the program may not have begun to listen.
		if state := cmd.ProcessState; state.ExitCode() != exitFailed && state.String() != "signal: interrupt" {
			t.Errorf("%v: %v", args, state)
		}
	}
}
