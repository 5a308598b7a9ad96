package pairs

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The photos of testdata/parquet are of one colour each.
var wallColours = map[string][3]uint8{"red": {200, 30, 30}, "green": {30, 200, 30}, "blue": {30, 30, 200}, "yellow": {200, 200, 30}}

// TestParquetWriters reads what several writers make of the same photos
// (testdata/parquet/make.py), in order and out of it.
func TestParquetWriters(t *testing.T) {
	one := []string{"a red wall", "a green wall", "a blue wall", "a yellow wall"}
	two := []string{"a red wall/all is red", "a green wall/all is green", "a blue wall/all is blue", "a yellow wall/all is yellow"}
	for _, c := range []struct {
		name     string
		captions []string
		tags     bool
		missing  string // why the fifth photo is not used, "" where it is not in the file
	}{
		{"huggingface.parquet", two, true, "no picture"},
		{"v2.parquet", two, true, "no picture"},
		{"delta.parquet", two, true, "no picture"},
		{"spark", two, true, "no picture"},
		{"img2dataset.parquet", one, false, "no picture"},
		{"polars.parquet", one, false, "no picture"},
		{"polars_struct.parquet", one, false, "no picture"},
		{"duckdb.parquet", one, false, "no picture"},
		{"fastparquet.parquet", one, false, ""},
		{"paths_pyarrow.parquet", one, false, "no picture"},
		{"paths_polars.parquet", one, false, "no picture"},
		{"paths_duckdb.parquet", one, false, "no picture"},
		{"paths_fastparquet.parquet", one, false, "no picture"},
		{"paths_untyped.parquet", one, false, "no picture"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join("testdata", "parquet", c.name)
			if strings.HasPrefix(c.name, "paths_") {
				path = besidePhotos(t, path)
			}
			x, err := OpenIndex(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			var reasons []string
			for _, p := range x.Problems() {
				reasons = append(reasons, p.Reason())
			}
			var captions []string
			for _, i := range append([]int{x.Len() - 1, 2}, indices(x.Len())...) { // backwards, then in order
				s, err := x.Sample(i)
				if err != nil {
					if i == x.Len()-1 && len(reasons) == 0 {
						reasons = append(reasons, Problem{Err: err}.Reason())
					}
					continue
				}
				captions = append(captions, strings.Join(s.Captions, "/"))
				checkWall(t, s, c.tags)
			}
			if got := captions[len(captions)-4:]; !slices.Equal(got, c.captions) {
				t.Errorf("captions %q, want %q", got, c.captions)
			}
			if got := strings.Join(reasons, ","); got != c.missing {
				t.Errorf("the fifth photo is left out because of %q, want %q", got, c.missing)
			}
		})
	}
}

func indices(n int) (list []int) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// checkWall looks whether a sample's picture has the colour that its caption names.
func checkWall(t *testing.T, s *Sample, tags bool) {
	t.Helper()
	name := strings.Fields(s.Captions[0])[1]
	im, err := s.Decode()
	if err != nil {
		t.Errorf("%s: %v", s.Key, err)
		return
	}
	if want := wallColours[name]; im.Width != 40 || im.Height != 32 || [3]uint8(im.Pix[:3]) != want {
		t.Errorf("%s: %d×%d pixels of %v, want 40×32 of %v", s.Captions[0], im.Width, im.Height, im.Pix[:3], want)
	}
	if want := []string{"wall", name}; tags && !slices.Equal(s.Tags, want) {
		t.Errorf("%s: tags %q, want %q", s.Captions[0], s.Tags, want)
	}
}

// besidePhotos copies a table into a folder that has its photos.
func besidePhotos(t *testing.T, table string) string {
	t.Helper()
	dir := t.TempDir()
	for name, c := range wallColours {
		im := image.NewRGBA(image.Rect(0, 0, 40, 32))
		for y := range 32 {
			for x := range 40 {
				im.Set(x, y, color.RGBA{c[0], c[1], c[2], 255})
			}
		}
		f, err := os.Create(filepath.Join(dir, name+".png"))
		if err == nil {
			err = png.Encode(f, im)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(table)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, filepath.Base(table)), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, filepath.Base(table))
}

// TestParquetFolders: what counts in folders that have Parquet files among others.
func TestParquetFolders(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile(filepath.Join("testdata", "parquet", "img2dataset.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, content []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("parted/year=2024/part-0.parquet", b)
	put("parted/year=2025/part-0.parquet", b)
	put("parted/_SUCCESS", nil)
	put("files/00000/000000000.jpg", b)
	put("files/00000.parquet", b) // img2dataset's list of that folder
	put("shards/00000.tar", nil)
	put("shards/00000.parquet", b)
	for _, c := range []struct {
		name string
		want []Source
	}{
		{"parted", []Source{{Path: "parted/year=2024/part-0.parquet", Kind: Table}, {Path: "parted/year=2025/part-0.parquet", Kind: Table}}},
		{"files", []Source{{Path: "files", Kind: Folder}}},
		{"shards", []Source{{Path: "shards/00000.tar", Kind: Shard}}},
	} {
		got, err := Expand(filepath.Join(dir, c.name))
		for i := range got {
			got[i].Path, _ = filepath.Rel(dir, got[i].Path)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// TestParquetBatches: batches of a table are the same for any number of workers, and
// whether they are reached one after the other or at once.
func TestParquetBatches(t *testing.T) {
	texts := func(workers, from, n int) (all []string) {
		l := open(t, Options{
			Sources: filepath.Join("testdata", "parquet", "huggingface.parquet"), Batch: 3, ImageSize: 16, Context: 16, Captions: true,
			Augment: Augment{Crop: CropResized}, Workers: workers, Seed: 5,
		})
		if err := l.Seek(from); err != nil {
			t.Fatal(err)
		}
		for _, b := range take(t, l, n) {
			all = append(all, fmt.Sprint(b.Keys, b.Texts, b.Pixels[0]))
		}
		if r := l.Report(); r.Samples != 5 || r.Skipped["no picture"] != 1 {
			t.Errorf("report %v", r)
		}
		return all
	}
	whole := texts(1, 0, 6)
	if got := texts(4, 0, 6); !slices.Equal(got, whole) {
		t.Errorf("four workers: %q, one: %q", got, whole)
	}
	if got := texts(2, 3, 3); !slices.Equal(got, whole[3:]) {
		t.Errorf("from batch 3: %q, want %q", got, whole[3:])
	}
}
