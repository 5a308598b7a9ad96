package synth

import (
	"slices"
	"strings"
)

// withGround and withoutGround are the forms of a caption: O is the objects, G
// the ground.
var (
	withGround = [...]string{
		"a photo of O on G", "O on the G", "there is O on G", "a picture of G with O", "on the G we see O",
	}
	withoutGround = [...]string{"a photo of O", "O", "here is O"}
)

// caption names each kind of object with probability 0.9, at least one, in
// random order, and the ground with probability 0.8. A scene without objects
// is named by its ground. It returns the nouns in the caption's order.
func (c *canvas) caption(objects []int, ground int) (string, []string) {
	kinds := slices.Compact(slices.Sorted(slices.Values(objects)))
	if len(kinds) == 0 {
		return "a photo of " + words[ground], []string{words[ground]}
	}
	c.shuffle(kinds)
	var named []string
	for _, k := range kinds {
		if c.random.chance(0.9) {
			named = append(named, words[k])
		}
	}
	if len(named) == 0 {
		named = []string{words[kinds[c.random.below(len(kinds))]]}
	}
	if !c.random.chance(0.8) {
		form := withoutGround[c.random.below(len(withoutGround))]
		return strings.Replace(form, "O", list(named), 1), named
	}
	form := withGround[c.random.below(len(withGround))]
	text := strings.NewReplacer("O", list(named), "G", words[ground]).Replace(form)
	if strings.Index(form, "G") < strings.Index(form, "O") {
		return text, append([]string{words[ground]}, named...)
	}
	return text, append(named, words[ground])
}

// list writes "a X, a Y and a Z".
func list(names []string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString("a " + n)
	}
	return b.String()
}
