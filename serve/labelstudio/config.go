package labelstudio

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/limits"
)

// ErrConfig is wrapped by errors about labelling interfaces that regions cannot be
// made for, ErrSyntax by those about text that is none.
var (
	ErrConfig = errors.New("labelling interface")
	ErrSyntax = errors.New("labelling interface cannot be read")
)

// Config is what a prediction needs of a project's labelling interface:
//
//	<View>
//	  <Image name="image" value="$photo"/>
//	  <BrushLabels name="tag" toName="image">
//	    <Label value="Dog" predicted_values="dog,puppy,hound"/>
//	  </BrushLabels>
//	</View>
type Config struct {
	// key is where a task's data has the photo: "photo".
	key      string
	controls []control
	// labels are those of all controls, each asked for once.
	labels []label
}

// control is a tool that people draw regions with.
type control struct {
	kind, from string
	to         []string
	// labels are what the tool calls the labels that it has, by their place in
	// [Config]'s.
	labels map[int]string
}

// label is what the model is asked for: a label's value and its predicted values,
// without those that differ in case or space alone.
type label struct{ words []string }

// ParseConfig reads a labelling interface. Tags that it does not know do not matter.
// Errors wrap [ErrSyntax], [ErrConfig] or [limits.ErrTooLarge].
func ParseConfig(text string) (*Config, error) {
	if err := limits.Check("size in bytes", "label_config", int64(len(text)), limits.LabelConfigBytes, "make it smaller"); err != nil {
		return nil, err
	}
	c, images := &Config{}, map[string]string{}
	d := xml.NewDecoder(strings.NewReader(text))
	for inside := (*control)(nil); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch name := t.Name.Local; {
			case name == "Image":
				images[attribute(t, "name")] = strings.TrimPrefix(attribute(t, "value"), "$")
			case shapes[name] != nil:
				c.controls = append(c.controls, newControl(t))
				inside = &c.controls[len(c.controls)-1]
			case name == "Label" && inside != nil:
				c.add(inside, t)
			}
		case xml.EndElement:
			if shapes[t.Name.Local] != nil {
				inside = nil
			}
		}
	}
	if len(c.labels) == 0 {
		return nil, fmt.Errorf("%w: it has no BrushLabels, BitmaskLabels, PolygonLabels or RectangleLabels with a Label in it", ErrConfig)
	}
	if !c.bind(images) {
		return nil, fmt.Errorf("%w: it has no Image that its labels are for", ErrConfig)
	}
	c.distinct()
	return c, limits.Check("number of labels", "label_config", int64(len(c.labels)), limits.Labels, "ask for fewer")
}

// IsEmpty reports whether a labelling interface has no tags but views and headers, as
// that of a new project.
func IsEmpty(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if t, ok := token.(xml.StartElement); ok && t.Name.Local != "View" && t.Name.Local != "Header" {
			return false
		}
	}
}

func newControl(t xml.StartElement) control {
	c := control{kind: t.Name.Local, from: attribute(t, "name"), labels: map[int]string{}}
	for name := range strings.SplitSeq(attribute(t, "toName"), ",") {
		c.to = append(c.to, strings.TrimSpace(name))
	}
	return c
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// bind keeps the controls of the first image that any control is for, and reports
// whether there is one.
func (c *Config) bind(images map[string]string) bool {
	to := ""
	var bound []control
	for _, control := range c.controls {
		for _, name := range control.to {
			key := images[name]
			if key == "" || (to != "" && name != to) {
				continue
			}
			to, c.key = name, key
			control.to = []string{name}
			bound = append(bound, control)
			break
		}
	}
	c.controls = bound
	return to != ""
}

// add notes a label of a control. Regions carry its alias, where it has one. Labels
// that are the same but for case are asked for once.
func (c *Config) add(to *control, t xml.StartElement) {
	value := attribute(t, "value")
	name := value
	if alias := attribute(t, "alias"); alias != "" {
		name = alias
	}
	words := distinct(append([]string{value}, strings.Split(attribute(t, "predicted_values"), ",")...))
	if len(words) == 0 || name == "" {
		return
	}
	i := slices.IndexFunc(c.labels, func(l label) bool { return strings.EqualFold(l.words[0], words[0]) })
	if i < 0 {
		i = len(c.labels)
		c.labels = append(c.labels, label{})
	}
	c.labels[i].words = distinct(append(c.labels[i].words, words...))
	if _, ok := to.labels[i]; !ok {
		to.labels[i] = name
	}
}

// distinct returns words in plain space, without empty ones and without those that
// came before in another case. A bar parts synonyms for the model.
func distinct(words []string) []string {
	var out []string
	for _, w := range words {
		w = strings.Join(strings.Fields(strings.ReplaceAll(w, "|", " ")), " ")
		if w != "" && !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, w) }) {
			out = append(out, w)
		}
	}
	return out
}

// distinct leaves each word to one label: the one whose first it is, else the one that
// has it first.
func (c *Config) distinct() {
	owner := map[string]int{}
	for i, l := range c.labels {
		owner[strings.ToLower(l.words[0])] = i
	}
	for i, l := range c.labels {
		for _, w := range l.words {
			if _, ok := owner[strings.ToLower(w)]; !ok {
				owner[strings.ToLower(w)] = i
			}
		}
	}
	for i := range c.labels {
		c.labels[i].words = slices.DeleteFunc(c.labels[i].words, func(w string) bool { return owner[strings.ToLower(w)] != i })
	}
}

// Labels are what the model is asked for, with synonyms after bars.
func (c *Config) Labels() []string {
	list := make([]string, len(c.labels))
	for i, l := range c.labels {
		list[i] = strings.Join(l.words, "|")
	}
	return list
}

// Regions are those of every control that has a label that was found; found must be of
// [Config.Labels].
func (c *Config) Regions(found *groupvit.Segmentation) []Region {
	list := []Region{}
	for _, control := range c.controls {
		for _, s := range found.Segments {
			if name, ok := control.labels[s.ID-1]; ok {
				list = append(list, shapes[control.kind](piece{control, name, found, s})...)
			}
		}
	}
	return list
}
