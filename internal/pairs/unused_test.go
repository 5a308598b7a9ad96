package pairs

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

// What of a sample or a table is not used is counted, once for each sample, though the
// sample is used: by everything that reads samples, since the index counts it.
func TestUnusedParts(t *testing.T) {
	picture := pngOf(t, 1, 8, 8)
	many := `"` + strings.Repeat(`x","`, limits.Captions) + `x"`
	json := func(text string) []file { return []file{{"a.png", picture}, {"a.json", []byte(text)}} }
	for _, c := range []struct {
		name  string
		files []file // of a shard, or a table with what it needs
		want  string
	}{
		{"all used", json(`{"captions":["a dog"],"tags":["dog"]}`), ""},
		{"keys of other programs", json(`{"caption":"a dog","url":"x","width":3}`), ""},
		{"broken JSON beside a text", append(json(`{"captions":`), file{"a.txt", []byte("a dog")}), "not used: broken JSON beside a .txt"},
		{"too many tags", json(`{"caption":"a dog","tags":[` + many + `]}`), "not used: tags or classes beyond the limit of one sample"},
		{"too many classes", json(`{"caption":"a dog","label_classes":[` + many + `]}`), "not used: tags or classes beyond the limit of one sample"},
		{"as many tags as may be", json(`{"caption":"a dog","tags":[` + strings.TrimSuffix(many, `,"x"`) + `]}`), ""},
		{"numbers among captions", json(`{"captions":["a dog",7]}`), "not used: value in a list of texts that is no text"},
		{"numbers among tags", json(`{"caption":"a dog","tags":[7,{"id":3}]}`), "not used: value in a list of texts that is no text"},
		{"nulls are nothing", json(`{"caption":"a dog","tags":["dog",null]}`), ""},
		{"columns", []file{{"t.csv", []byte("path,caption,url,width\na.png,a dog,x,1\nb.png,a cat,y,2\n")}}, `not used: column "url", column "width"`},
		{"an unquoted comma", []file{{"t.csv", []byte("path,caption\na.png,a dog, running\nb.png,a cat\n")}}, "not used: cell beyond the last column of a table (is a text with the delimiter not quoted?)"},
		{"a quote that is not closed", []file{{"t.csv", []byte("path,caption\na.png,\"a dog\nb.png,a cat\nc.png,\"a cow\"\n")}}, "not used: line inside a cell that looks like a row (is a quote not closed?) (2 times)"},
		{"a caption of two lines", []file{{"t.csv", []byte("path,caption\na.png,\"a dog\nruns\"\nb.png,a cat\n")}}, ""},
		{"other files", append(json(`{"caption":"a dog"}`), file{"a.cls", []byte("1")}), "1 file left out: .cls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "t.csv")
			if len(c.files) == 1 {
				for _, name := range []string{"a.png", "b.png", "c.png"} {
					write(t, dir, name, picture)
				}
				write(t, dir, "t.csv", c.files[0].data)
			} else {
				path = write(t, dir, "t.tar", shard(t, c.files...))
			}
			l := open(t, Options{Sources: path, Batch: 2, ImageSize: 8, Captions: true})
			take(t, l, 4) // each sample several times
			got := strings.Replace(l.Report().LeftOut.String(), "1 .cls", ".cls", 1)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if r := l.Report(); r.AllUsed() != (c.want == "") {
				t.Errorf("AllUsed is %t of %q", r.AllUsed(), r)
			}
		})
	}
}

// Columns of Parquet files are counted by name, and a list of too many captions is an
// error: it was cut before.
func TestUnusedParquet(t *testing.T) {
	x := index(t, filepath.Join("testdata", "parquet", "img2dataset.parquet"))
	for _, want := range []string{`column "url"`, `column "width"`, `column "sha256"`} {
		if got := x.LeftOut().String(); !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	for _, used := range []string{`"jpg"`, `"caption"`, `"key"`, `"error_message"`} {
		if got := fmt.Sprint(x.LeftOut()); strings.Contains(got, used) {
			t.Errorf("%q counts %s", got, used)
		}
	}
	type row struct {
		Path    string `parquet:"path"`
		Caption string `parquet:"caption"`
	}
	dir := photos(t)
	write(t, dir, "t.parquet", parquetOf(t, row{"a.png", `["` + strings.Repeat(`x","`, limits.Captions) + `x"]`}, row{"c.png", "a cow"}))
	x = index(t, filepath.Join(dir, "t.parquet"))
	var reasons []string
	for _, err := range x.Samples(context.Background()) {
		if err != nil {
			reasons = append(reasons, Problem{Err: err}.Reason())
		}
	}
	if strings.Join(reasons, ",") != "larger than the limit" {
		t.Errorf("1025 captions of one photo: %q", reasons)
	}
}

// Label maps that the settings do not learn from are counted.
func TestUnusedLabelMaps(t *testing.T) {
	picture := pngOf(t, 1, 8, 8)
	m, err := (&LabelMap{Width: 2, Height: 2, Pix: []uint8{0, 1, 1, 255}, Words: []string{"dog"}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, t.TempDir(), "a.tar", shard(t, file{"a.png", picture}, file{"a.json", []byte(`{"caption":"a dog","labels":["dog"]}`)}, file{"a.labels.png", m}))
	l := open(t, Options{Sources: path, Batch: 2, ImageSize: 8, Captions: true})
	if got := l.Report().LeftOut.String(); !strings.Contains(got, "1 file left out: 1 .labels.png (the settings learn from captions only)") {
		t.Errorf("%q", got)
	}
}
