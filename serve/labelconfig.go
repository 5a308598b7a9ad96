package serve

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/limits"
)

// labelConfig is what a prediction needs of a project's labelling interface:
//
//	<View>
//	  <Image name="image" value="$photo"/>
//	  <BrushLabels name="tag" toName="image">
//	    <Label value="dog" predicted_values="puppy,hound"/>
//	  </BrushLabels>
//	</View>
type labelConfig struct {
	// key is where a task's data has the photograph: "photo".
	key      string
	controls []control
	// asked are the labels of all controls, with their synonyms.
	asked []string
}

// control is a tool that people draw regions with.
type control struct {
	kind, from, to string
	labels         []string
}

// Kinds of controls that regions are made for.
var studioKinds = map[string]func(*labelConfig, control, *groupvit.Segmentation, groupvit.Segment) []studioRegion{
	"BrushLabels": brushRegion, "RectangleLabels": boxRegion, "PolygonLabels": polygonRegions,
}

// parseLabelConfig reads a labelling interface. Tags that it does not know do not
// matter.
func parseLabelConfig(text string) (*labelConfig, error) {
	if err := limits.Check("size in bytes", "label_config", int64(len(text)), limits.LabelConfigBytes, "make it smaller"); err != nil {
		return nil, err
	}
	c, images := &labelConfig{}, map[string]string{}
	d := xml.NewDecoder(strings.NewReader(text))
	for inside := (*control)(nil); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, kindRequest.because("label_config: %v", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch name := t.Name.Local; {
			case name == "Image":
				images[attribute(t, "name")] = strings.TrimPrefix(attribute(t, "value"), "$")
			case studioKinds[name] != nil:
				c.controls = append(c.controls, control{kind: name, from: attribute(t, "name"), to: attribute(t, "toName")})
				inside = &c.controls[len(c.controls)-1]
			case name == "Label" && inside != nil:
				c.add(inside, attribute(t, "value"), attribute(t, "predicted_values"))
			}
		case xml.EndElement:
			if studioKinds[t.Name.Local] != nil {
				inside = nil
			}
		}
	}
	if len(c.asked) == 0 {
		return nil, kindOption.because("label_config has no BrushLabels, PolygonLabels or RectangleLabels with a Label in it")
	}
	for _, control := range c.controls {
		if key, ok := images[control.to]; ok && key != "" {
			c.key = key
			return c, limits.Check("number of labels", "label_config", int64(len(c.asked)), limits.Labels, "ask for fewer")
		}
	}
	return nil, kindOption.because("label_config has no Image that its labels are for")
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// add notes a label; the same label of several controls is asked once.
func (c *labelConfig) add(to *control, value, predicted string) {
	if value == "" {
		return
	}
	to.labels = append(to.labels, value)
	asked := strings.Join(append([]string{value}, splitList(predicted)...), "|")
	if !slices.ContainsFunc(c.asked, func(a string) bool { name, _, _ := strings.Cut(a, "|"); return name == value }) {
		c.asked = append(c.asked, asked)
	}
}

// studioRegion is one region as Label Studio's editor takes it.
type studioRegion struct {
	ID       string         `json:"id"`
	From     string         `json:"from_name"`
	To       string         `json:"to_name"`
	Type     string         `json:"type"`
	Width    int            `json:"original_width"`
	Height   int            `json:"original_height"`
	Rotation int            `json:"image_rotation"`
	Value    map[string]any `json:"value"`
	Score    float64        `json:"score"`
}

// regions makes those of every control that knows a label that was found.
func (c *labelConfig) regions(found *groupvit.Segmentation) []studioRegion {
	list := []studioRegion{}
	for _, control := range c.controls {
		for _, s := range found.Segments {
			if slices.Contains(control.labels, s.Label) {
				list = append(list, studioKinds[control.kind](c, control, found, s)...)
			}
		}
	}
	return list
}

func (control control) region(found *groupvit.Segmentation, s groupvit.Segment, part int, value map[string]any) studioRegion {
	kind := strings.ToLower(control.kind)
	value[kind] = []string{s.Label}
	return studioRegion{
		ID: fmt.Sprintf("%s-%d-%d", control.from, s.ID, part), From: control.from, To: control.to, Type: kind,
		Width: found.Map.Width, Height: found.Map.Height, Value: value, Score: s.Score,
	}
}

func brushRegion(_ *labelConfig, c control, found *groupvit.Segmentation, s groupvit.Segment) []studioRegion {
	return []studioRegion{c.region(found, s, 1, map[string]any{"format": "rle", "rle": newBrush(found.Map, uint16(s.ID))})}
}

// boxRegion is in percent of the photograph, as all that follows.
func boxRegion(_ *labelConfig, c control, found *groupvit.Segmentation, s groupvit.Segment) []studioRegion {
	x, y := percent(found.Map.Width), percent(found.Map.Height)
	return []studioRegion{c.region(found, s, 1, map[string]any{
		"x": x(s.Box[0]), "y": y(s.Box[1]), "width": x(s.Box[2] - s.Box[0]), "height": y(s.Box[3] - s.Box[1]), "rotation": 0,
	})}
}

// polygonRegions has one polygon a part; Label Studio's know no holes.
func polygonRegions(_ *labelConfig, c control, found *groupvit.Segmentation, s groupvit.Segment) []studioRegion {
	var list []studioRegion
	x, y := percent(found.Map.Width), percent(found.Map.Height)
	for i, p := range found.Map.Polygons(uint16(s.ID)) {
		points := make([][2]float64, len(p.Outer))
		for k, at := range p.Outer {
			points[k] = [2]float64{x(at.X), y(at.Y)}
		}
		list = append(list, c.region(found, s, i+1, map[string]any{"points": points, "closed": true}))
	}
	return list
}

func percent(side int) func(int) float64 {
	return func(v int) float64 { return math.Round(float64(v)/float64(side)*1e6) / 1e4 }
}
