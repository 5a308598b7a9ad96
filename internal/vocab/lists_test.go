package vocab

import (
	"slices"
	"strings"
	"testing"
)

// Every list has the length of its benchmark, and what each protocol asks for is
// a list of labels without repeats.
func TestLists(t *testing.T) {
	lengths := map[string]int{
		"voc12": 21, "voc20": 20, "context60": 60, "context59": 59, "coco-object": 81, "coco-stuff": 171, "ade20k": 150, "cityscapes": 19, "camvid": 11,
	}
	for _, list := range ClassLists() {
		classes, err := Classes(list)
		if err != nil || len(classes) != lengths[list] {
			t.Fatalf("%s has %d classes, want %d: %v", list, len(classes), lengths[list], err)
		}
		for _, naming := range []Naming{OneName, OriginalName, Queries, Synonyms} {
			var asked []Class
			for _, c := range classes {
				names := strings.Split(c.Label(naming), "|")
				if len(names) > 1 && (naming == OneName || naming == OriginalName) {
					t.Errorf("%s under %s: %q has several names", list, naming, names)
				}
				asked = append(asked, Class{Name: names[0], Synonyms: names[1:]})
			}
			if _, err := CheckLabels(asked); err != nil {
				t.Errorf("%s under %s: %v", list, naming, err)
			}
		}
	}
}

func TestLabel(t *testing.T) {
	for _, c := range []struct {
		list, name string
		naming     Naming
		want       string
	}{
		{"voc12", "table", OneName, "table"},
		{"voc12", "table", OriginalName, "diningtable"},
		{"voc12", "table", Queries, "table"},
		{"voc12", "monitor", OriginalName, "tvmonitor"},
		{"voc12", "monitor", Queries, "television monitor|tv monitor|monitor|television|screen"},
		{"voc12", "boat", Queries, "ship"},
		{"voc12", "plant", Queries, "pottedplant"},
		{"voc12", "sofa", Synonyms, "sofa|couch"},
		{"context60", "airplane", OneName, "airplane"},
		{"context60", "airplane", Queries, "aeroplane"},
		{"context60", "person", Queries, "person"},
		{"coco-object", "person", Queries, "person|person in shirt|person in jeans|person in dress|person in sweater|person in skirt|person in jacket|body"},
		{"coco-stuff", "person", Queries, "person"},
		{"coco-stuff", "traffic light", Queries, "trafficlight"},
		{"coco-stuff", "wall-brick", Synonyms, "wall-brick|brick wall"},
		{"ade20k", "pool table", Queries, "pooltable"},
		{"cityscapes", "traffic sign", OriginalName, "traffic sign"},
	} {
		classes, err := Classes(c.list)
		if err != nil {
			t.Fatal(err)
		}
		i, err := Find(classes, c.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := classes[i].Label(c.naming); got != c.want {
			t.Errorf("%s, %s under %s: %q, want %q", c.list, c.name, c.naming, got, c.want)
		}
	}
}

func TestImageNet(t *testing.T) {
	ids, names := ImageNet()
	if len(ids) != 1000 || len(names) != 1000 || !slices.IsSorted(ids) || ids[0] != "n01440764" || names[0] != "tench" || names[999] != "toilet paper" {
		t.Fatalf("%d ids, %d names, from %s %s", len(ids), len(names), ids[0], names[0])
	}
	i := slices.Index(ids, "n02012849")
	if i != 134 || names[i] != "crane bird" {
		t.Errorf("the crane that is a bird is number %d, %s", i, names[i])
	}
	for i, n := range names {
		if n == "" || strings.TrimSpace(n) != n {
			t.Errorf("%s is called %q", ids[i], n)
		}
	}
}
