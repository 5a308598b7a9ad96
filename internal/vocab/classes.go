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
}

// Names returns Name and the synonyms.
func (c Class) Names() []string { return append([]string{c.Name}, c.Synonyms...) }

// Classes returns a benchmark's classes in the order of its mask values:
//
//   - voc12: PASCAL VOC 2012, background and 20
//   - context60: PASCAL Context, background and 59; context59 without background
//   - coco-object: COCO things, background and 80
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
	"context60":   context60,
	"context59":   context60[1:],
	"coco-object": cocoObject,
	"camvid":      camvid,
}

// voc12 is in the order of the mask values of VOC 2012.
var voc12 = []Class{
	{Name: "background"},
	{Name: "aeroplane", Synonyms: []string{"airplane", "plane", "jet"}},
	{Name: "bicycle", Synonyms: []string{"bike"}},
	{Name: "bird"},
	{Name: "boat", Synonyms: []string{"ship"}},
	{Name: "bottle"},
	{Name: "bus", Synonyms: []string{"coach"}},
	{Name: "car", Synonyms: []string{"automobile"}},
	{Name: "cat", Synonyms: []string{"kitten"}},
	{Name: "chair"},
	{Name: "cow", Synonyms: []string{"cattle", "calf"}},
	{Name: "table", Synonyms: []string{"dining table", "diningtable"}},
	{Name: "dog", Synonyms: []string{"puppy"}},
	{Name: "horse", Synonyms: []string{"pony"}},
	{Name: "motorbike", Synonyms: []string{"motorcycle"}},
	{Name: "person", Synonyms: []string{"people", "man", "woman", "child"}},
	{Name: "plant", Synonyms: []string{"potted plant", "pottedplant"}},
	{Name: "sheep", Synonyms: []string{"lamb"}},
	{Name: "sofa", Synonyms: []string{"couch"}},
	{Name: "train"},
	{Name: "monitor", Synonyms: []string{"tv monitor", "tvmonitor", "television", "screen"}},
}

// context60 is in the order of the 59-class masks of PASCAL Context, background first.
var context60 = []Class{
	{Name: "background"},
	{Name: "airplane", Synonyms: []string{"aeroplane", "plane"}},
	{Name: "bag"},
	{Name: "bed"},
	{Name: "bedclothes", Synonyms: []string{"bedding", "blanket"}},
	{Name: "bench"},
	{Name: "bicycle", Synonyms: []string{"bike"}},
	{Name: "bird"},
	{Name: "boat", Synonyms: []string{"ship"}},
	{Name: "book"},
	{Name: "bottle"},
	{Name: "building"},
	{Name: "bus"},
	{Name: "cabinet", Synonyms: []string{"cupboard"}},
	{Name: "car", Synonyms: []string{"automobile"}},
	{Name: "cat", Synonyms: []string{"kitten"}},
	{Name: "ceiling"},
	{Name: "chair"},
	{Name: "cloth", Synonyms: []string{"fabric"}},
	{Name: "computer"},
	{Name: "cow"},
	{Name: "cup"},
	{Name: "curtain"},
	{Name: "dog", Synonyms: []string{"puppy"}},
	{Name: "door"},
	{Name: "fence"},
	{Name: "floor"},
	{Name: "flower"},
	{Name: "food"},
	{Name: "grass"},
	{Name: "ground", Synonyms: []string{"dirt"}},
	{Name: "horse"},
	{Name: "keyboard"},
	{Name: "light", Synonyms: []string{"lamp"}},
	{Name: "motorbike", Synonyms: []string{"motorcycle"}},
	{Name: "mountain", Synonyms: []string{"hill"}},
	{Name: "mouse"},
	{Name: "person", Synonyms: []string{"people", "man", "woman", "child"}},
	{Name: "plate"},
	{Name: "platform"},
	{Name: "plant", Synonyms: []string{"potted plant", "pottedplant"}},
	{Name: "road"},
	{Name: "rock", Synonyms: []string{"stone"}},
	{Name: "sheep"},
	{Name: "shelves", Synonyms: []string{"shelf"}},
	{Name: "sidewalk", Synonyms: []string{"pavement"}},
	{Name: "sign"},
	{Name: "sky"},
	{Name: "snow"},
	{Name: "sofa", Synonyms: []string{"couch"}},
	{Name: "table"},
	{Name: "track"},
	{Name: "train"},
	{Name: "tree"},
	{Name: "truck"},
	{Name: "monitor", Synonyms: []string{"tv monitor", "tvmonitor", "television", "screen"}},
	{Name: "wall"},
	{Name: "water"},
	{Name: "window"},
	{Name: "wood"},
}

