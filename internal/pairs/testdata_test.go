package pairs

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// file is one member of a test shard.
type file struct {
	name string
	data []byte
}

// shard returns the bytes of a tar with the files.
func shard(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// write writes a file below the folder and returns its path.
func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// drawing is a picture whose colour tells its number.
func drawing(number, width, height int) image.Image {
	im := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			im.Set(x, y, color.RGBA{uint8(number), uint8(8 * x), uint8(8 * y), 255})
		}
	}
	return im
}

func pngOf(t testing.TB, number, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, drawing(number, width, height)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, number, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawing(number, width, height), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jsonOf(t testing.TB, fields map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// animals are words that the test captions name in turn.
var animals = []string{"dog", "cat", "horse"}

// plainShard is a shard of n samples, numbered from first: PNGs of 20×16 with
// one caption each.
func plainShard(t testing.TB, first, n int) []byte {
	t.Helper()
	var files []file
	for i := first; i < first+n; i++ {
		key := fmt.Sprintf("k%04d", i)
		files = append(files,
			file{key + ".png", pngOf(t, i, 20, 16)},
			file{key + ".txt", fmt.Appendf(nil, "number %d, a %s on the grass", i, animals[i%len(animals)])})
	}
	return shard(t, files...)
}

// plainShards writes shards of n samples each and returns their pattern.
func plainShards(t testing.TB, shards, n int) string {
	t.Helper()
	dir := t.TempDir()
	for s := range shards {
		write(t, dir, fmt.Sprintf("s%02d.tar", s), plainShard(t, s*n, n))
	}
	return filepath.Join(dir, fmt.Sprintf("s{00..%02d}.tar", shards-1))
}
