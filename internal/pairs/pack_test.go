package pairs

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pack packs sources and returns the shards' folder and what was left out.
func pack(t *testing.T, x *Index, size int, o PackOptions) (dir string, skipped []Problem) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "shards")
	w, err := NewShardWriter(dir, "p", size)
	if err != nil {
		t.Fatal(err)
	}
	if err := Pack(context.Background(), x.Samples(context.Background()), w, o, func(p Problem) { skipped = append(skipped, p) }); err != nil {
		t.Fatal(err)
	}
	return dir, skipped
}

func index(t testing.TB, sources string) *Index {
	t.Helper()
	x, err := OpenIndex(context.Background(), sources)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// What is packed reads back the same: pictures byte by byte, captions and tags;
// names are made fit for shards and stay apart.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	pictures := map[string][]byte{"a.png": pngOf(t, 1, 20, 10), "sub/a.jpg": jpegOf(t, 2, 10, 20), "dot.ted.png": pngOf(t, 3, 8, 8), "größe.png": pngOf(t, 4, 8, 8)}
	for name, b := range pictures {
		write(t, dir, name, b)
		write(t, dir, strings.TrimSuffix(name, filepath.Ext(name))+".json", jsonOf(t, map[string]any{"captions": []string{"one of " + name, "two"}, "tags": []string{"cat"}}))
	}
	write(t, dir, "broken.png", []byte("no picture"))
	write(t, dir, "broken.txt", []byte("a caption"))
	out, skipped := pack(t, index(t, dir), 2, PackOptions{})
	if len(skipped) != 1 || skipped[0].Key != "broken" || skipped[0].Reason() != "broken picture" {
		t.Errorf("left out: %v", skipped)
	}
	entries, _ := os.ReadDir(out)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"p-000000.tar", "p-000001.tar"}) {
		t.Errorf("files %q", names)
	}
	x := index(t, out)
	keys := []string{}
	for s, err := range x.Samples(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, s.Key)
		from := strings.TrimPrefix(s.Captions[0], "one of ")
		if !bytes.Equal(s.Picture, pictures[from]) || len(s.Captions) != 2 || !slices.Equal(s.Tags, []string{"cat"}) {
			t.Errorf("%s is not %s", s.Key, from)
		}
	}
	slices.Sort(keys)
	if !slices.Equal(keys, []string{"a", "dot_ted", "gr__e", "sub-a"}) {
		t.Errorf("keys %q", keys)
	}
	if r, err := Check(context.Background(), x, CheckOptions{}, nil); err != nil || r.Good != 4 || r.TotalBad() != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	again, _ := pack(t, index(t, dir), 2, PackOptions{Workers: 1})
	a, _ := os.ReadFile(filepath.Join(out, "p-000000.tar"))
	if b, err := os.ReadFile(filepath.Join(again, "p-000000.tar")); err != nil || !bytes.Equal(a, b) {
		t.Error("the same samples give other bytes")
	}
}

// Larger pictures are shrunk, smaller ones keep their bytes.
func TestPackShrinks(t *testing.T) {
	dir := t.TempDir()
	small := pngOf(t, 1, 30, 16)
	write(t, dir, "large.png", pngOf(t, 2, 80, 40))
	write(t, dir, "small.png", small)
	for _, name := range []string{"large", "small"} {
		write(t, dir, name+".txt", []byte("a "+name+" one"))
	}
	out, _ := pack(t, index(t, dir), 10, PackOptions{ShortSide: 16, Quality: 80})
	for s, err := range index(t, out).Samples(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		im, err := s.Decode()
		if err != nil {
			t.Fatal(err)
		}
		switch s.Key {
		case "small":
			if !bytes.Equal(s.Picture, small) {
				t.Error("a small picture was written anew")
			}
		case "large":
			if im.Width != 32 || im.Height != 16 || !bytes.HasPrefix(s.Picture, []byte{0xff, 0xd8}) {
				t.Errorf("%d×%d", im.Width, im.Height)
			}
		}
	}
}

