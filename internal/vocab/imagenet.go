package vocab

import (
	_ "embed"
	"strings"
)

// imageNet holds a line "wnid: name" for each of the 1000 classes of ILSVRC 2012,
// by wnid. The names are those of OpenAI CLIP's notebook on ImageNet (MIT), by
// which CLIP and GroupViT were measured.
//
//go:embed imagenet.txt
var imageNet string

// ImageNet returns the 1000 classes of ImageNet in the order of their wnids, which
// is that of their numbers: ids and names. Two names stand twice.
func ImageNet() (ids, names []string) {
	for line := range strings.Lines(imageNet) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), ": ")
		ids, names = append(ids, id), append(names, name)
	}
	return ids, names
}
