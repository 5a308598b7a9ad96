package cli

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit/internal/weights"
)

// Bad input against the real program, beside TestBadInput of binary_test.go: an
// error that names the input, the exit code of the contract, no crash, and little
// time.

// checkRefused runs the program and wants an exit code and texts on stderr.
func checkRefused(t *testing.T, code int, says []string, args ...string) {
	t.Helper()
	start := time.Now()
	r := runProgram(t, nil, args...)
	if r.code != code {
		t.Errorf("exit code %d, want %d: %s", r.code, code, r.errors)
	}
	for _, want := range says {
		if !strings.Contains(r.errors, want) {
			t.Errorf("%q is missing in: %s", want, r.errors)
		}
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %v", d)
	}
}

func encodedJPEG(t testing.TB, width, height int) []byte {
	t.Helper()
	im := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range im.Pix {
		im.Pix[i] = uint8(i * i)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, im, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBadPhotos: a JPEG of 600 bytes that claims 20,000 × 20,000 pixels, photos
// cut and damaged at many places, each through the whole program.
func TestBadPhotos(t *testing.T) {
	dir := t.TempDir()
	forged := encodedJPEG(t, 8, 8)
	at := bytes.Index(forged, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(forged[at+5:], 20_000)
	binary.BigEndian.PutUint16(forged[at+7:], 20_000)
	forged = append(forged, make([]byte, max(0, 600-len(forged)))...)[:600]
	good, err := os.ReadFile(writePhoto(t, dir, "good.png"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0x55 // the chunk's checksum no longer holds
	segment := func(path string) []string {
		return []string{"segment", "--model", model, "--labels", "dog", "-o", filepath.Join(dir, "out"), path}
	}
	t.Run("600 bytes that claim 20,000 × 20,000", func(t *testing.T) {
		path := writeBytes(t, dir, "forged.jpg", forged)
		checkRefused(t, exitFailed, []string{"forged.jpg", "20000", "limit"}, segment(path)...)
	})
	t.Run("damaged", func(t *testing.T) {
		checkRefused(t, exitFailed, []string{"damaged.png"}, segment(writeBytes(t, dir, "damaged.png", damaged))...)
	})
	t.Run("cut", func(t *testing.T) {
		whole := encodedJPEG(t, 64, 48)
		for _, n := range []int{2, 20, 200, len(whole) / 2} {
			name := fmt.Sprintf("cut%d.jpg", n)
			checkRefused(t, exitFailed, []string{name}, segment(writeBytes(t, dir, name, whole[:n]))...)
		}
	})
}

// TestBadWords: what --labels takes and refuses at the edges, and a text of
// 5,000 words, which is cut to the model's context as training cuts captions.
func TestBadWords(t *testing.T) {
	photo := writePhoto(t, t.TempDir(), "p.png")
	classify := func(labels string) []string {
		return []string{"classify", photo, "--model", model, "--labels", labels}
	}
	for _, c := range []struct {
		name, labels string
		code         int
		says         string
	}{
		{"emoji alone", "🍕", exitDone, ""},
		{"emoji of several characters, and a flag", "👩‍🚀,🇩🇪", exitDone, ""},
		{"duplicates but for case and space", "Dog, dog", exitUsage, "og"},
		{"10,000 characters", strings.Repeat("ü", 10_000), exitUsage, "1024"},
		{"only commas", ",,,", exitUsage, "label"},
		{"not UTF-8", "dog\xff", exitUsage, "UTF-8"},
		{"right to left", "كلب,猫", exitDone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkRefused(t, c.code, []string{c.says}, classify(c.labels)...)
		})
	}
	t.Run("5,000 words", func(t *testing.T) {
		r := runProgram(t, nil, "embed", "--model", model, "--json", "--text", strings.Repeat("elephants ", 5000))
		var result struct{ Embedding []float64 }
		if err := json.Unmarshal([]byte(r.out), &result); r.code != exitDone || err != nil || len(result.Embedding) != 16 {
			t.Errorf("exit code %d, %v: %s", r.code, err, r.errors)
		}
	})
}

// TestLabels: how labels are read, told by what is classified, and what is noted.
func TestLabels(t *testing.T) {
	dir := t.TempDir()
	photo := writePhoto(t, dir, "p.png")
	file := func(text string) []string {
		return []string{"--labels-file", writeBytes(t, t.TempDir(), "labels.txt", []byte(text))}
	}
	for _, c := range []struct {
		args  []string
		stdin string
		want  []string
		notes string
	}{
		{[]string{"--labels", "dog", "--labels", "cat,wall"}, "", []string{"cat", "dog", "wall"}, ""},
		{[]string{"--labels", `"cat,dog",wall`}, "", []string{"cat,dog", "wall"}, ""},
		{[]string{"--labels", `["cat","wall"]`}, "", []string{"cat", "wall"}, ""},
		{[]string{"--labels", "dog;cat"}, "", []string{"dog;cat"}, "separated by commas"},
		{file("cat, dog, horse\n"), "", []string{"cat"}, "one label with 2 synonyms"},
		{file(`["cat", "dog"]`), "", []string{"cat", "dog"}, ""},
		{[]string{"--labels-file", "-"}, "\ufeffcat\r\ndog\r\n", []string{"cat", "dog"}, ""},
	} {
		r := runProgram(t, []byte(c.stdin), append([]string{"classify", photo, "--model", model, "--json"}, c.args...)...)
		var result struct{ Classes []struct{ Label string } }
		if err := json.Unmarshal([]byte(r.out), &result); err != nil {
			t.Fatalf("%v: %+v", c.args, r)
		}
		var got []string
		for _, l := range result.Classes {
			got = append(got, l.Label)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) || (c.notes == "") != (r.errors == "") || !strings.Contains(r.errors, c.notes) {
			t.Errorf("%v: %q, %s", c.args, got, r.errors)
		}
	}
	checkRefused(t, exitUsage, []string{"stdin (-) can be one of them alone"}, "segment", "-", "--labels-file", "-", "--model", model)
}

// TestBadModelFiles: files that claim, cut or call.
func TestBadModelFiles(t *testing.T) {
	photo := writePhoto(t, t.TempDir(), "p.png")
	stored, err := os.ReadFile(filepath.Join(model, weights.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(model, weights.ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	with := func(file []byte) string {
		dir := t.TempDir()
		writeBytes(t, dir, weights.ConfigFile, config)
		writeBytes(t, dir, weights.WeightsFile, file)
		return dir
	}
	claims := bytes.Clone(stored)
	binary.LittleEndian.PutUint64(claims, 1<<63)
	const marker = "/tmp/groupvit-pwned" // what the pickles would make
	os.Remove(marker)
	for _, c := range []struct {
		name, model string
		says        []string
	}{
		{"a safetensors header of 2^63 bytes", with(claims), []string{"model.safetensors", "9223372036854775808", "limit"}},
		{"safetensors cut in the middle", with(stored[:len(stored)/2]), []string{"model.safetensors", "cut off"}},
		{"no bytes at all", with(nil), []string{"model.safetensors"}},
		{"a pickle that would call a function", "../weights/testdata/hostile_call.pth", []string{"hostile_call.pth", "system", "nothing was run"}},
		{"a pickle that would evaluate", "../weights/testdata/hostile_build.pth", []string{"hostile_build.pth", "eval", "nothing was run"}},
		{"a bare pickle", "../weights/testdata/hostile_legacy.pth", []string{"hostile_legacy.pth"}},
		{"a tensor of 2^40 elements", "../weights/testdata/hostile_huge.pth", []string{"hostile_huge.pth"}},
		{"a photo", photo, []string{"p.png"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkRefused(t, exitFailed, c.says, "classify", photo, "--labels", "dog", "--model", c.model)
		})
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a pickle ran")
	}
}

// TestBadConfigs of a model directory: each names the key.
func TestBadConfigs(t *testing.T) {
	photo := writePhoto(t, t.TempDir(), "p.png")
	stored, err := os.ReadFile(filepath.Join(model, weights.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, config, says string }{
		{"another network", `{"model_type": "clip"}`, "clip"},
		{"cut", `{"model_type": "groupvit", "visi`, "config.json"},
		{"empty", ``, "config.json"},
		{"another size than the weights", `{"model_type": "groupvit"}`, "shape"},
		{"a billion blocks", `{"model_type": "groupvit", "vision_config": {"depths": [1000000000, 1, 1]}}`, "1000000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			writeBytes(t, dir, weights.ConfigFile, []byte(c.config))
			writeBytes(t, dir, weights.WeightsFile, stored)
			checkRefused(t, exitFailed, []string{c.says}, "classify", photo, "--labels", "dog", "--model", dir)
		})
	}
}

// TestCutShard: training goes on with the samples before the cut and says what
// was lost; a shard without any is an error.
func TestCutShard(t *testing.T) {
	dir := t.TempDir()
	var whole bytes.Buffer
	w := tar.NewWriter(&whole)
	put := func(name string, b []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(b)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	photo := encodedJPEG(t, 40, 40)
	for i := range 40 {
		put(fmt.Sprintf("%03d.jpg", i), photo)
		put(fmt.Sprintf("%03d.txt", i), []byte("a dog on the grass"))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	train := func(shard, output string) []string {
		return []string{"train", "--config", smokeRecipe, "--train-data", shard, "--steps", "2", "--output", filepath.Join(dir, output)}
	}
	cut := writeBytes(t, dir, "half.tar", whole.Bytes()[:whole.Len()/2+100])
	checkRefused(t, exitDone, []string{"half.tar", "cut shard", "020.jpg"}, train(cut, "run")...)
	if _, err := os.Stat(filepath.Join(dir, "run", "final", weights.WeightsFile)); err != nil {
		t.Error(err)
	}
	checkRefused(t, exitFailed, []string{"stump.tar"}, train(writeBytes(t, dir, "stump.tar", whole.Bytes()[:700]), "none")...)
}

// TestMaskOfAnotherSize: a benchmark whose mask does not fit its photo.
func TestMaskOfAnotherSize(t *testing.T) {
	root, masks := miniVOC(t)
	writeBytes(t, root, "SegmentationClass/2007_2.png", maskPNG(t, 59, masks["2007_2"][:59*45]))
	checkRefused(t, exitFailed, []string{"2007_2", "59", "60"},
		"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model)
	writeBytes(t, root, "SegmentationClass/2007_2.png", encodedJPEG(t, 60, 45))
	checkRefused(t, exitFailed, []string{"2007_2"},
		"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model)
}
