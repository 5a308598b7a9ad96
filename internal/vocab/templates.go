package vocab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrTemplate is wrapped by every error about a template.
var ErrTemplate = errors.New("bad prompt template")

// Placeholder is what a template has in the place of the name.
const Placeholder = "{}"

// templateSets are the named sets. All but "tcl" come from OpenAI CLIP (MIT);
// "tcl" is that of the TCL evaluation (Cha et al., CVPR 2023).
var templateSets = map[string][]string{
	"identity": {"{}"},
	"simple":   {"a photo of a {}."},
	"subset":   subsetTemplates,
	"full":     fullTemplates,
	"tcl":      append(slices.Clone(subsetTemplates), "a photo of many {}.", "a photo of {}s."),
	// Short forms for small models with short contexts.
	"short": {"a photo of a {}", "a {}", "there is a {}", "{}"},
}

// Templates returns a set of templates by name; see [TemplateNames]. The error
// lists the names.
//
//   - identity: the name alone
//   - simple: "a photo of a {}.", GroupViT's for segmentation (1)
//   - subset: CLIP's seven best, GroupViT's for classification (7)
//   - full: CLIP's ImageNet templates, GroupViT's for nouns in training (80)
//   - tcl: those of the TCL evaluation (9)
//   - short: four short forms for small models (4)
func Templates(name string) ([]string, error) {
	set, ok := templateSets[name]
	if !ok {
		return nil, fmt.Errorf("%w: no set %q: one of %s", ErrTemplate, name, strings.Join(TemplateNames(), ", "))
	}
	return slices.Clone(set), nil
}

// TemplateNames returns the names of the sets, sorted.
func TemplateNames() []string {
	var names []string
	for name := range templateSets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Fill puts a name into a template.
func Fill(template, name string) string {
	return strings.ReplaceAll(template, Placeholder, name)
}

// FillAll returns a name's prompts, one a template.
func FillAll(templates []string, name string) []string {
	prompts := make([]string, len(templates))
	for i, t := range templates {
		prompts[i] = Fill(t, name)
	}
	return prompts
}

// CheckTemplate returns an error for a template without a place for the name.
func CheckTemplate(template string) error {
	if !strings.Contains(template, Placeholder) {
		return fmt.Errorf("%w: %.80q has no %s, the place of the name", ErrTemplate, template, Placeholder)
	}
	return nil
}

var subsetTemplates = []string{
	"itap of a {}.",
	"a bad photo of a {}.",
	"a origami {}.",
	"a photo of the large {}.",
	"a {} in a video game.",
	"art of the {}.",
	"a photo of the small {}.",
}

// fullTemplates are in the order of CLIP's ImageNet notebook.
var fullTemplates = []string{
	"a bad photo of a {}.",
	"a photo of many {}.",
	"a sculpture of a {}.",
	"a photo of the hard to see {}.",
	"a low resolution photo of the {}.",
	"a rendering of a {}.",
	"graffiti of a {}.",
	"a bad photo of the {}.",
	"a cropped photo of the {}.",
	"a tattoo of a {}.",
	"the embroidered {}.",
	"a photo of a hard to see {}.",
	"a bright photo of a {}.",
	"a photo of a clean {}.",
	"a photo of a dirty {}.",
	"a dark photo of the {}.",
	"a drawing of a {}.",
	"a photo of my {}.",
	"the plastic {}.",
	"a photo of the cool {}.",
	"a close-up photo of a {}.",
	"a black and white photo of the {}.",
	"a painting of the {}.",
	"a painting of a {}.",
	"a pixelated photo of the {}.",
	"a sculpture of the {}.",
	"a bright photo of the {}.",
	"a cropped photo of a {}.",
	"a plastic {}.",
	"a photo of the dirty {}.",
	"a jpeg corrupted photo of a {}.",
	"a blurry photo of the {}.",
	"a photo of the {}.",
	"a good photo of the {}.",
	"a rendering of the {}.",
	"a {} in a video game.",
	"a photo of one {}.",
	"a doodle of a {}.",
	"a close-up photo of the {}.",
	"a photo of a {}.",
	"the origami {}.",
	"the {} in a video game.",
	"a sketch of a {}.",
	"a doodle of the {}.",
	"a origami {}.",
	"a low resolution photo of a {}.",
	"the toy {}.",
	"a rendition of the {}.",
	"a photo of the clean {}.",
	"a photo of a large {}.",
	"a rendition of a {}.",
	"a photo of a nice {}.",
	"a photo of a weird {}.",
	"a blurry photo of a {}.",
	"a cartoon {}.",
	"art of a {}.",
	"a sketch of the {}.",
	"a embroidered {}.",
	"a pixelated photo of a {}.",
	"itap of the {}.",
	"a jpeg corrupted photo of the {}.",
	"a good photo of a {}.",
	"a plushie {}.",
	"a photo of the nice {}.",
	"a photo of the small {}.",
	"a photo of the weird {}.",
	"the cartoon {}.",
	"art of the {}.",
	"a drawing of the {}.",
	"a photo of the large {}.",
	"a black and white photo of a {}.",
	"the plushie {}.",
	"a dark photo of a {}.",
	"itap of a {}.",
	"graffiti of the {}.",
	"a toy {}.",
	"itap of my {}.",
	"a photo of a cool {}.",
	"a photo of a small {}.",
	"a tattoo of the {}.",
}
