package pairs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/limits"
)

// Every kind of bad sample in one shard among good ones: the good ones are all
// that is drawn, and each bad one is counted with its reason.
func TestBadSamples(t *testing.T) {
	good := jpegOf(t, 1, 16, 16)
	text := []byte("a dog")
	huge := bytes.Clone(pngOf(t, 1, 8, 8))
	copy(huge[16:24], []byte{0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0}) // claims 100,000 × 100,000
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	claims := bytes.Clone(good)
	frame := bytes.Index(claims, []byte{0xff, 0xc0}) // claims 20,000 × 20,000
	copy(claims[frame+5:], []byte{0x4e, 0x20, 0x4e, 0x20})
	files := []file{
		{"good1.jpg", good}, {"good1.txt", text},
		{"nocaption.jpg", good},
		{"emptycaption.jpg", good}, {"emptycaption.txt", []byte(" \n")},
		{"emptylist.jpg", good}, {"emptylist.json", []byte(`{"captions":[]}`)},
		{"nopicture.txt", text},
		{"zerobytes.jpg", nil}, {"zerobytes.txt", text},
		{"textasjpg.jpg", []byte("this is no picture")}, {"textasjpg.txt", text},
		{"truncated.jpg", good[:len(good)/3]}, {"truncated.txt", text},
		{"huge.png", huge}, {"huge.txt", text},
		{"claims.jpg", claims}, {"claims.txt", text},
		{"badjson.jpg", good}, {"badjson.json", []byte(`{"captions":`)},
		{"wrongjson.jpg", good}, {"wrongjson.json", []byte(`{"captions":5}`)},
		{"toomany.jpg", good}, {"toomany.json", jsonOf(t, map[string]any{"captions": slices.Repeat([]string{"x"}, limits.Captions+1)})},
		{"good2.jpg", good}, {"good2.txt", text},
	}
	path := write(t, t.TempDir(), "a.tar", shard(t, files...))
	l, err := Open(context.Background(), Options{Sources: path, Batch: 4, ImageSize: 8, Captions: true, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 40 {
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range b.Keys {
			if key != "good1" && key != "good2" {
				t.Fatalf("drew %s", key)
			}
		}
	}
	want := map[string]int{"no caption": 4, "no picture": 1, "broken picture": 5, "broken JSON": 1, "larger than the limit": 1}
	got := l.Report()
	for reason, n := range want {
		if got.Skipped[reason] != n {
			t.Errorf("%s: %d, want %d", reason, got.Skipped[reason], n)
		}
	}
	if got.Total() != 12 {
		t.Errorf("%s", got)
	}
}

func TestLongCaption(t *testing.T) {
	picture := pngOf(t, 1, 8, 8)
	words := strings.Repeat("photograph ", 5000)
	path := write(t, t.TempDir(), "a.tar", shard(t,
		file{"a.png", picture}, file{"a.txt", []byte(words)},
		file{"b.png", picture}, file{"b.json", jsonOf(t, map[string]any{"captions": []string{strings.Repeat(words, 40)}})}))
	l, err := Open(context.Background(), Options{Sources: path, Batch: 2, ImageSize: 8, Captions: true, Nouns: NounOptions{Mode: NounsTagger, K: 3}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := l.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Size {
		ids := b.Captions[i*b.Context : (i+1)*b.Context]
		if ids[0] != 49406 || ids[b.Context-1] != 49407 || slices.Contains(ids, 0) {
			t.Errorf("ids %v", ids)
		}
		if len(b.Texts[i]) > limits.CaptionBytes {
			t.Errorf("a caption of %d bytes", len(b.Texts[i]))
		}
	}
}

// A shard that is cut anywhere yields the samples before the cut, and the loss
// is reported.
func TestCutShard(t *testing.T) {
	whole := plainShard(t, 0, 6)
	dir := t.TempDir()
	for _, size := range []int{1, 100, 511, 512, 513, 700, 1024, 2000, len(whole) / 2, len(whole)/2 + 300, len(whole) - 1024 - 512} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			path := write(t, dir, fmt.Sprintf("cut%d.tar", size), whole[:size])
			l, err := Open(context.Background(), Options{Sources: path, Batch: 2, ImageSize: 8})
			if err != nil {
				if !errors.Is(err, ErrSources) || !strings.Contains(err.Error(), filepath.Base(path)) {
					t.Errorf("the error does not name the shard: %v", err)
				}
				if size > 2000 {
					t.Errorf("nothing is left of %d bytes: %v", size, err)
				}
				return
			}
			defer l.Close()
			if _, err := l.Next(context.Background()); err != nil {
				t.Error(err)
			}
			r := l.Report()
			if r.Samples >= 6 || r.Total() == 0 {
				t.Errorf("report: %s", r)
			}
		})
	}
}

func TestNoSamples(t *testing.T) {
	dir := t.TempDir()
	text := []byte("a dog")
	for name, path := range map[string]string{
		"empty file":    write(t, dir, "empty.tar", nil),
		"not a tar":     write(t, dir, "text.tar", bytes.Repeat([]byte("no tar at all. "), 200)),
		"no samples":    write(t, dir, "other.tar", shard(t, file{"a.csv", text})),
		"only captions": write(t, dir, "captions.tar", shard(t, file{"a.txt", text}, file{"b.txt", text})),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(context.Background(), Options{Sources: path, Batch: 2, ImageSize: 8})
			if !errors.Is(err, ErrSources) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("only broken pictures", func(t *testing.T) {
		path := write(t, dir, "broken.tar", shard(t, file{"a.jpg", text}, file{"a.txt", text}, file{"b.jpg", nil}, file{"b.txt", text}))
		l, err := Open(context.Background(), Options{Sources: path, Batch: 2, ImageSize: 8})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, err = l.Next(context.Background())
		if !errors.Is(err, ErrNoSamples) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
		if _, again := l.Next(context.Background()); !errors.Is(again, ErrNoSamples) {
			t.Errorf("asked again: %v", again)
		}
	})
	t.Run("an empty folder", func(t *testing.T) {
		if _, err := Open(context.Background(), Options{Sources: t.TempDir(), Batch: 2, ImageSize: 8}); !errors.Is(err, ErrSources) {
			t.Errorf("got %v", err)
		}
	})
}

// A shard that vanishes after it was listed stops the stream where it is missed:
// going on without it would be another training. Once it is back the stream goes
// on as if nothing had been.
func TestShardVanishes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.tar", plainShard(t, 0, 3))
	gone := write(t, dir, "b.tar", plainShard(t, 3, 3))
	o := Options{Sources: dir, Batch: 2, ImageSize: 8, Prefetch: 1}
	var want [][]string
	for _, b := range take(t, open(t, o), 30) {
		want = append(want, b.Keys)
	}
	l := open(t, o)
	hidden := gone + ".hidden"
	if err := os.Rename(gone, hidden); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for {
		b, err := l.Next(context.Background())
		if err != nil {
			if !errors.Is(err, ErrVanished) || !strings.Contains(err.Error(), gone) {
				t.Fatal(err)
			}
			break
		}
		if got = append(got, b.Keys); len(got) == len(want) {
			t.Fatal("the missing shard was not missed")
		}
	}
	if err := os.Rename(hidden, gone); err != nil {
		t.Fatal(err)
	}
	if err := l.Seek(len(got)); err != nil {
		t.Fatal(err)
	}
	for _, b := range take(t, l, len(want)-len(got)) {
		got = append(got, b.Keys)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if l.Report().Total() != 0 {
		t.Error(l.Report())
	}
}

// A shard that comes back in time is waited for.
func TestShardComesBack(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.tar", plainShard(t, 0, 3))
	l := open(t, Options{Sources: dir, Batch: 2, ImageSize: 8, Prefetch: 1, Patience: time.Minute})
	if err := os.Rename(path, path+".hidden"); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(2 * retryEvery)
		_ = os.Rename(path+".hidden", path)
	}()
	take(t, l, 10)
}

// A file that claims more than the limit costs its own sample only.
func TestTooLargeMember(t *testing.T) {
	picture := pngOf(t, 1, 8, 8)
	path := write(t, t.TempDir(), "a.tar", shard(t,
		file{"a.png", picture}, file{"a.txt", []byte("a dog")},
		file{"big.png", make([]byte, limits.ShardMember+1)}, file{"big.txt", []byte("a cat")},
		file{"c.png", picture}, file{"c.txt", []byte("a cow")}))
	x, err := OpenIndex(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if x.Len() != 2 || x.Key(0) != "a" || x.Key(1) != "c" {
		t.Errorf("%d samples", x.Len())
	}
	if p := x.Problems(); len(p) != 1 || p[0].Key != "big" || !errors.Is(p[0].Err, errSize) {
		t.Errorf("problems: %v", p)
	}
}

func FuzzTar(f *testing.F) {
	whole := shard(f, file{"a.jpg", []byte("x")}, file{"a.json", []byte(`{"captions":["y"]}`)}, file{"b.txt", []byte("z")})
	f.Add(whole)
	f.Add(whole[:700])
	f.Add([]byte("not a tar"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "fuzz.tar")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		x, err := OpenIndex(context.Background(), path)
		if err != nil {
			return
		}
		for s, err := range x.Samples(context.Background()) {
			if err == nil && len(s.Captions) == 0 {
				t.Error("a sample without a caption")
			}
		}
	})
}

func FuzzSampleJSON(f *testing.F) {
	f.Add([]byte(`{"captions":["a"],"caption":"b","tags":["c"]}`))
	f.Add([]byte(`{"captions":null}`))
	f.Add([]byte(`{"captions":["a",{"raw":"b"}],"tags":"c","labels":["d"],"x":NaN}`))
	f.Add([]byte(`[1,"a"]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Sample
		if _, err := s.parse(data); err != nil && !errors.Is(err, errJSON) && !errors.Is(err, errSize) {
			t.Error(err)
		}
		for _, c := range s.Captions {
			if strings.TrimSpace(c) == "" {
				t.Error("an empty caption")
			}
		}
	})
}
