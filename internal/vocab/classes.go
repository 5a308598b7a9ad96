package vocab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrClasses is wrapped by errors about class lists and class names.
var ErrClasses = errors.New("no such classes")

// Background is the name of the class of everything that is not named.
const Background = "background"

// Class is a name to look for and other words for the same thing.
type Class struct {
	// Name is what prompts and reports say.
	Name string
	// Synonyms are other words for it, among them the data set's own name where
	// GroupViT uses another. The paper's protocol does not ask for them.
	Synonyms []string
	// Original is the data set's own name where GroupViT uses another, else "".
	Original string
	// Queries are the words that SCLIP's evaluation asks for where they are not
	// the data set's own name, else nil.
	Queries []string
}

// Names returns Name and the synonyms.
func (c Class) Names() []string { return append([]string{c.Name}, c.Synonyms...) }

// Classes returns a benchmark's classes in the order of its mask values:
//
//   - voc12: PASCAL VOC 2012, background and 20; voc20 without background
//   - context60: PASCAL Context, background and 59; context59 without background
//   - coco-object: COCO things, background and 80
//   - coco-stuff: COCO's 80 things and 91 kinds of stuff, no background
//   - ade20k: ADE20K, 150, no background
//   - cityscapes: Cityscapes, 19, no background
//   - camvid: CamVid, 11, no background
//
// Names are GroupViT's (table, plant and monitor for diningtable, pottedplant
// and tvmonitor).
func Classes(name string) ([]Class, error) {
	list, ok := classLists[name]
	if !ok {
		return nil, fmt.Errorf("%w: no list %q: one of %s", ErrClasses, name, strings.Join(ClassLists(), ", "))
	}
	copied := slices.Clone(list)
	for i := range copied {
		copied[i].Synonyms = slices.Clone(copied[i].Synonyms)
		copied[i].Queries = slices.Clone(copied[i].Queries)
		if spaceless[name] {
			copied[i].Queries = []string{strings.ReplaceAll(copied[i].Name, " ", "")}
		}
	}
	return copied, nil
}

// ClassLists returns the names of the lists, sorted.
func ClassLists() []string {
	var names []string
	for name := range classLists {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Find returns the place of the class that a name or synonym belongs to; case
// does not matter. Names go before synonyms. The error lists the names.
func Find(classes []Class, name string) (int, error) {
	name = strings.TrimSpace(name)
	for i, c := range classes {
		if strings.EqualFold(c.Name, name) {
			return i, nil
		}
	}
	for i, c := range classes {
		for _, s := range c.Synonyms {
			if strings.EqualFold(s, name) {
				return i, nil
			}
		}
	}
	var names []string
	for _, c := range classes {
		names = append(names, c.Name)
	}
	return 0, fmt.Errorf("%w: %.80q: the classes are %s", ErrClasses, name, strings.Join(names, ", "))
}

var classLists = map[string][]Class{
	"voc12":       voc12,
	"voc20":       voc12[1:],
	"context60":   context60,
	"context59":   context60[1:],
	"coco-object": cocoObject,
	"coco-stuff":  cocoStuff,
	"ade20k":      ade20k,
	"cityscapes":  cityscapes,
	"camvid":      camvid,
}
