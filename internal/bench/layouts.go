package bench

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/textio"
	"github.com/groupvit/groupvit/internal/vocab"
)

// layout says where a dataset's files lie and what its mask values mean.
type layout struct {
	name string
	// classes is the list of class names, "" for classes.txt.
	classes string
	// benchmark is its name among the protocols' rules, if any has some.
	benchmark string
	// zeroIgnored: mask value 0 is ignored, class i has the value i+1.
	zeroIgnored bool
	// ignored is a mask value that does not count, beside 255; 0 is none.
	ignored uint8
	// list finds the photos and masks of a split; l is told what is not used.
	list func(root, split string, l *listing) ([]Sample, error)
}

// layouts are what [Open] knows:
//
//   - voc12 (voc21): JPEGImages/ID.jpg, SegmentationClass/ID.png (or, where that
//     is missing, SegmentationClassAug/ID.png), ImageSets/Segmentation/SPLIT.txt;
//     0 is background, 255 is ignored. voc20: background is ignored too.
//   - context60, context59: the same with SegmentationClassContext/ and
//     ImageSets/SegmentationContext/.
//   - coco-object: images/SPLIT/ID.jpg, annotations/SPLIT/ID_instanceTrainIds.png;
//     coco-stuff: annotations/SPLIT/ID_labelTrainIds.png.
//   - ade20k: images/SPLIT/ID.jpg, annotations/SPLIT/ID.png; 0 is ignored.
//   - cityscapes: leftImg8bit/SPLIT/CITY/ID_leftImg8bit.png,
//     gtFine/SPLIT/CITY/ID_gtFine_labelTrainIds.png.
//   - scenes: VOC's folders (photos may be PNG) and classes.txt; what "groupvit
//     data synth" writes.
//   - camvid: SPLIT/NAME.png, SPLITannot/NAME.png, 11 is ignored, as SegNet's authors
//     publish it; else as folder.
//   - folder: images/NAME.jpg (or .png), masks/NAME.png, classes.txt.
//   - voc: VOC's folders; classes.txt or, without it, VOC's 21; without a split, all
//     that have a mask.
//   - beside: NAME.jpg and its mask in one folder, NAME.png or NAME_mask.png (see
//     maskNames), classes.txt.
//
// Photos may be of any kind that package imaging reads, whatever the case of their
// extensions.
var layouts = []layout{
	{name: "voc12", classes: "voc12", benchmark: "voc21", list: vocFolders.list},
	{name: "voc21", classes: "voc12", benchmark: "voc21", list: vocFolders.list},
	{name: "voc20", classes: "voc20", benchmark: "voc20", zeroIgnored: true, list: vocFolders.list},
	{name: "context60", classes: "context60", benchmark: "context60", list: contextFolders.list},
	{name: "context59", classes: "context59", benchmark: "context59", zeroIgnored: true, list: contextFolders.list},
	{name: "coco-object", classes: "coco-object", benchmark: "coco-object", list: cocoObjectTree.list},
	{name: "coco-stuff", classes: "coco-stuff", benchmark: "coco-stuff", list: cocoStuffTree.list},
	{name: "ade20k", classes: "ade20k", benchmark: "ade20k", zeroIgnored: true, list: adeTree.list},
	{name: "cityscapes", classes: "cityscapes", benchmark: "cityscapes", list: cityscapesTree.list},
	{name: "scenes", list: vocFolders.list},
	{name: "camvid", list: folderSamples},
	{name: "folder", list: folderSamples},
	{name: "voc", list: vocSamples},
	{name: "beside", list: besideSamples},
}

