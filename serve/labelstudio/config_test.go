package labelstudio

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/mask"
)

const imageTag = `<Image name="img" value="$photo"/>`

func brushes(labels string) string {
	return `<View>` + imageTag + `<BrushLabels name="tag" toName="img">` + labels + `</BrushLabels></View>`
}

// TestLabels: what the model is asked for, of the ways in which people write labels.
func TestLabels(t *testing.T) {
	for _, c := range []struct {
		name, config string
		want         []string
	}{
		{"the usual form", brushes(`<Label value="Cat" predicted_values="cat"/>`), []string{"Cat"}},
		{"synonyms", brushes(`<Label value="dog" predicted_values="puppy, hound,puppy,,DOG"/><Label value="grass"/>`), []string{"dog|puppy|hound", "grass"}},
		{"a synonym that is another's value", brushes(`<Label value="Animal" predicted_values="cat,dog"/><Label value="cat"/>`), []string{"Animal|dog", "cat"}},
		{"a synonym of two", brushes(`<Label value="a" predicted_values="x"/><Label value="b" predicted_values="X,y"/>`), []string{"a|x", "b|y"}},
		{"the same label twice", brushes(`<Label value="Cat"/><Label value="cat" predicted_values="kitten"/>`), []string{"Cat|kitten"}},
		{"a bar and a comma in a value", brushes(`<Label value="cat|dog, both"/>`), []string{"cat dog, both"}},
		{"space", brushes("<Label value=' traffic\n light '/>"), []string{"traffic light"}},
		{"nothing to look for", brushes(`<Label value=""/><Label value="|"/><Label value="sky"/>`), []string{"sky"}},
		{"two controls", `<View>` + imageTag + `<BrushLabels name="b" toName="img"><Label value="Cat"/></BrushLabels><RectangleLabels name="r" toName="img"><Label value="cat"/><Label value="dog"/></RectangleLabels></View>`, []string{"Cat", "dog"}},
		{"several images", `<View><Image name="a" value="$x"/><Image name="b" value="$y"/><BrushLabels name="t" toName="b,a"><Label value="cat"/></BrushLabels></View>`, []string{"cat"}},
	} {
		config, err := ParseConfig(c.config)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, config.Labels()); d != "" {
			t.Errorf("%s: labels differ (-want +got):\n%s", c.name, d)
		}
		checkDistinct(t, config)
	}
}

// checkDistinct: no word is asked for twice, which the library would refuse.
func checkDistinct(t *testing.T, c *Config) {
	t.Helper()
	var all []string
	for _, l := range c.Labels() {
		if l == "" {
			t.Error("a label without a word")
		}
		for w := range strings.SplitSeq(l, "|") {
			if slices.ContainsFunc(all, func(o string) bool { return strings.EqualFold(o, w) }) {
				t.Errorf("%q is asked for twice in %q", w, c.Labels())
			}
			all = append(all, w)
		}
	}
}

// TestRegions: regions carry what their control calls a label, whatever the model was
// asked for.
func TestRegions(t *testing.T) {
	config, err := ParseConfig(`<View>` + imageTag + `<BrushLabels name="b" toName="img"><Label value="a|b"/><Label value="Cat" alias="c"/></BrushLabels>
<RectangleLabels name="r" toName="img"><Label value="CAT"/></RectangleLabels><PolygonLabels name="p" toName="other"><Label value="cat"/></PolygonLabels></View>`)
	if err != nil {
		t.Fatal(err)
	}
	found := &groupvit.Segmentation{
		Map:      &mask.Map{Width: 2, Height: 2, Labels: []uint16{1, 2, 2, 2}},
		Segments: []groupvit.Segment{{ID: 1, Label: "a b", Pixels: 1, Box: [4]int{0, 0, 1, 1}}, {ID: 2, Label: "Cat", Pixels: 3, Box: [4]int{0, 0, 2, 2}}},
	}
	var got []string
	for _, r := range config.Regions(found) {
		got = append(got, r.From+" "+r.Type+" "+strings.Join(r.Value[r.Type].([]string), ","))
	}
	want := []string{"b brushlabels a|b", "b brushlabels c", "r rectanglelabels CAT"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("regions differ (-want +got):\n%s", d)
	}
}

// TestBadConfigs: what regions cannot be made for, and what is none.
func TestBadConfigs(t *testing.T) {
	for config, want := range map[string]error{
		"": ErrConfig, "<View></View>": ErrConfig, brushes(""): ErrConfig, "<View><": ErrSyntax,
		`<View><Text name="t" value="$t"/><Labels name="l" toName="t"><Label value="x"/></Labels></View>`: ErrConfig,
		`<View><BrushLabels name="b" toName="img"><Label value="x"/></BrushLabels></View>`:                ErrConfig,
	} {
		if _, err := ParseConfig(config); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", config, err, want)
		}
	}
	for config, want := range map[string]bool{"": true, "<View></View>": true, `<View><Header value="x"/></View>`: true, brushes(""): false, "<View><": false} {
		if got := IsEmpty(config); got != want {
			t.Errorf("%q is empty: %v, want %v", config, got, want)
		}
	}
}

// FuzzConfig: no labelling interface makes reading panic, or the same word be asked for
// twice.
func FuzzConfig(f *testing.F) {
	f.Add(brushes(`<Label value="dog" predicted_values="puppy"/><Label value="Dog" alias="d"/>`))
	f.Add(`<View><RectangleLabels toName=""><Label/></RectangleLabels>`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig(text)
		if err != nil {
			return
		}
		if c.key == "" || len(c.labels) == 0 {
			t.Errorf("%+v has no photo or no labels", c)
		}
		checkDistinct(t, c)
	})
}
