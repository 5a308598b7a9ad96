package synth

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeNew(t *testing.T, o DataOptions) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new", "scenes")
	if err := Write(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWriteVOC(t *testing.T) {
	dir := writeNew(t, DataOptions{Scenes: 3, Seed: 2, VOC: true})
	list, err := os.ReadFile(filepath.Join(dir, "ImageSets/Segmentation/val.txt"))
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.Fields(string(list))
	if len(keys) != 3 {
		t.Fatalf("the list is %q", list)
	}
	for i, key := range keys {
		s := Draw(2, uint64(i), Options{})
		mask, ok := decode(t, filepath.Join(dir, "SegmentationClass", key+".png")).(*image.Paletted)
		if !ok || !bytes.Equal(mask.Pix, s.Mask) {
			t.Errorf("%s: the mask is not the scene's", key)
		}
		photo := decode(t, filepath.Join(dir, "JPEGImages", key+".png"))
		for at := range s.Mask {
			r, g, b, _ := photo.At(at%64, at/64).RGBA()
			if [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)} != [3]uint8(s.RGB[3*at:]) {
				t.Fatalf("%s: pixel %d of the photo is not the scene's", key, at)
			}
		}
	}
	classes, err := os.ReadFile(filepath.Join(dir, "classes.txt"))
	if err != nil || strings.Join(strings.Fields(string(classes)), ",") != strings.Join(Words(), ",") {
		t.Errorf("classes.txt is %q, %v", classes, err)
	}
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func TestWriteShards(t *testing.T) {
	o := DataOptions{Scenes: 5, Seed: 1, Shards: true, ShardSize: 2}
	dir, again := writeNew(t, o), writeNew(t, o)
	number := 0
	for _, name := range []string{"scenes-000000.tar", "scenes-000001.tar", "scenes-000002.tar"} {
		shard, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if other, _ := os.ReadFile(filepath.Join(again, name)); !bytes.Equal(shard, other) {
			t.Errorf("%s differs when it is written again", name)
		}
		for r := tar.NewReader(bytes.NewReader(shard)); ; number++ {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := key(number/2) + [2]string{".png", ".json"}[number%2]; h.Name != want {
				t.Errorf("member %s, want %s", h.Name, want)
			}
			if number%2 == 0 {
				continue
			}
			var j struct{ Captions []string }
			if err := json.NewDecoder(r).Decode(&j); err != nil {
				t.Fatal(err)
			}
			if want := Draw(1, uint64(number/2), Options{}).Caption; len(j.Captions) != 1 || j.Captions[0] != want {
				t.Errorf("captions %q, want %q", j.Captions, want)
			}
		}
	}
	if number != 10 {
		t.Errorf("%d members, want 10", number)
	}
}

func TestWriteFailures(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "a"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(full, "a")
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx     context.Context
		dir     string
		options DataOptions
		want    error
	}{
		"folder in use":   {t.Context(), full, DataOptions{Scenes: 1, VOC: true}, nil},
		"file of my name": {t.Context(), file, DataOptions{Scenes: 1, VOC: true}, nil},
		"under a file":    {t.Context(), filepath.Join(file, "b"), DataOptions{Scenes: 1, VOC: true}, nil},
		"stopped":         {stopped, filepath.Join(full, "new"), DataOptions{Scenes: 1000, VOC: true, Shards: true}, context.Canceled},
		"no scenes":       {t.Context(), filepath.Join(full, "new"), DataOptions{VOC: true}, ErrOptions},
		"too many":        {t.Context(), filepath.Join(full, "new"), DataOptions{Scenes: 1 << 40, VOC: true}, ErrOptions},
		"nothing asked":   {t.Context(), filepath.Join(full, "new"), DataOptions{Scenes: 1}, ErrOptions},
	} {
		err := Write(test.ctx, test.dir, test.options)
		if err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: error is %v, want %v", name, err, test.want)
		}
	}
	if entries, _ := os.ReadDir(full); len(entries) != 1 {
		t.Errorf("failures left files: %v", entries)
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, test := range []struct {
		name    string
		options DataOptions
	}{{"shards", DataOptions{Shards: true}}, {"voc", DataOptions{VOC: true}}} {
		b.Run(test.name, func(b *testing.B) {
			test.options.Scenes = b.N
			if err := Write(b.Context(), filepath.Join(b.TempDir(), "x"), test.options); err != nil {
				b.Fatal(err)
			}
		})
	}
}