// cocoObject is in the order of the mask values of the COCO-Object masks.
var cocoObject = []Class{
	{Name: "background"},
	{Name: "person", Synonyms: []string{"people", "man", "woman", "child"}},
	{Name: "bicycle", Synonyms: []string{"bike"}},
	{Name: "car"},
	{Name: "motorcycle", Synonyms: []string{"motorbike"}},
	{Name: "airplane", Synonyms: []string{"aeroplane", "plane"}},
	{Name: "bus"},
	{Name: "train"},
	{Name: "truck"},
	{Name: "boat", Synonyms: []string{"ship"}},
	{Name: "traffic light"},
	{Name: "fire hydrant"},
	{Name: "stop sign"},
	{Name: "parking meter"},
	{Name: "bench"},
	{Name: "bird"},
	{Name: "cat", Synonyms: []string{"kitten"}},
	{Name: "dog", Synonyms: []string{"puppy"}},
	{Name: "horse"},
	{Name: "sheep"},
	{Name: "cow"},
	{Name: "elephant"},
	{Name: "bear"},
	{Name: "zebra"},
	{Name: "giraffe"},
	{Name: "backpack"},
	{Name: "umbrella"},
	{Name: "handbag", Synonyms: []string{"bag", "purse"}},
	{Name: "tie", Synonyms: []string{"necktie"}},
	{Name: "suitcase"},
	{Name: "frisbee"},
	{Name: "skis", Synonyms: []string{"ski"}},
	{Name: "snowboard"},
	{Name: "sports ball", Synonyms: []string{"ball"}},
	{Name: "kite"},
	{Name: "baseball bat"},
	{Name: "baseball glove"},
	{Name: "skateboard"},
	{Name: "surfboard"},
	{Name: "tennis racket"},
	{Name: "bottle"},
	{Name: "wine glass", Synonyms: []string{"glass"}},
	{Name: "cup"},
	{Name: "fork"},
	{Name: "knife"},
	{Name: "spoon"},
	{Name: "bowl"},
	{Name: "banana"},
	{Name: "apple"},
	{Name: "sandwich"},
	{Name: "orange"},
	{Name: "broccoli"},
	{Name: "carrot"},
	{Name: "hot dog"},
	{Name: "pizza"},
	{Name: "donut", Synonyms: []string{"doughnut"}},
	{Name: "cake"},
	{Name: "chair"},
	{Name: "couch", Synonyms: []string{"sofa"}},
	{Name: "potted plant", Synonyms: []string{"houseplant"}},
	{Name: "bed"},
	{Name: "dining table", Synonyms: []string{"table"}},
	{Name: "toilet"},
	{Name: "tv", Synonyms: []string{"television", "monitor"}},
	{Name: "laptop"},
	{Name: "mouse"},
	{Name: "remote", Synonyms: []string{"remote control"}},
	{Name: "keyboard"},
	{Name: "cell phone", Synonyms: []string{"mobile phone"}},
	{Name: "microwave"},
	{Name: "oven"},
	{Name: "toaster"},
	{Name: "sink"},
	{Name: "refrigerator", Synonyms: []string{"fridge"}},
	{Name: "book"},
	{Name: "clock"},
	{Name: "vase"},
	{Name: "scissors"},
	{Name: "teddy bear"},
	{Name: "hair drier", Synonyms: []string{"hair dryer"}},
	{Name: "toothbrush"},
}

// camvid is in the order of the mask values of the 11-class CamVid masks.
var camvid = []Class{
	{Name: "sky"},
	{Name: "building", Synonyms: []string{"house"}},
	{Name: "pole"},
	{Name: "road"},
	{Name: "pavement", Synonyms: []string{"sidewalk"}},
	{Name: "tree"},
	{Name: "sign", Synonyms: []string{"traffic sign"}},
	{Name: "fence"},
	{Name: "car"},
	{Name: "pedestrian", Synonyms: []string{"person"}},
	{Name: "bicyclist", Synonyms: []string{"cyclist"}},
}
