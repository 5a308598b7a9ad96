package pairs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/groupvit/groupvit/internal/limits"
)

// photos writes three pictures and returns their folder.
func photos(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range []string{"a.png", "sub/b.v2.png", "c.png"} {
		write(t, dir, name, pngOf(t, i, 8, 8))
	}
	return dir
}

// listed returns "key: caption | caption" of every usable sample.
func listed(t testing.TB, x *Index) (all []string) {
	t.Helper()
	for s, err := range x.Samples(context.Background()) {
		if err != nil {
			t.Errorf("%s: %v", s.Key, err)
			continue
		}
		if _, err := s.Decode(); err != nil {
			t.Errorf("%s: %v", s.Key, err)
		}
		all = append(all, s.Key+": "+strings.Join(s.Captions, " | "))
	}
	return all
}

func TestTables(t *testing.T) {
	type caption struct {
		Filepath string `parquet:"filepath"`
		Title    string `parquet:"title,optional"`
	}
	type list struct {
		Path     string   `parquet:"path"`
		Captions []string `parquet:"captions,list"`
	}
	dir := photos(t)
	write(t, dir, "a.txt", []byte("beside a"))
	write(t, dir, "sub/b.v2.json", []byte(`{"captions":["beside b"]}`))
	want := []string{"a: a cat | a grey cat", "sub/b.v2: a dog, running", "c: a cow"}
	for _, c := range []struct {
		name string
		file string
		data []byte
		o    TableOptions
		want []string
	}{
		{"CSV", "t.csv", []byte("filepath,title\na.png,a cat\na.png,a grey cat\nsub/b.v2.png,\"a dog, running\"\nc.png,a cow\n"), TableOptions{}, want},
		{"with a byte order mark, CRLF and other columns", "t.csv", []byte("\xEF\xBB\xBFid;Image;note;Caption\r\n1;a.png;x;\"[\"\"a cat\"\", \"\"a grey cat\"\"]\"\r\n2;sub/b.v2.png;;a dog, running\r\n3;c.png;;a cow\r\n"), TableOptions{}, want},
		{"OpenCLIP's", "t.tsv", []byte("filepath\ttitle\na.png\ta cat\na.png\ta grey cat\nsub/b.v2.png\ta dog, running\nc.png\ta cow"), TableOptions{}, want},
		{"Flickr30k's", "results.csv", []byte("image_name| comment_number| comment\na.png| 0| a cat\na.png| 1| a grey cat\nsub/b.v2.png| 0| a dog, running\nc.png| 0| a cow"), TableOptions{}, want},
		{"named columns", "t.csv", []byte("path,where,text,said\nno.png,a.png,x,a cat\nno.png,c.png,x,a cow\n"), TableOptions{Image: "where", Caption: "SAID"}, []string{"a: a cat", "c: a cow"}},
		{"a separator", "t.csv", []byte("path:text\na.png:a, b; c\n"), TableOptions{Separator: ":"}, []string{"a: a, b; c"}},
		{"quotes inside", "t.csv", []byte("path,text\na.png,a \"cat\" here\n"), TableOptions{}, []string{`a: a "cat" here`}},
		{"captions beside the pictures", "t.csv", []byte("path\na.png\nsub/b.v2.png\n"), TableOptions{}, []string{"a: beside a", "sub/b.v2: beside b"}},
		{"Parquet", "t.parquet", parquetOf(t, caption{"a.png", "a cat"}, caption{"a.png", "a grey cat"}, caption{"sub/b.v2.png", "a dog, running"}, caption{"c.png", "a cow"}), TableOptions{}, want},
		{"Parquet with lists", "t.parquet", parquetOf(t, list{"a.png", []string{"a cat", "a grey cat"}}, list{"sub/b.v2.png", []string{"a dog, running"}}, list{"c.png", []string{"a cow"}}), TableOptions{}, want},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := OpenIndexWith(context.Background(), write(t, dir, c.file, c.data), c.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := listed(t, x); !slices.Equal(got, c.want) {
				t.Errorf("got\n%q, want\n%q", got, c.want)
			}
			if len(x.Problems()) > 0 {
				t.Errorf("problems: %v", x.Problems())
			}
		})
	}
}