// Two samples of one name, a shard that cannot be written, an end in the middle.
func TestShardWriter(t *testing.T) {
	dir := t.TempDir()
	w, err := NewShardWriter(dir, "p", 3)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Add(&Sample{Key: "k/x.y", Captions: []string{"a"}, Picture: pngOf(t, 1, 4, 4)}, "png", 4, 4); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Add(&Sample{Key: strings.Repeat("long", 100), Captions: []string{"a"}, Picture: pngOf(t, 1, 4, 4)}, "png", 4, 4); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(&Sample{Key: "dropped", Captions: []string{"a"}, Picture: nil}, "png", 4, 4); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("files %v", entries)
	}
	x := index(t, dir)
	if x.Len() != 3 || x.Key(0) != "k-x_y" || x.Key(1) != "k-x_y-2" || len(x.Key(2)) > longestKey {
		t.Errorf("%d samples, %q", x.Len(), x.Key(1))
	}
	for _, bad := range []struct {
		prefix string
		size   int
	}{{"", 1}, {"a/b", 1}, {"p", 0}, {".p", 1}} {
		if _, err := NewShardWriter(dir, bad.prefix, bad.size); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestImg2dataset(t *testing.T) {
	type fetched struct {
		Key     string `parquet:"key"`
		Status  string `parquet:"status"`
		Error   string `parquet:"error_message,optional"`
		Caption string `parquet:"caption,optional"`
		Picture []byte `parquet:"jpg,optional"`
	}
	type metadata struct {
		Key     string `parquet:"key"`
		Status  string `parquet:"status"`
		Caption string `parquet:"caption"`
	}
	picture := jpegOf(t, 1, 20, 16)
	info := parquetOf(t, metadata{"000000000", "success", "a cat"}, metadata{"000000001", "failed_to_download", "gone"})
	said := func(caption, status string) []byte {
		return jsonOf(t, map[string]any{"caption": caption, "status": status, "key": "000000000", "width": 20})
	}
	webdataset, loose, table := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, webdataset, "00000.tar", shard(t, file{"000000000.jpg", picture}, file{"000000000.json", said("a cat", "success")}, file{"000000000.txt", []byte("a cat")}))
	write(t, webdataset, "00000.parquet", info)
	write(t, webdataset, "00000_stats.json", []byte("{}"))
	write(t, loose, "00000/000000000.jpg", picture)
	write(t, loose, "00000/000000000.txt", []byte("a cat"))
	write(t, loose, "00000/000000000.json", said("a cat", "success"))
	write(t, loose, "00000/000000001.json", said("gone", "failed_to_download"))
	write(t, loose, "00000.parquet", info)
	write(t, loose, "00000_stats.json", []byte("{}"))
	write(t, table, "00000.parquet", parquetOf(t, fetched{"000000000", "success", "", "a cat", picture}, fetched{"000000001", "failed_to_download", "HTTP Error 404", "gone", nil}))
	for _, c := range []struct {
		dir, layout string
		problems    int
	}{{webdataset, "webdataset", 0}, {loose, "files", 2}, {table, "parquet", 1}} { // loose: the failed one, and the stats file
		t.Run(c.layout, func(t *testing.T) {
			layout, samples, err := Img2dataset(context.Background(), c.dir)
			if err != nil || layout != c.layout {
				t.Fatalf("%s, %v", layout, err)
			}
			var good []*Sample
			problems := 0
			for _, p := range samples.Problems() {
				problems++
				if !errors.Is(p.Err, errNoPicture) {
					t.Error(p)
				}
			}
			for s, err := range samples.Samples(context.Background()) {
				if err != nil {
					t.Error(err)
				}
				good = append(good, s)
			}
			if len(good) != 1 || good[0].Captions[0] != "a cat" || !bytes.Equal(good[0].Picture, picture) || problems != c.problems {
				t.Errorf("%d good, %d problems", len(good), problems)
			}
		})
	}
	records, empty, metadataOnly := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, records, "00000.tfrecord", nil)
	write(t, metadataOnly, "00000.parquet", info)
	for _, dir := range []string{records, empty, filepath.Join(empty, "none"), metadataOnly} {
		if _, _, err := Img2dataset(context.Background(), dir); !errors.Is(err, ErrSources) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
