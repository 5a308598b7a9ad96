package pairs

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
)

// TestCaptionsOfJSON: what a JSON beside a picture says.
func TestCaptionsOfJSON(t *testing.T) {
	for _, c := range []struct{ json, want, tags string }{
		{`{"captions":["a","b"]}`, "a|b", ""},
		{`{"captions":"a cat"}`, "a cat", ""},
		{`{"caption":["x", " ", "y"]}`, "x|y", ""},
		{`{"caption":"a","captions":["b"]}`, "b", ""},
		{`{"caption":"a","captions":[]}`, "a", ""},
		{`{"TEXT":"a cat"}`, "a cat", ""},
		{`{"Text":"one","TEXT":"two"}`, "two", ""},
		{`{"text":"a cat","caption":"b"}`, "b", ""},
		{`{"title":"IMG_1","text":"a cat"}`, "a cat", ""},
		{`{"caption":"a","similarity":NaN,"x":[-Infinity]}`, "a", ""},
		{"\uFEFF" + `{"caption":"a","key":"000001","width":1.0}`, "a", ""},
		{`{"sentences":[{"raw":"a cat","tokens":["a"]},{"raw":"b"}]}`, "a cat|b", ""},
		{`["a","b",5]`, "a|b", ""},
		{`"a cat"`, "a cat", ""},
		{`{"caption":"a","tags":"cat"}`, "a", "cat"},
		{`{"caption":"a","tags":["cat",3,null]}`, "a", "cat"},
		{`{"caption":5}`, "no caption", ""},
		{`{"caption":null}`, "no caption", ""},
		{`{"caption":NaN}`, "no caption", ""},
		{`[1]`, "no caption", ""},
		{`{}`, "no caption", ""},
		{`not json`, "broken JSON", ""},
		{``, "broken JSON", ""},
		{`{"caption":"a"`, "broken JSON", ""},
	} {
		path := write(t, t.TempDir(), "x.tar", shard(t, file{"a.png", pngOf(t, 1, 8, 8)}, file{"a.json", []byte(c.json)}))
		s, err := index(t, path).Sample(0)
		got := ""
		if err != nil {
			got = Problem{Err: err}.Reason()
		} else {
			got = strings.Join(s.Captions, "|")
		}
		if got != c.want || err == nil && strings.Join(s.Tags, "|") != c.tags {
			t.Errorf("%s: %q, %v, want %q, %q", c.json, got, s, c.want, c.tags)
		}
	}
	// A text beside the picture comes before what other programs call their texts.
	path := write(t, t.TempDir(), "x.tar", shard(t, file{"a.png", pngOf(t, 1, 8, 8)}, file{"a.json", []byte(`{"title":"IMG_1"}`)}, file{"a.txt", []byte("\xff\xfea\x00 \x00c\x00a\x00t\x00")}))
	if s, err := index(t, path).Sample(0); err != nil || !slices.Equal(s.Captions, []string{"a cat"}) {
		t.Errorf("%v, %v", s, err)
	}
}

// TestTablesOfOtherPrograms: CSV in the encodings and with the line ends that
// spreadsheets write.
func TestTablesOfOtherPrograms(t *testing.T) {
	const text = "filepath,title\nx1.png,a grün cat\nx2.png,\"a dog, running\"\n"
	encoded := func(order unicode.Endianness, policy unicode.BOMPolicy) string {
		s, err := unicode.UTF16(order, policy).NewEncoder().String(strings.ReplaceAll(text, "\n", "\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, content := range map[string]string{
		"plain":                 text,
		"a mark":                "\uFEFF" + text,
		"CR LF":                 strings.ReplaceAll(text, "\n", "\r\n"),
		"CR":                    strings.ReplaceAll(text, "\n", "\r"),
		"CR without a last one": strings.TrimSuffix(strings.ReplaceAll(text, "\n", "\r"), "\r"),
		"UTF-16LE":              encoded(unicode.LittleEndian, unicode.UseBOM),
		"UTF-16BE":              encoded(unicode.BigEndian, unicode.UseBOM),
		"UTF-16LE, no mark":     encoded(unicode.LittleEndian, unicode.IgnoreBOM),
		"tabs of UTF-16":        strings.ReplaceAll(strings.ReplaceAll(text, ",t", "\tt"), "png,", "png\t"),
	} {
		dir := t.TempDir()
		write(t, dir, "x1.png", pngOf(t, 1, 8, 8))
		write(t, dir, "x2.png", pngOf(t, 1, 8, 8))
		write(t, dir, "t.csv", []byte(content))
		var got []string
		x, err := OpenIndex(context.Background(), filepath.Join(dir, "t.csv"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for s, err := range x.Samples(context.Background()) {
			got = append(got, strings.Join(s.Captions, "|"))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if want := []string{"a grün cat", "a dog, running"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
