package groupvit_test

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/engine"
)

// agreement is the share of pixels, in percent, that must keep their label in each precision.
var agreement = map[string]float64{engine.BF16: 99.5, engine.Int8: 99}

// TestPrecisionsAgree segments the photos of VOC in each precision that this machine has, and in float32. It takes
// the embedded model, or the one that GROUPVIT_TEST_MODEL names: drawn weights would have no opinion to agree on.
func TestPrecisionsAgree(t *testing.T) {
	root := os.Getenv("GROUPVIT_DATA")
	if root == "" {
		t.Skip("GROUPVIT_DATA names no folder with VOCdevkit")
	}
	name := os.Getenv("GROUPVIT_TEST_MODEL")
	if name == "" && !hasDefault() {
		t.Skip("neither models/default nor GROUPVIT_TEST_MODEL")
	}
	if len(engine.Precisions()) == 1 {
		t.Skip("this machine has float32 alone")
	}
	photos := vocPhotos(t, root)
	exact := labelsOfPhotos(t, name, engine.Float32, photos)
	for _, precision := range engine.Precisions()[1:] {
		t.Run(precision, func(t *testing.T) {
			same, all := 0, 0
			for i, labels := range labelsOfPhotos(t, name, precision, photos) {
				for j, l := range labels {
					if l == exact[i][j] {
						same++
					}
				}
				all += len(labels)
			}
			share := 100 * float64(same) / float64(all)
			t.Logf("%d photos: %.3f %% of the pixels are equal", len(photos), share)
			if share < agreement[precision] || share == 100 {
				t.Errorf("%.3f %% of the pixels are equal, at least %v and not all were expected", share, agreement[precision])
			}
		})
	}
}

// vocPhotos are those that ImageSets lists.
func vocPhotos(t *testing.T, root string) []image.Image {
	voc := filepath.Join(root, "VOCdevkit", "VOC2012")
	list, err := os.ReadFile(filepath.Join(voc, "ImageSets", "Segmentation", "val.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var photos []image.Image
	for _, name := range strings.Fields(string(list)) {
		f, err := os.Open(filepath.Join(voc, "JPEGImages", name+".jpg"))
		if err != nil {
			t.Fatal(err)
		}
		photo, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		photos = append(photos, photo)
	}
	return photos
}

// labelsOfPhotos gives the label of each pixel.
func labelsOfPhotos(t *testing.T, model, precision string, photos []image.Image) [][]uint16 {
	m, err := groupvit.Open(t.Context(), model, &groupvit.Options{Engine: engine.SIMD, Precision: precision})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	words := strings.Split("aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,table,dog,horse,motorbike,person,plant,sheep,sofa,train,monitor", ",")
	var all [][]uint16
	for _, photo := range photos {
		s, err := m.Segment(t.Context(), photo, words, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s.Map.Labels)
	}
	return all
}
