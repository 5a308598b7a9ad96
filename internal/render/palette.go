package render

import (
	"hash/fnv"
	"image/color"
	"strings"
)

// words are those that people ask for most, with the place of their colour among the
// first, as they know it from maps and nature where there is one: sky is blue, grass
// green, sand yellow. Words that often stand in one photo have different ones.
var words = map[string]int{
	"sky": 1, "person": 2, "people": 2, "man": 2, "woman": 13, "child": 5, "boy": 5, "girl": 16, "water": 3, "sea": 3, "ocean": 3, "lake": 3, "river": 3,
	"sand": 15, "beach": 15, "cat": 3, "dog": 4, "horse": 16, "cow": 9, "sheep": 6, "bird": 13, "car": 7, "bus": 4, "truck": 11, "train": 11, "bicycle": 16, "bike": 16,
	"motorcycle": 9, "airplane": 4, "plane": 4, "boat": 2, "grass": 8, "field": 8, "tree": 12, "trees": 12, "plant": 10, "flower": 13, "forest": 12, "mountain": 9, "snow": 6,
	"cloud": 6, "clouds": 6, "road": 11, "street": 11, "sidewalk": 6, "building": 16, "house": 16, "wall": 6, "floor": 15, "ground": 15, "table": 2, "chair": 11,
	"sofa": 14, "couch": 14, "bed": 14, "window": 3, "door": 9, "food": 2, "plate": 6, "cup": 1, "bottle": 10, "book": 9, "background": 6,
}

// Colors returns the colours of labels by their names: names[i] is that of label i+1. A
// name has the same colour in every picture, as far as no name before it has taken that:
// then the first of the others that is free.
func Colors(names []string) []color.RGBA {
	out := make([]color.RGBA, len(names))
	taken := map[int]bool{}
	for i, name := range names {
		at := colorOf(name)
		for k := 1; taken[at]; k++ {
			at = k
		}
		taken[at] = true
		out[i] = Color(at)
	}
	return out
}

// colorOf is the place of a name's colour: that of a word known here, else by its
// letters among all of the first.
func colorOf(name string) int {
	name = strings.Join(strings.Fields(strings.ToLower(name)), " ")
	if at, ok := words[name]; ok {
		return at
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return 1 + int(h.Sum32()%uint32(len(first)))
}

// byName gives labels the colours of their names, and others those of their numbers.
func byName(names []string) func(label int) color.RGBA {
	colors := Colors(names)
	return func(label int) color.RGBA {
		if label >= 1 && label <= len(colors) {
			return colors[label-1]
		}
		return Color(label)
	}
}
