package vocab

import (
	"errors"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
)

func TestParseLabels(t *testing.T) {
	for _, c := range []struct {
		name, list string
		want       []Class
	}{
		{"one", "dog", []Class{{Name: "dog"}}},
		{"two, with spaces", " dog , green  grass ", []Class{{Name: "dog"}, {Name: "green grass"}}},
		{"synonyms", "dog|puppy,cat", []Class{{Name: "dog", Synonyms: []string{"puppy"}}, {Name: "cat"}}},
		{"emoji", "🐶,猫", []Class{{Name: "🐶"}, {Name: "猫"}}},
		{"many emoji", strings.Repeat("👩‍🚀", 90), []Class{{Name: strings.Repeat("👩‍🚀", 90)}}},
		{"quoted, with a comma", `"salt, pepper",wall`, []Class{{Name: "salt, pepper"}, {Name: "wall"}}},
		{"quoted, with space around", ` "cat" , "wall" `, []Class{{Name: "cat"}, {Name: "wall"}}},
		{"a quote in quotes", `"a ""big"" dog"`, []Class{{Name: `a "big" dog`}}},
		{"quoted synonyms", `"dog, big"|puppy,grass`, []Class{{Name: "dog, big", Synonyms: []string{"puppy"}}, {Name: "grass"}}},
		{"quotes that mean themselves", `cat,"x" & <y>,5" nail`, []Class{{Name: "cat"}, {Name: `"x" & <y>`}, {Name: `5" nail`}}},
		{"lines, as of $(cat words.txt)", "dog\nwall\r\n\ngrass", []Class{{Name: "dog"}, {Name: "wall"}, {Name: "grass"}}},
		{"lines with commas at their ends", "dog,\nwall", []Class{{Name: "dog"}, {Name: "wall"}}},
		{"JSON", `["cat","salt, pepper","dog|puppy",["sofa","couch"]]`, []Class{{Name: "cat"}, {Name: "salt, pepper"}, {Name: "dog", Synonyms: []string{"puppy"}}, {Name: "sofa", Synonyms: []string{"couch"}}}},
		{"a bracket that begins no list", "[cat", []Class{{Name: "[cat"}}},
		{"as long as allowed", strings.Repeat("x", limits.LabelBytes), []Class{{Name: strings.Repeat("x", limits.LabelBytes)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseLabels(c.list)
			if err != nil || !equal(got, c.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	for _, c := range []struct {
		name, list string
		is         error
		says       string
	}{
		{"none", "", ErrLabels, "no labels given"},
		{"only spaces", "  ", ErrLabels, "no labels given"},
		{"an empty one", "dog,,cat", ErrLabels, "label 2"},
		{"a comma at the end", "dog,", ErrLabels, "label 2"},
		{"an empty synonym", "dog|", ErrLabels, "label 1"},
		{"a duplicate", "dog,cat,Dog", ErrLabels, "duplicate label"},
		{"a duplicate but for spaces", "green grass,green   grass", ErrLabels, "duplicate label"},
		{"a synonym that is a label", "dog|cat,cat", ErrLabels, "duplicate label"},
		{"too long", strings.Repeat("x", 10_000), limits.ErrTooLarge, "limit is 1024"},
		{"a long one among others", "dog," + strings.Repeat("🐶", 300), limits.ErrTooLarge, "label 2"},
		{"too many", strings.Repeat("x,", 300), limits.ErrTooLarge, "limit is 256"},
		{"too many synonyms", strings.Repeat("x|", 3000), limits.ErrTooLarge, "synonyms"},
		{"a quote that is not closed", `"cat,dog`, ErrLabels, "not closed"},
		{"quotes around a part", `"cat,dog" house`, ErrLabels, "around a whole name"},
		{"a quoted bar", `"a|b"`, ErrLabels, "bar"},
		{"a list of another language", `['cat', 'dog']`, ErrLabels, "JSON list"},
		{"JSON numbers", `["cat", 7]`, ErrLabels, "label 2"},
		{"JSON null", `[null]`, ErrLabels, "label 1"},
		{"JSON without labels", `[]`, ErrLabels, "no labels given"},
		{"a control character", "do\x07g", ErrLabels, "control"},
		{"not UTF-8", "do\xffg", ErrLabels, "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseLabels(c.list)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestReadLabels(t *testing.T) {
	got, err := ReadLabels(strings.NewReader("\uFEFF# animals\r\ndog, puppy\r\n\r\ncat\n  tree trunk  \n"))
	want := []Class{{Name: "dog", Synonyms: []string{"puppy"}}, {Name: "cat"}, {Name: "tree trunk"}}
	if err != nil || !equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for name, c := range map[string]struct {
		file string
		want []Class
	}{
		"JSON":             {"[\n \"dog\",\n \"wall, red\"\n]\n", []Class{{Name: "dog"}, {Name: "wall, red"}}},
		"quoted":           {"\"salt, pepper\", spice\nwall\n", []Class{{Name: "salt, pepper", Synonyms: []string{"spice"}}, {Name: "wall"}}},
		"an old Mac's":     {"dog\rwall\r", []Class{{Name: "dog"}, {Name: "wall"}}},
		"bars as synonyms": {"dog|puppy\nwall\n", []Class{{Name: "dog", Synonyms: []string{"puppy"}}, {Name: "wall"}}},
	} {
		if got, err := ReadLabels(strings.NewReader(c.file)); err != nil || !equal(got, c.want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for name, file := range map[string]string{
		"empty":         "",
		"only comments": "# nothing\n\n",
		"a duplicate":   "dog\ncat\ndog\n",
		"too large":     strings.Repeat("# comment\n", 100_000),
		"too many":      strings.Repeat("x\n", 300),
		"a long line":   strings.Repeat("x", 10_000),
		"a picture":     "\xff\xd8\xff\xe0\x00\x10JFIF",
	} {
		if _, err := ReadLabels(strings.NewReader(file)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Several lists add up; an empty one is none.
func TestParseLists(t *testing.T) {
	got, err := ParseLabels("dog", "", `["cat"]`, "wall,grass")
	if want := []Class{{Name: "dog"}, {Name: "cat"}, {Name: "wall"}, {Name: "grass"}}; err != nil || !equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := ParseLabels("dog", "cat,dog"); !errors.Is(err, ErrLabels) {
		t.Errorf("a duplicate of another list: %v", err)
	}
}

// What may have been meant otherwise is told; what is plain is not.
func TestLabelNotes(t *testing.T) {
	notes := func(list string) string {
		labels, err := ParseLabels(list)
		if err != nil {
			t.Fatal(list, err)
		}
		return strings.Join(LabelNotes(labels), "\n")
	}
	for list, want := range map[string]string{
		"dog;cat":        `separated by commas, not by ";"`,
		"狗，猫":            "separated by commas",
		"'dog,cat'":      "single quote",
		"cat|dog,wall":   `"cat" and "dog" are different things`,
		"wall,Cat|HORSE": "different things",
	} {
		if got := notes(list); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
	for _, list := range []string{"dog|puppy,grass", "person|man|woman|child", "tv|monitor", "dogs' house", "café au lait", "trees|bush"} {
		if got := notes(list); got != "" {
			t.Errorf("%s: %q", list, got)
		}
	}
	for file, want := range map[string]string{
		"cat, dog, horse\n":       "only line",
		"sofa, couch\nwall\n":     "",
		"cat, dog\nwall\n":        "different things",
		"dog\ncat\n":              "",
		"spoon, knife, fork, cup": "only line",
	} {
		labels, err := ReadLabels(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(FileNotes(labels), "\n"); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

func FuzzLabels(f *testing.F) {
	for _, list := range []string{"dog,grass", "dog|puppy", "🐶", ",", "a,a", "\xff", "# x\ny, z", `"a, b",c`, `["a",["b","c"]]`, `"`, `"a" b`, "a\n,\nb"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		for _, parse := range []func(string) ([]Class, error){
			func(s string) ([]Class, error) { return ParseLabels(s) },
			func(s string) ([]Class, error) { return ReadLabels(strings.NewReader(s)) },
		} {
			labels, err := parse(list)
			if err != nil {
				continue
			}
			if len(labels) == 0 || len(labels) > limits.Labels {
				t.Fatalf("%d labels", len(labels))
			}
			LabelNotes(labels)
			again, err := CheckLabels(labels)
			if err != nil || !equal(labels, again) {
				t.Errorf("checked again: %v, %v", again, err)
			}
		}
	})
}
