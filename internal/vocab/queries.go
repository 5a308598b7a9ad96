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

// Naming says which names of a class a protocol queries.
type Naming string

// The namings.
const (
	OneName      Naming = "name"     // the class's name
	OriginalName Naming = "original" // the dataset's own name
	Queries      Naming = "queries"  // the queries of SCLIP's evaluation
	Synonyms     Naming = "synonyms" // all names
)

// Label returns the class as a label of a query, its first name and, after strokes,
// further ones: "dog|puppy".
func (c Class) Label(n Naming) string {
	switch n {
	case OneName:
		return c.Name
	case OriginalName:
		return cmp.Or(c.Original, c.Name)
	case Queries:
		if c.Queries != nil {
			return strings.Join(c.Queries, "|")
		}
		return cmp.Or(c.Original, c.Name)
	}
	return strings.Join(c.Names(), "|")
}