func parquetOf[T any](t testing.TB, rows ...T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An absolute path needs no folder, and what cannot be used is told.
func TestTableProblems(t *testing.T) {
	dir, elsewhere := photos(t), t.TempDir()
	rows := fmt.Sprintf("path,text\n%s,a cat\ngone.png,a dog\n,nothing\nsub,a folder\nc.png,\n", filepath.Join(dir, "a.png"))
	x, err := OpenIndex(context.Background(), write(t, elsewhere, "t.csv", []byte(strings.ReplaceAll(rows, "c.png", filepath.Join(dir, "c.png")))))
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, p := range x.Problems() {
		problems = append(problems, p.Reason())
	}
	if !slices.Equal(problems, []string{"no picture", "no picture", "no picture"}) {
		t.Errorf("problems %q", x.Problems())
	}
	if x.Len() != 2 {
		t.Errorf("%d samples", x.Len())
	}
	if _, err := x.Sample(1); !errors.Is(err, errNoCaption) {
		t.Errorf("an empty caption: %v", err)
	}
}

func TestBadTables(t *testing.T) {
	type other struct{ Width int64 }
	good := parquetOf(t, struct {
		Path string `parquet:"path"`
		Text string `parquet:"text"`
	}{"a.png", "a cat"})
	for _, c := range []struct {
		name, file, data string
		o                TableOptions
		want             string
	}{
		{"empty", "t.csv", "", TableOptions{}, "empty"},
		{"no column of paths", "t.csv", "x,y\n1,2\n", TableOptions{}, "--csv-img-key"},
		{"not the column asked for", "t.csv", "path,y\n1,2\n", TableOptions{Image: "where"}, `"where"`},
		{"nor that of captions", "t.csv", "path,y\n1,2\n", TableOptions{Caption: "said"}, `"said"`},
		{"a bad separator", "t.csv", "path,y\n1,2\n", TableOptions{Separator: ", "}, "one character"},
		{"a row without an end", "t.csv", "path,text\na.png,\"" + strings.Repeat("x", 4*limits.TableRow), TableOptions{}, "quote"},
		{"no Parquet", "t.parquet", "path,text\na.png,b\n", TableOptions{}, "broken table"},
		{"a cut Parquet", "t.parquet", string(good[:len(good)-20]), TableOptions{}, "broken table"},
		{"other columns", "t.parquet", string(parquetOf(t, other{3})), TableOptions{}, "--csv-img-key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenIndexWith(context.Background(), write(t, t.TempDir(), c.file, []byte(c.data)), c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Loose files belong together by all of their name but its ending.
func TestFolderNamesWithDots(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"x", "x.k", "2020.01.02", "sub/x"} {
		write(t, dir, name+".JPG", jpegOf(t, i, 8, 8))
		write(t, dir, name+".txt", []byte("of "+name))
	}
	write(t, dir, ".hidden.jpg", nil)
	x, err := OpenIndex(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := listed(t, x), []string{"2020.01.02: of 2020.01.02", "x: of x", "x.k: of x.k", "sub/x: of sub/x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("filepath,title\na.png,a cat\nb.png,\"x\ny\"\n"), "")
	f.Add([]byte("image_name| comment\na.png| b"), "|")
	f.Add([]byte("path\n\"a.png"), "\t")
	f.Fuzz(func(t *testing.T, data []byte, separator string) {
		rows := 0
		for r, err := range (TableOptions{Separator: separator}).readCSV("fuzz.csv", bytes.NewReader(data), nil) {
			if err != nil && !errors.Is(err, ErrTable) {
				t.Error(err)
			}
			if len(r.path) > len(data) {
				t.Error("a path longer than the file")
			}
			rows++
		}
		if rows > len(data)+1 {
			t.Errorf("%d rows of %d bytes", rows, len(data))
		}
	})
}

// FuzzFolder lists and reads what a folder of loose files may hold.
func FuzzFolder(f *testing.F) {
	f.Add("a.jpg", "a.txt", []byte("x"), []byte("y"))
	f.Add("a.b.png", "a.b.json", []byte{}, []byte(`{"captions":["z"]}`))
	f.Add(".jpg", "jpg", []byte("\xff\xd8"), []byte{0xff})
	f.Fuzz(func(t *testing.T, a, b string, x, y []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{a: x, b: y} {
			name = strings.Map(func(r rune) rune {
				if r == 0 || r == '/' || r == '\\' {
					return '_'
				}
				return r
			}, name)
			if os.WriteFile(filepath.Join(dir, "f"+name[:min(len(name), 100)]), data, 0o600) != nil {
				t.Skip("no name of a file")
			}
		}
		index, err := OpenIndex(context.Background(), dir)
		if err != nil {
			return
		}
		for s, err := range index.Samples(context.Background()) {
			if err == nil && len(s.Captions) == 0 {
				t.Error("a sample without a caption")
			}
		}
	})
}
