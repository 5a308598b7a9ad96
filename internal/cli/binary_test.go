package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/weights"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
	"github.com/groupvit/groupvit/mask"
)

// program is the real program, model a tiny model with drawn weights.
var program, model string

func TestMain(m *testing.M) {
	code, err := withBinary(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withBinary(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "groupvit-cli-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program, model = filepath.Join(dir, "groupvit.exe"), filepath.Join(dir, "model")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/groupvit").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build: %w\n%s", err, out)
	}
	if err := weights.Save(model, weightstest.Model(), weights.SaveOptions{}); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// result is what a run of the program left.
type result struct {
	code        int
	out, errors string
}

func runProgram(t testing.TB, stdin []byte, args ...string) result {
	t.Helper()
	cmd := exec.Command(program, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	r := result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	if strings.Contains(r.errors, "goroutine ") {
		t.Errorf("the program crashed: %s", r.errors)
	}
	return r
}

// writePhoto writes a picture of 60 × 45 pixels and returns its path.
func writePhoto(t testing.TB, dir, name string) string {
	t.Helper()
	im := imaging.New(60, 45)
	for i := range im.Pix {
		im.Pix[i] = uint8(i * 7)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im.RGBA()); err != nil {
		t.Fatal(err)
	}
	return writeBytes(t, dir, name, b.Bytes())
}

func writeBytes(t testing.TB, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSegmentWritesEverything(t *testing.T) {
	dir := t.TempDir()
	photo, out := writePhoto(t, dir, "a photo.png"), filepath.Join(dir, "new", "out")
	r := runProgram(t, nil, "segment", photo, "--labels", "dog|puppy,grass,🐈", "--model", model, "-o", out, "--format", "overlay,mask,json,npy", "--json")
	if r.code != exitDone {
		t.Fatal(r)
	}
	var line, file groupvit.Record
	if err := json.Unmarshal([]byte(r.out), &line); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(out, "a photo.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &file); err != nil || file.Photo != photo || file.Width != 60 || file.Height != 45 || file.Protocol != "paper" || len(file.Model.SHA256) != 64 {
		t.Errorf("%+v, %v", file, err)
	}
	raw := map[string]any{}
	_ = json.Unmarshal(b, &raw)
	for _, key := range []string{"photo", "width", "height", "model", "protocol", "background", "segments", "seconds"} {
		if _, ok := raw[key]; !ok {
			t.Errorf("the JSON has no key %q", key)
		}
	}
	f, err := os.Open(filepath.Join(out, "a photo.mask.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mask.DecodePNG(f)
	if err != nil || m.Fits(60, 45) != nil {
		t.Fatal(m, err)
	}
	pixels := 0
	for _, s := range file.Segments {
		n := 0
		for _, l := range m.Labels {
			if int(l) == s.ID {
				n++
			}
		}
		if n != s.Pixels {
			t.Errorf("%s: %d pixels in the mask, %d in the JSON", s.Label, n, s.Pixels)
		}
		pixels += n
	}
	if pixels == 0 {
		t.Error("the paper's protocol always names something, here it named nothing")
	}
	overlay, err := os.Open(filepath.Join(out, "a photo.overlay.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer overlay.Close()
	if im, _, err := image.Decode(overlay); err != nil || im.Bounds().Dy() <= 45 {
		t.Error("overlay", err)
	}
	npy, err := os.ReadFile(filepath.Join(out, "a photo.npy"))
	if err != nil || !bytes.HasPrefix(npy, []byte("\x93NUMPY")) || !bytes.Contains(npy, []byte("(3, 45, 60)")) {
		t.Error("npy", err)
	} else if header := int(binary.LittleEndian.Uint16(npy[8:])); len(npy) != 10+header+4*3*45*60 {
		t.Errorf("npy has %d bytes", len(npy))
	}
	if left, _ := filepath.Glob(filepath.Join(out, ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestSegmentFindsPhotos(t *testing.T) {
	dir := t.TempDir()
	writePhoto(t, dir, "in/a.png")
	writePhoto(t, dir, "in/below/a.PNG")
	writeBytes(t, dir, "in/notes.txt", []byte("no photo"))
	one := writePhoto(t, dir, "one.png")
	b, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	labels := writeBytes(t, dir, "labels.txt", []byte("# words\ndog, puppy\n\ngrass\n"))
	common := []string{"--model", model, "--labels-file", labels, "--format", "mask", "-o"}
	for _, c := range []struct {
		name  string
		stdin []byte
		args  []string
		want  []string // lines' beginnings and files
		files []string
	}{
		{"folder, which keeps its tree", nil, []string{filepath.Join(dir, "in")}, []string{"a.png", "a.PNG"}, []string{"a.mask.png", "below/a.mask.png"}},
		{"pattern", nil, []string{filepath.Join(dir, "o*.png")}, []string{"one.png"}, []string{"one.mask.png"}},
		{"stdin", b, []string{"-"}, []string{"-"}, []string{"stdin.mask.png"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := filepath.Join(dir, "out", strings.Fields(c.name)[0])
			r := runProgram(t, c.stdin, slices.Concat([]string{"segment"}, c.args, common, []string{out})...)
			lines := strings.Split(strings.TrimSpace(r.out), "\n")
			if r.code != exitDone || len(lines) != len(c.want) {
				t.Fatalf("%+v", r)
			}
			for i, want := range c.want {
				if path, _, _ := strings.Cut(lines[i], ": "); filepath.Base(path) != want {
					t.Errorf("line %q, want %s", lines[i], want)
				}
			}
			for _, f := range c.files {
				if _, err := os.Stat(filepath.Join(out, f)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	good := writePhoto(t, dir, "good.png")
	whole, _ := os.ReadFile(good)
	empty := writeBytes(t, dir, "empty.jpg", nil)
	text := writeBytes(t, dir, "text.jpg", []byte("this is no photo, whatever its name says"))
	cut := writeBytes(t, dir, "cut.png", whole[:len(whole)/2])
	huge := slices.Clone(whole)
	binary.BigEndian.PutUint32(huge[16:], 100_000)
	binary.BigEndian.PutUint32(huge[20:], 100_000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	claims := writeBytes(t, dir, "claims.png", huge)
	broken := filepath.Join(dir, "broken")
	writeBytes(t, broken, "config.json", []byte(`{"model_type": "groupvit", "vision_config": {"patch_size": 0}}`))
	stored, err := os.ReadFile(filepath.Join(model, weights.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	writeBytes(t, broken, weights.WeightsFile, stored)
	blocked := filepath.Join(good, "out") // a file stands where a folder is needed
	run := func(more ...string) []string {
		return slices.Concat([]string{"segment", "--model", model, "-o", filepath.Join(dir, "out")}, more)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"empty labels", run(good, "--labels", ""), exitUsage, "label"},
		{"duplicate labels", run(good, "--labels", "dog,dog"), exitUsage, "dog"},
		{"10,000 characters", run(good, "--labels", strings.Repeat("x", 10_000)), exitUsage, "1024"},
		{"both labels flags", run(good, "--labels", "dog", "--labels-file", text), exitUsage, "exclude"},
		{"missing labels file", run(good, "--labels-file", "none.txt"), exitUsage, "none.txt"},
		{"unknown flag", run(good, "--lables", "dog"), exitUsage, "lables"},
		{"unknown command", []string{"segmnt"}, exitUsage, "segmnt"},
		{"no path", run("--labels", "dog"), exitUsage, "arg"},
		{"unknown format", run(good, "--labels", "dog", "--format", "gif"), exitUsage, "gif"},
		{"unknown protocol", run(good, "--labels", "dog", "--protocol", "magic"), exitUsage, "magic"},
		{"bad background", run(good, "--labels", "dog", "--background", "7"), exitUsage, "background"},
		{"bad templates", run(good, "--labels", "dog", "--templates", "haiku"), exitUsage, "haiku"},
		{"zero bytes", run(empty, "--labels", "dog"), exitFailed, "empty.jpg"},
		{"text named .jpg", run(text, "--labels", "dog"), exitFailed, "text.jpg"},
		{"truncated", run(cut, "--labels", "dog"), exitFailed, "cut.png"},
		{"claims 100,000 × 100,000", run(claims, "--labels", "dog"), exitFailed, "limit"},
		{"missing photo", run("none.png", "--labels", "dog"), exitFailed, "none.png"},
		{"unmatched pattern", run(filepath.Join(dir, "*.webp"), "--labels", "dog"), exitFailed, "matches"},
		{"unwritable output", run(good, "--labels", "dog", "-o", blocked), exitFailed, "output"},
		{"missing model", run(good, "--labels", "dog", "--model", "no/model"), exitFailed, "no/model"},
		{"broken config", run(good, "--labels", "dog", "--model", broken), exitFailed, "patch"},
		{"unknown engine", run(good, "--labels", "dog", "--engine", "abacus"), exitUsage, "abacus"},
		{"all fail", run(empty, text, "--labels", "dog"), exitFailed, "all 2"},
		{"some fail", run(empty, good, "--labels", "dog"), exitPartial, "1 of 2"},
		{"emoji is a label", run(good, "--labels", "🐕‍🦺"), exitDone, ""},
		{"embed nothing", []string{"embed", "--model", model}, exitUsage, "--text"},
		{"classify without labels", []string{"classify", good, "--model", model}, exitUsage, "label"},
		{"explain without labels", []string{"explain", good, "--model", model}, exitUsage, "label"},
		{"explain with a wrong threshold", []string{"explain", good, "--labels", "dog", "--background", "2", "--model", model}, exitUsage, "background"},
		{"groups of no photo", []string{"groups", empty, "--model", model}, exitFailed, "empty.jpg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runProgram(t, nil, c.args...)
			if r.code != c.code || !strings.Contains(r.errors, c.want) {
				t.Errorf("exit code %d, want %d, and %q in: %s", r.code, c.code, c.want, r.errors)
			}
		})
	}
}

func TestOtherCommands(t *testing.T) {
	dir := t.TempDir()
	photo, sheet := writePhoto(t, dir, "p.png"), filepath.Join(dir, "sheet.png")
	for _, c := range []struct {
		name string
		args []string
		keys []string
	}{
		{"groups", []string{"groups", photo, "-o", sheet, "--model", model, "--json"}, []string{"photo", "sheet", "groups_used"}},
		{"explain", []string{"explain", photo, "--labels", "dog,cat", "-o", filepath.Join(dir, "why.png"), "--model", model, "--json"}, []string{"photo", "picture", "labels", "rules", "stages", "places", "report"}},
		{"classify", []string{"classify", photo, "--labels", "dog,cat", "--model", model, "--json"}, []string{"photo", "classes"}},
		{"embed image", []string{"embed", "--image", photo, "--model", model, "--json"}, []string{"embedding"}},
		{"embed text", []string{"embed", "--text", "a dog", "--model", model, "--json"}, []string{"embedding"}},
		{"model show", []string{"model", "show", model, "--json"}, []string{"name", "sha256", "parameters"}},
		{"doctor", []string{"doctor", "--model", model, "--json"}, []string{"check", "ok"}},
		{"version", []string{"version", "--json"}, []string{"version", "go"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runProgram(t, nil, c.args...)
			if r.code != exitDone {
				t.Fatalf("%+v", r)
			}
			for _, line := range strings.Split(strings.TrimSpace(r.out), "\n") {
				values := map[string]any{}
				if err := json.Unmarshal([]byte(line), &values); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				for _, k := range c.keys {
					if _, ok := values[k]; !ok {
						t.Errorf("no key %q in %s", k, line)
					}
				}
			}
		})
	}
	for _, path := range []string{sheet, filepath.Join(dir, "why.png")} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := png.Decode(f); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
