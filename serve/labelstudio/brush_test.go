package labelstudio

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

// blobs draws a map of long and short runs.
func blobs(t testing.TB, w, h int, seed uint64) *mask.Map {
	t.Helper()
	m, err := mask.New(w, h)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 7))
	for i := 0; i < len(m.Labels); {
		n := 1 + r.IntN([]int{2, 9, 80, 5000, 70_000}[r.IntN(5)])
		for l := uint16(r.IntN(3)); n > 0 && i < len(m.Labels); n, i = n-1, i+1 {
			m.Labels[i] = l
		}
	}
	return m
}

// TestBrush: a brush drawn again is what was packed.
func TestBrush(t *testing.T) {
	for i, size := range [][2]int{{1, 1}, {2, 1}, {7, 5}, {300, 200}, {1000, 700}} {
		m := blobs(t, size[0], size[1], uint64(i))
		for label := range uint16(4) {
			again, _ := mask.New(m.Width, m.Height)
			if err := newBrush(m, label).draw(again, 1); err != nil {
				t.Fatal(err)
			}
			for k, l := range m.Labels {
				if (l == label) != (again.Labels[k] == 1) {
					t.Fatalf("%d×%d, label %d: pixel %d differs", m.Width, m.Height, label, k)
				}
			}
		}
	}
}

// TestBrushBytes holds the format to bytes made by hand: 8 values, all 255, in one
// run of the shortest size.
func TestBrushBytes(t *testing.T) {
	m := &mask.Map{Width: 2, Height: 1, Labels: []uint16{1, 1}}
	// 32 bits 8; 00111 (8−1); 0010 0011 0111 1111 (3, 4, 8, 16 − 1);
	// 1 00 111 (8−1) 11111111, zeros to the end of the byte.
	want := []byte{0, 0, 0, 8, 0b00111_001, 0b0_0011_011, 0b1_1111_1_00, 0b111_11111, 0b111_00000}
	if got := []byte(newBrush(m, 1)); !slices.Equal(got, want) {
		t.Errorf("%08b\nwant\n%08b", got, want)
	}
	b, err := json.Marshal(newBrush(m, 1))
	if err != nil || string(b) != "[0,0,0,8,57,27,252,255,224]" {
		t.Errorf("%s, %v", b, err)
	}
}

// TestBrushReference: Label Studio's own Python package reads our brushes and we
// read its. GROUPVIT_LABEL_STUDIO_PYTHON is a Python that has label-studio-sdk.
func TestBrushReference(t *testing.T) {
	python := os.Getenv("GROUPVIT_LABEL_STUDIO_PYTHON")
	if python == "" {
		t.Skip("GROUPVIT_LABEL_STUDIO_PYTHON is not set")
	}
	const script = `
import json, sys
import numpy as np
from label_studio_sdk.converter import brush
given = json.load(sys.stdin)
w, h = given["width"], given["height"]
image = brush.decode_rle(given["rle"]).reshape(h, w, 4)
assert (image == image[:, :, :1]).all(), "channels differ"
theirs = brush.mask2rle(image[:, :, 3])
json.dump({"pixels": (image[:, :, 3] > 127).astype(int).ravel().tolist(), "rle": [int(v) for v in theirs]}, sys.stdout)
`
	m := blobs(t, 311, 207, 3)
	cmd := exec.Command(python, "-c", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer in.Close()
		json.NewEncoder(in).Encode(map[string]any{"width": m.Width, "height": m.Height, "rle": newBrush(m, 2)})
	}()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs struct {
		Pixels, RLE []int
	}
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatal(err)
	}
	packed := make(brush, len(theirs.RLE))
	for i, v := range theirs.RLE {
		packed[i] = byte(v)
	}
	again, _ := mask.New(m.Width, m.Height)
	if err := packed.draw(again, 2); err != nil {
		t.Fatal(err)
	}
	for i, l := range m.Labels {
		if (l == 2) != (theirs.Pixels[i] == 1) || (l == 2) != (again.Labels[i] == 2) {
			t.Fatalf("pixel %d: ours %v, theirs %d, theirs read by us %v", i, l == 2, theirs.Pixels[i], again.Labels[i] == 2)
		}
	}
}

// FuzzBrush: no bytes make drawing panic or draw outside the mask.
func FuzzBrush(f *testing.F) {
	for seed := range uint64(4) {
		f.Add([]byte(newBrush(blobs(f, 13, 9, seed), 1)))
	}
	f.Add([]byte{0, 0, 1, 212, 57, 27, 252})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _ := mask.New(13, 9)
		if err := brush(b).draw(m, 1); err == nil && len(m.Labels) != 117 {
			t.Error("the mask has changed its size")
		}
	})
}
