package cli

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"github.com/groupvit/groupvit/mask"
)

func readMask(t *testing.T, path string) *mask.Map {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mask.DecodePNG(bytes.NewReader(b))
	if err != nil {
		t.Fatal(path, err)
	}
	return m
}

// The files of annotation tools hold the pixels of the mask.
func TestAnnotationFormats(t *testing.T) {
	dir := t.TempDir()
	photo := writePhoto(t, dir, "p.png")
	ids := filepath.Join(dir, "ids.csv")
	if err := os.WriteFile(ids, []byte("# ours\ndog,7\ngrass,200\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := runProgram(t, nil, "segment", photo, "--labels", "dog|puppy,grass", "--model", model, "-o", dir, "--background", "off",
		"--format", "mask,yolo,labelme,cityscapes,coco-polygons", "--label-ids", ids)
	if r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	want := readMask(t, filepath.Join(dir, "p.mask.png"))
	for file, read := range map[string]func([]byte) (*mask.Map, error){
		"labels/p.txt": func(b []byte) (*mask.Map, error) { return mask.ReadYOLO(bytes.NewReader(b), want.Width, want.Height) },
		"labelme/p.json": func(b []byte) (*mask.Map, error) {
			m, _, err := mask.ReadLabelMe(bytes.NewReader(b), []string{"dog", "grass"})
			return m, err
		},
		"p_labelIds.png": func(b []byte) (*mask.Map, error) { return mask.DecodeIDs(bytes.NewReader(b), []uint8{7, 200}) },
		"p.coco-polygons.json": func(b []byte) (*mask.Map, error) {
			c, err := mask.ReadCOCO(bytes.NewReader(b))
			if err != nil {
				return nil, err
			}
			return c.Map(c.Images[0])
		},
	} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := read(b); err != nil || !slices.Equal(got.Labels, want.Labels) {
			t.Errorf("%s: another map than the mask, %v", file, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "classes.txt")); err != nil || string(b) != "dog\ngrass\n" {
		t.Errorf("%q, %v", b, err)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{`"dog" has no number in Cityscapes`, []string{"--labels", "road,dog", "--format", "cityscapes"}},
		{"--label-ids is for", []string{"--labels", "road", "--format", "mask", "--label-ids", ids}},
	} {
		if r := runProgram(t, nil, append([]string{"segment", photo, "--model", model, "-o", dir}, c.args...)...); r.code != exitUsage || !strings.Contains(r.errors, c.want) {
			t.Errorf("%+v", r)
		}
	}
}

// utm33 are the keys of WGS 84 / UTM 33 N.
var utm33 = []uint16{1, 1, 0, 1, 3072, 0, 1, 32633}

// geoTIFF is a TIFF of pixels of half a metre in a coordinate system.
func geoTIFF(t *testing.T, picture image.Image, keys []uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tiff.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	// A second directory with the tags of the first and three more, at the end.
	data, order := b.Bytes(), binary.LittleEndian
	old := int(order.Uint32(data[4:]))
	n := int(order.Uint16(data[old:]))
	entries := bytes.Clone(data[old+2 : old+2+12*n])
	add := func(tag, kind uint16, count int, values any) {
		var e bytes.Buffer
		for _, v := range []any{tag, kind, uint32(count), uint32(len(data))} {
			_ = binary.Write(&e, order, v)
		}
		entries = append(entries, e.Bytes()...)
		var v bytes.Buffer
		_ = binary.Write(&v, order, values)
		data = append(data, v.Bytes()...)
	}
	add(33550, 12, 3, []float64{0.5, 0.5, 0})
	add(33922, 12, 6, []float64{0, 0, 0, 452000, 5411000, 0})
	add(34735, 3, len(keys), keys)
	order.PutUint32(data[4:], uint32(len(data)))
	data = order.AppendUint16(data, uint16(n+3))
	return append(append(data, entries...), 0, 0, 0, 0)
}

func TestGeoJSONFormat(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Open(writePhoto(t, dir, "p.png"))
	if err != nil {
		t.Fatal(err)
	}
	picture, _, err := image.Decode(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	photo := filepath.Join(dir, "field.tif")
	if err := os.WriteFile(photo, geoTIFF(t, picture, utm33), 0o666); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte(photo+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"--labels", "dog,grass", "--model", model, "--background", "off", "--format", "mask,geojson", "-o"}
	if r := runProgram(t, nil, append([]string{"segment", photo}, append(args, dir)...)...); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	text, err := os.ReadFile(filepath.Join(dir, "field.geojson"))
	if err != nil || !bytes.Contains(text, []byte(`"urn:ogc:def:crs:EPSG::32633"`)) {
		t.Fatalf("%s, %v", text, err)
	}
	want := readMask(t, filepath.Join(dir, "field.mask.png"))
	got, err := mask.ReadGeoJSON(bytes.NewReader(text), want.Width, want.Height, mask.Affine{A: 0.5, C: 452000, E: -0.5, F: 5411000})
	if err != nil || !slices.Equal(got.Labels, want.Labels) {
		t.Errorf("another map than the mask: %v", err)
	}
	tarName := filepath.Join(dir, "out.tar")
	if r := runProgram(t, nil, append([]string{"segment", "--manifest", list}, append(args, tarName)...)...); r.code != exitDone {
		t.Errorf("%+v", r)
	}
	if b, err := os.ReadFile(tarName); err != nil || !bytes.Contains(b, text) {
		t.Errorf("a batch writes another file: %v", err)
	}
	if r := runProgram(t, nil, append([]string{"segment", filepath.Join(dir, "p.png")}, append(args, dir)...)...); r.code != exitFailed || !strings.Contains(r.errors, "no georeference") {
		t.Errorf("%+v", r)
	}
}

// Coordinates of a system that is not known are warned of, once a run.
func TestGeoJSONWithoutSystem(t *testing.T) {
	dir := t.TempDir()
	picture := image.NewGray(image.Rect(0, 0, 40, 30))
	none, own := []uint16{1, 1, 0, 0}, []uint16{1, 1, 0, 2, 2048, 0, 1, 4326, 3072, 0, 1, 32767}
	for name, c := range map[string]struct {
		files map[string][]uint16
		says  string
	}{
		"none":    {map[string][]uint16{"a": none}, "a.tif names no coordinate system"},
		"own":     {map[string][]uint16{"a": own}, "of its own (user-defined)"},
		"several": {map[string][]uint16{"a": none, "b": none, "c": utm33}, "and 1 more"},
		"known":   {map[string][]uint16{"a": utm33}, ""},
	} {
		photos := filepath.Join(dir, name)
		for file, keys := range c.files {
			writeBytes(t, photos, file+".tif", geoTIFF(t, picture, keys))
		}
		for _, args := range [][]string{{photos}, {filepath.Join(photos, "a.tif")}} {
			out := t.TempDir()
			r := runProgram(t, nil, append([]string{"segment", "--labels", "dog", "--model", model, "--background", "off", "--format", "geojson", "-q", "-o", out}, args...)...)
			if r.code != exitDone || strings.Contains(r.errors, "warning:") != (c.says != "") || args[0] == photos && !strings.Contains(r.errors, c.says) {
				t.Errorf("%s: %+v", name, r)
			}
			if b, err := os.ReadFile(filepath.Join(out, "a.geojson")); err != nil || bytes.Contains(b, []byte(`"crs"`)) != (c.says == "") {
				t.Errorf("%s: %s, %v", name, b, err)
			}
		}
	}
}

// The COCO files of a run become one, from a folder and from a tar; a bad one is
// left out and told. pycocotools reads it, where it is there.
func TestJoin(t *testing.T) {
	dir := t.TempDir()
	list := manyPhotos(t, 6)
	folder, tarName := filepath.Join(dir, "out"), filepath.Join(dir, "out.tar")
	for _, out := range []string{folder, tarName} {
		if r := runProgram(t, nil, "segment", "--manifest", list, "--model", model, "--labels", "cat,dog", "--background", "off", "--format", "coco,mask", "-o", out); r.code != exitDone {
			t.Fatalf("%+v", r)
		}
	}
	joined := map[string][]byte{}
	for name, args := range map[string][]string{"folder": {folder}, "tar": {tarName}, "polygons": {tarName, "--polygons"}} {
		out := filepath.Join(dir, name+".json")
		if r := runProgram(t, nil, append(append([]string{"join"}, args...), "-o", out)...); r.code != exitDone || !strings.Contains(r.errors, "6 photos") {
			t.Fatalf("%+v", r)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		joined[name] = b
		c, err := mask.ReadCOCO(bytes.NewReader(b))
		if err != nil || len(c.Images) != 6 || len(c.Categories) != 2 {
			t.Fatalf("%s: %+v, %v", name, c, err)
		}
		masks := masksOf(t, tarName)
		for _, image := range c.Images {
			got, err := c.Map(image)
			want := masks[strings.TrimSuffix(strings.TrimPrefix(image.File, "/"), ".png")]
			if err != nil || want == nil || !slices.Equal(got.Labels, want.Labels) {
				t.Errorf("%s: %s is another map than its mask: %v", name, image.File, err)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".groupvit-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	checkWithPycocotools(t, filepath.Join(dir, "folder.json"), filepath.Join(dir, "polygons.json"))
	if err := os.WriteFile(filepath.Join(folder, "bad.coco.json"), []byte(`{"images":[{}]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "again.json")
	r := runProgram(t, nil, "join", folder, "-o", out)
	if b, err := os.ReadFile(out); r.code != exitPartial || !strings.Contains(r.errors, "bad.coco.json") || err != nil || !bytes.Equal(b, joined["folder"]) {
		t.Errorf("%+v, %v", r, err)
	}
	if r := runProgram(t, nil, "join", t.TempDir(), "-o", out); r.code != exitFailed || !strings.Contains(r.errors, "--format coco") {
		t.Errorf("%+v", r)
	}
}

// masksOf are the masks in a tar, by what their photos are called there.
func masksOf(t *testing.T, name string) map[string]*mask.Map {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, all := tar.NewReader(bytes.NewReader(b)), map[string]*mask.Map{}
	for {
		h, err := r.Next()
		if err != nil {
			return all
		}
		if photo, ok := strings.CutSuffix(h.Name, ".mask.png"); ok {
			m, err := mask.DecodePNG(r)
			if err != nil {
				t.Fatal(err)
			}
			all[photo] = m
		}
	}
}

// checkWithPycocotools compares what pycocotools draws from two files, region by region.
func checkWithPycocotools(t *testing.T, a, b string) {
	t.Helper()
	python := os.Getenv("GROUPVIT_PYTHON")
	if python == "" || exec.Command(python, "-c", "import pycocotools").Run() != nil {
		t.Log("GROUPVIT_PYTHON names no Python with pycocotools: not checked with it")
		return
	}
	out, err := exec.Command(python, "-c", `
import sys
from pycocotools.coco import COCO
a, b = COCO(sys.argv[1]), COCO(sys.argv[2])
for i in a.getAnnIds():
    x, y = a.loadAnns(i)[0], b.loadAnns(i)[0]
    assert (a.annToMask(x) == b.annToMask(y)).all() and a.annToMask(x).sum() == x["area"], i
assert len(a.getAnnIds()) > 0
`, a, b).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Videos: synthetic frames in, frames out.
func TestVideo(t *testing.T) {
	const width, height, count = 48, 32, 6
	var in bytes.Buffer
	for k := range count {
		for i := range width * height {
			x, y := float64(i%width), float64(i/width)
			in.Write([]byte{byte(128 + 100*math.Sin(x/5+float64(k)/3)), byte(y * 7), byte(k * 40)})
		}
	}
	frames := in.Bytes()
	run := func(input []byte, args ...string) result {
		return runProgram(t, input, append([]string{"video", "--size", "48x32", "--model", model, "--labels", "dog,grass", "--background", "off"}, args...)...)
	}
	labels := run(frames, "--show", "labels")
	if labels.code != exitDone || len(labels.out) != width*height*count || !strings.Contains(labels.errors, "6 frames, 6 looked at") {
		t.Fatalf("%d bytes, %s", len(labels.out), labels.errors)
	}
	for name, args := range map[string][]string{"overlay": nil, "mask": {"--show", "mask"}, "smooth": {"--smooth", "0.8"}} {
		if r := run(frames, args...); r.code != exitDone || len(r.out) != len(frames) || r.out == string(frames) {
			t.Errorf("%s: %d bytes, %s", name, len(r.out), r.errors)
		}
	}
	every := run(frames, "--show", "labels", "--every", "3")
	size := width * height
	if every.code != exitDone || !strings.Contains(every.errors, "6 frames, 2 looked at") || every.out[size:2*size] != labels.out[:size] || every.out[3*size:4*size] != labels.out[3*size:4*size] {
		t.Errorf("every third: %s", every.errors)
	}
	short := run(frames[:len(frames)-1], "--show", "labels")
	if short.code != exitFailed || short.out != labels.out[:5*size] || !strings.Contains(short.errors, "has 4607 bytes") {
		t.Errorf("a short last frame: %d bytes, %s", len(short.out), short.errors)
	}
	for _, args := range [][]string{{"--size", "48"}, {"--show", "film"}, {"--every", "0"}, {"--smooth", "1"}, {"photo.jpg"}} {
		if r := run(frames, args...); r.code != exitUsage {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// TestVideoFFmpeg goes through the real one, where it is there.
func TestVideoFFmpeg(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("no ffmpeg here")
	}
	out := filepath.Join(t.TempDir(), "out.mkv")
	cmd := exec.Command("bash", "-c", `set -o pipefail
ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=10:duration=1 -f rawvideo -pix_fmt rgb24 - |
"$0" video --size 64x48 --model "$1" --labels dog,grass --smooth 0.5 |
ffmpeg -v error -f rawvideo -pix_fmt rgb24 -video_size 64x48 -framerate 10 -i - -c:v ffv1 "$2" &&
ffmpeg -v error -i "$2" -f rawvideo -pix_fmt rgb24 - | wc -c`, program, model, out)
	b, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(b), "92160") || !strings.Contains(string(b), "10 frames, 10 looked at") {
		t.Errorf("%v\n%s", err, b)
	}
}
