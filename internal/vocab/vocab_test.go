package vocab

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestTemplates(t *testing.T) {
	for name, want := range map[string]int{"identity": 1, "simple": 1, "subset": 7, "full": 80, "tcl": 9, "short": 4} {
		got, err := Templates(name)
		if err != nil || len(got) != want {
			t.Errorf("%s: %d templates, %v; want %d", name, len(got), err, want)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(got)))) != want {
			t.Errorf("%s: a template stands in it twice", name)
		}
		for _, template := range got {
			if err := CheckTemplate(template); err != nil || strings.Count(template, Placeholder) != 1 {
				t.Errorf("%s: %q", name, template)
			}
		}
	}
	full, _ := Templates("full")
	for i, want := range map[int]string{0: "a bad photo of a {}.", 39: "a photo of a {}.", 44: "a origami {}.", 79: "a tattoo of the {}."} {
		if full[i] != want {
			t.Errorf("template %d is %q, want %q", i+1, full[i], want)
		}
	}
	subset, _ := Templates("subset")
	for _, template := range subset {
		if !slices.Contains(full, template) && template != "itap of a {}." {
			t.Errorf("%q of the subset is not in full", template)
		}
	}
	if _, err := Templates("ful"); !errors.Is(err, ErrTemplate) || !strings.Contains(err.Error(), "subset") {
		t.Errorf("an unknown set: %v", err)
	}
	if !slices.Contains(TemplateNames(), "simple") {
		t.Errorf("names %q", TemplateNames())
	}
	full[0] = "changed"
	if again, _ := Templates("full"); again[0] == "changed" {
		t.Error("a caller can change the set")
	}
	if got := Fill("a photo of a {}.", "cat"); got != "a photo of a cat." {
		t.Errorf("filled: %q", got)
	}
	if got := FillAll([]string{"a {}", "the {}"}, "{}"); !slices.Equal(got, []string{"a {}", "the {}"}) {
		t.Errorf("filled with braces: %q", got)
	}
	if err := CheckTemplate("a photo"); !errors.Is(err, ErrTemplate) {
		t.Errorf("no place for the name: %v", err)
	}
}

func TestClasses(t *testing.T) {
	for name, want := range map[string]int{"voc12": 21, "context60": 60, "context59": 59, "coco-object": 81, "camvid": 11} {
		classes, err := Classes(name)
		if err != nil || len(classes) != want {
			t.Errorf("%s: %d classes, %v; want %d", name, len(classes), err, want)
		}
		seen := map[string]bool{}
		for _, c := range classes {
			if c.Name == "" || seen[c.Name] {
				t.Errorf("%s: %q stands in it twice", name, c.Name)
			}
			seen[c.Name] = true
		}
		for _, c := range classes {
			for _, s := range c.Synonyms {
				if seen[s] {
					t.Errorf("%s: the synonym %q of %s is another class or stands twice", name, s, c.Name)
				}
				seen[s] = true
			}
		}
	}
	voc, _ := Classes("voc12")
	for index, name := range map[int]string{0: Background, 8: "cat", 11: "table", 15: "person", 16: "plant", 20: "monitor"} {
		if voc[index].Name != name {
			t.Errorf("VOC class %d is %s, want %s", index, voc[index].Name, name)
		}
	}
	for name, want := range map[string]int{"cat": 8, "Diningtable": 11, " tvmonitor ": 20, "airplane": 1, "aeroplane": 1} {
		if got, err := Find(voc, name); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, want)
		}
	}
	if _, err := Find(voc, "zebra"); !errors.Is(err, ErrClasses) || !strings.Contains(err.Error(), "horse") {
		t.Errorf("zebra: %v", err)
	}
	if _, err := Classes("voc"); !errors.Is(err, ErrClasses) || !strings.Contains(err.Error(), "voc12") {
		t.Errorf("an unknown list: %v", err)
	}
}

func TestBackgroundWords(t *testing.T) {
	words := BackgroundWords()
	if len(words) != 26 {
		t.Errorf("%d words", len(words))
	}
	left := WithoutLabels(words, []Class{{Name: "Grass"}, {Name: "trees"}, {Name: "sofa", Synonyms: []string{"bed"}}})
	for _, gone := range []string{"grass", "tree", "bed"} {
		if slices.Contains(left, gone) {
			t.Errorf("%s is left", gone)
		}
	}
	if len(left) != 23 {
		t.Errorf("%d words are left", len(left))
	}
}

func TestLabelsOf(t *testing.T) {
	got, err := LabelsOf([]string{"salt, pepper", "a|b"})
	if err != nil || !equal(got, []Class{{Name: "salt, pepper"}, {Name: "a|b"}}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := LabelsOf(nil); !errors.Is(err, ErrLabels) {
		t.Errorf("none: %v", err)
	}
}

func equal(a, b []Class) bool {
	return slices.EqualFunc(a, b, func(x, y Class) bool { return x.Name == y.Name && slices.Equal(x.Synonyms, y.Synonyms) })
}
