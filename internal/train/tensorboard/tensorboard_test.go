package tensorboard

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// The checksums of TFRecord files, from the format's description: of "" and of
// the well-known text.
func TestChecksum(t *testing.T) {
	// CRC-32C of "123456789" is 0xe3069283; masked: rotated right by 15, plus the
	// constant.
	if got, want := checksum([]byte("123456789")), uint32(0xe3069283>>15|0xe3069283<<17&0xffffffff)+0xa282ead8; got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
}

// write writes what two starts of a run write, and returns the folder.
func write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var picture bytes.Buffer
	im := image.NewRGBA(image.Rect(0, 0, 5, 3))
	im.Set(1, 1, color.RGBA{200, 10, 10, 255})
	if err := png.Encode(&picture, im); err != nil {
		t.Fatal(err)
	}
	for _, start := range []struct {
		steps  int
		values []float64
	}{{0, []float64{5, 4, 3, 2.5}}, {2, []float64{3.5, 3.25}}} {
		w, err := Open(dir, start.steps)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range start.values {
			if err := w.Scalars(start.steps+i+1, map[string]float64{"loss/total": v, "groups/used": 8}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Picture(start.steps+1, "pictures", im.Rect.Size(), picture.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Records have their length and both checksums, and files are named in order.
func TestRecords(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(write(t), "events.out.tfevents.*"))
	if err != nil || len(files) != 2 || !slices.IsSorted(files) {
		t.Fatalf("%v, %v", files, err)
	}
	for i, want := range []int{1 + 4 + 1, 1 + 1 + 2 + 1} { // version, restart, numbers, picture
		data, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		records := 0
		for ; len(data) > 0; records++ {
			n := int(binary.LittleEndian.Uint64(data))
			body := data[12 : 12+n]
			if binary.LittleEndian.Uint32(data[8:]) != checksum(data[:8]) || binary.LittleEndian.Uint32(data[12+n:]) != checksum(body) {
				t.Fatalf("record %d of %s: wrong checksum", records, files[i])
			}
			data = data[16+n:]
		}
		if records != want {
			t.Errorf("%s has %d records, want %d", files[i], records, want)
		}
	}
}

// TestTensorBoardReads asks TensorBoard itself, where TENSORBOARD_PYTHON names a
// Python that has it:
//
//	python3 -m venv venv && venv/bin/pip install tensorboard
//	TENSORBOARD_PYTHON=venv/bin/python go test ./internal/train/tensorboard
func TestTensorBoardReads(t *testing.T) {
	python := os.Getenv("TENSORBOARD_PYTHON")
	if python == "" {
		t.Skip("TENSORBOARD_PYTHON names no Python that has TensorBoard")
	}
	const program = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0}).Reload()
print(json.dumps({
  "scalars": {tag: [[e.step, e.value] for e in a.Scalars(tag)] for tag in a.Tags()["scalars"]},
  "images": [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in a.Images("pictures")],
}))`
	out, err := exec.Command(python, "-c", program, write(t)).Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%v: %s", err, e.Stderr)
		}
		t.Fatal(err)
	}
	var got struct {
		Scalars map[string][][2]float64 `json:"scalars"`
		Images  [][4]int                `json:"images"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	// What the first start wrote about steps after 2 is gone.
	if want := [][2]float64{{1, 5}, {2, 4}, {3, 3.5}, {4, 3.25}}; !slices.Equal(got.Scalars["loss/total"], want) || len(got.Scalars["groups/used"]) != 4 {
		t.Errorf("scalars %v", got.Scalars)
	}
	if len(got.Images) != 2 || got.Images[1][0] != 3 || got.Images[1][1] != 5 || got.Images[1][2] != 3 || got.Images[1][3] == 0 {
		t.Errorf("images %v", got.Images)
	}
}
