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
		for _, protocol := range []string{"paper", "hf", "tcl", "sclip", "best"} {
			var asked []Class
			for _, c := range classes {
				names := strings.Split(c.Asked(protocol), "|")
				if len(names) > 1 && (protocol == "paper" || protocol == "hf" || protocol == "tcl") {
					t.Errorf("%s under %s: %q has several names", list, protocol, names)
				}
				asked = append(asked, Class{Name: names[0], Synonyms: names[1:]})
			}
			if _, err := CheckLabels(asked); err != nil {
				t.Errorf("%s under %s: %v", list, protocol, err)
			}
		}
	}
}

func TestAsked(t *testing.T) {
	for _, c := range []struct{ list, name, protocol, want string }{
		{"voc12", "table", "paper", "table"},
		{"voc12", "table", "tcl", "diningtable"},
		{"voc12", "table", "sclip", "table"},
		{"voc12", "monitor", "tcl", "tvmonitor"},
		{"voc12", "monitor", "sclip", "television monitor|tv monitor|monitor|television|screen"},
		{"voc12", "boat", "sclip", "ship"},
		{"voc12", "plant", "sclip", "pottedplant"},
		{"voc12", "sofa", "best", "sofa|couch"},
		{"context60", "airplane", "paper", "airplane"},
		{"context60", "airplane", "sclip", "aeroplane"},
		{"context60", "person", "sclip", "person"},
		{"coco-object", "person", "sclip", "person|person in shirt|person in jeans|person in dress|person in sweater|person in skirt|person in jacket|body"},
		{"coco-stuff", "person", "sclip", "person"},
		{"coco-stuff", "traffic light", "sclip", "trafficlight"},
		{"coco-stuff", "wall-brick", "best", "wall-brick|brick wall"},
		{"ade20k", "pool table", "sclip", "pooltable"},
		{"cityscapes", "traffic sign", "tcl", "traffic sign"},
	} {
		classes, err := Classes(c.list)
		if err != nil {
			t.Fatal(err)
		}
		i, err := Find(classes, c.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := classes[i].Asked(c.protocol); got != c.want {
			t.Errorf("%s, %s under %s: %q, want %q", c.list, c.name, c.protocol, got, c.want)
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
