package vocab

import (
	"cmp"
	"strings"
)

// Words that SCLIP's evaluation asks for instead of one name (Wang et al., ECCV
// 2024, its class files).
var (
	personQueries = []string{
		"person", "person in shirt", "person in jeans", "person in dress", "person in sweater", "person in skirt", "person in jacket",
	}
	monitorQueries = []string{"television monitor", "tv monitor", "monitor", "television", "screen"}
)

// spaceless are the lists whose names SCLIP's evaluation writes without spaces
// ("trafficlight").
var spaceless = map[string]bool{"coco-stuff": true, "ade20k": true, "cityscapes": true}

// Asked returns the words that a protocol asks for, the label's own first, joined
// as a label of a question is: "dog|puppy". The paper's and the port's name one
// ("paper", "hf"), TCL's the data set's own ("tcl"), SCLIP's its queries
// ("sclip"); any other takes all synonyms.
func (c Class) Asked(protocol string) string {
	switch protocol {
	case "paper", "hf":
		return c.Name
	case "tcl":
		return cmp.Or(c.Original, c.Name)
	case "sclip":
		if c.Queries != nil {
			return strings.Join(c.Queries, "|")
		}
		return cmp.Or(c.Original, c.Name)
	}
	return strings.Join(c.Names(), "|")
}