var (
	vocFolders     = listed{masks: []string{"SegmentationClass", "SegmentationClassAug"}, lists: "Segmentation"}
	contextFolders = listed{masks: []string{"SegmentationClassContext"}, lists: "SegmentationContext"}
	cocoObjectTree = tree{photos: "images", masks: "annotations", maskEnd: "_instanceTrainIds.png", split: "val2017"}
	cocoStuffTree  = tree{photos: "images", masks: "annotations", maskEnd: "_labelTrainIds.png", split: "val2017"}
	adeTree        = tree{photos: "images", masks: "annotations", maskEnd: ".png", split: "validation"}
	// CamVid of SegNet's authors has the 11 classes of the list and void.
	camvidLayout   = layout{name: "camvid", classes: "camvid", ignored: 11, list: camvidSamples}
	cityscapesTree = tree{photos: "leftImg8bit", photoEnd: "_leftImg8bit", masks: "gtFine", maskEnd: "_gtFine_labelTrainIds.png", split: "val"}
)

// Layouts returns the names that [Open] knows.
func Layouts() []string {
	var names []string
	for _, l := range layouts {
		names = append(names, l.name)
	}
	return names
}

// findLayout finds a layout by its name, and as the root has it where there are two.
func findLayout(name, root string) (layout, error) {
	for _, l := range layouts {
		if l.name != name {
			continue
		}
		info, err := os.Stat(filepath.Join(root, "classes.txt"))
		switch own := err == nil && !info.IsDir(); {
		case l.name == "camvid" && !own:
			return camvidLayout, nil
		case l.name == "voc" && !own:
			l.classes = "voc12"
		}
		return l, nil
	}
	return layout{}, fmt.Errorf("%w: %w: no layout %q: one of %s", ErrLayout, ErrUsage, name, strings.Join(Layouts(), ", "))
}

// checkSplit refuses a split that is no plain name.
func checkSplit(split string) error {
	if !filepath.IsLocal(split) || strings.ContainsAny(split, `/\`) {
		return fmt.Errorf("%w: %w: the split %q is no plain name", ErrLayout, ErrUsage, split)
	}
	return nil
}

// checkID refuses names that lead out of the dataset.
func checkID(id string) error {
	switch {
	case len(id) > 255:
		return fmt.Errorf("%.40q… has %d bytes, at most 255 make a file name", id, len(id))
	case filepath.Clean(id) == ".":
		return fmt.Errorf("%q is no name of a photo", id)
	case !filepath.IsLocal(filepath.FromSlash(id)) || strings.ContainsAny(id, "\\\x00"):
		return fmt.Errorf("%q leads out of the dataset", id)
	}
	return nil
}

// readClasses reads classes.txt: line number = mask value.
func readClasses(root string) ([]vocab.Class, error) {
	path := filepath.Join(root, "classes.txt")
	text, err := readCapped(path, 2*limits.Labels*limits.LabelBytes)
	if err != nil {
		return nil, err
	}
	return parseClasses(path, text)
}

// parseClasses reads one class a line, synonyms after it parted by commas.
func parseClasses(path string, text []byte) ([]vocab.Class, error) {
	content := strings.TrimRight(strings.TrimPrefix(string(text), "\uFEFF"), " \t\r\n")
	var classes []vocab.Class
	for i, line := range strings.Split(content, "\n") {
		names := strings.Split(strings.TrimSpace(line), ",")
		if names[0] == "" {
			return nil, fmt.Errorf("%w: %s: line %d names no class, and the line number is the mask value", ErrLayout, path, i+1)
		}
		classes = append(classes, vocab.Class{Name: names[0], Synonyms: slices.Clip(names[1:])})
	}
	if len(classes) > Ignore {
		return nil, fmt.Errorf("%w: %s: %w", ErrLayout, path, limits.Check("the number of classes", path, int64(len(classes)), Ignore, "mask value 255 is ignored pixels"))
	}
	classes, err := vocab.CheckLabels(classes)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLayout, path, err)
	}
	return classes, nil
}

// readCapped reads a whole text file of at most limit bytes.
func readCapped(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %w: is the root folder right?", ErrLayout, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	return textio.Normalize(text), limits.Check("its size in bytes", path, int64(len(text)), limit, "a list holds one name a line")
}
