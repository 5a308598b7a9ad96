package selftrain

import (
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

// vocNames are the classes of VOC by the value of their pixels, as vocabularies call
// them.
var vocNames = strings.Split("background,airplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,dining table,dog,horse,motorbike,person,potted plant,sheep,sofa,train,tv", ",")

// truePhoto is a benchmark photo whose true classes stand for its caption.
type truePhoto struct {
	photo *imaging.Image
	truth *image.Paletted
	scene Scene
	class map[string]int // by word
}

// camvidNames are those of CamVid, after a background that it has not; people on
// bicycles are people.
var camvidNames = strings.Split("background,sky,building,pole,road,sidewalk,tree,sign,fence,car,person,person", ",")

// benchmark is a folder of photos with masks.
type benchmark struct {
	name, masks, photos string
	names               []string
	first               int // value of the first class
}

var benchmarks = []benchmark{
	{"voc", "VOCdevkit/VOC2012/SegmentationClass", "VOCdevkit/VOC2012/JPEGImages", vocNames, 1},
	{"coco20", "coco20/VOC2012/SegmentationClass", "coco20/VOC2012/JPEGImages", vocNames, 1},
	{"camvid", "camvid/masks", "camvid/images", camvidNames, 0},
}

// read reads every other photo, and the first two hundred at most.
func (b benchmark) read(t *testing.T, root string, w *Words) (list []truePhoto) {
	t.Helper()
	masks, err := filepath.Glob(filepath.Join(root, b.masks, "*.png"))
	if err != nil || len(masks) == 0 {
		t.Skipf("no masks in %s: %v", root, err)
	}
	for i, path := range masks {
		if i%2 == 1 {
			continue
		}
		p := truePhoto{class: map[string]int{}}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		im, err := png.Decode(f)
		f.Close()
		truth, ok := im.(*image.Paletted)
		if err != nil || !ok {
			t.Fatalf("%s: %T, %v", path, im, err)
		}
		p.truth = truth
		photo, err := os.ReadFile(filepath.Join(root, b.photos, strings.TrimSuffix(filepath.Base(path), ".png")+".jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if p.photo, err = imaging.DecodeBytes(photo, imaging.Options{}); err != nil {
			t.Fatal(err)
		}
		var seen [256]int
		for i, v := range truth.Pix {
			if v != pairs.LabelUnknown {
				v += uint8(1 - b.first)
			}
			if int(v) == len(camvidNames)-1 && b.first == 0 {
				v--
			}
			truth.Pix[i] = v
			seen[v]++
		}
		var captions []string
		for c := 1; c < len(b.names); c++ {
			if seen[c] > len(truth.Pix)/500 {
				captions = append(captions, b.names[c])
				if word, ok := w.list.Find(b.names[c]); ok {
					p.class[word.Name] = c
				}
			}
		}
		p.scene = w.Scene(captions, nil)
		p.scene.limit(w, 6, make([]int, w.things))
		list = append(list, p)
	}
	return list
}

// overlap counts intersections and unions by class, in pixels of the truth. Ignored
// places count as background.
type overlap struct {
	both, mask, truth [21]float64
	ignored, all      float64
}

func (o *overlap) add(p truePhoto, m *Mask) {
	size := p.truth.Rect.Size()
	for y := range size.Y {
		for x := range size.X {
			is := int(p.truth.Pix[y*p.truth.Stride+x])
			if is >= len(vocNames) {
				continue
			}
			v := m.Pix[y*m.Height/size.Y*m.Width+x*m.Width/size.X]
			says := 0
			o.all++
			if v == pairs.LabelUnknown {
				o.ignored++
			} else if v != pairs.LabelBackground {
				says = p.class[m.Words[v-1]]
			}
			o.mask[says]++
			o.truth[is]++
			if says == is {
				o.both[is]++
			}
		}
	}
}

func (o *overlap) mean() float64 {
	var sum, n float64
	for c, t := range o.truth {
		if t > 0 {
			sum += o.both[c] / (t + o.mask[c] - o.both[c])
			n++
		}
	}
	return 100 * sum / n
}

// TestMendsOnPhotos measures what each part of the rule brings, as mIoU of masks of
// benchmark photos whose true classes are taken for their captions:
//
//	GROUPVIT_DATA=DIR GROUPVIT_MODEL=DIR GROUPVIT_VOCABULARY=FILE \
//	  go test ./internal/selftrain -run MendsOnPhotos -v
//
// Words are balanced on the training shards below DIR.
func TestMendsOnPhotos(t *testing.T) {
	root := os.Getenv("GROUPVIT_DATA")
	if root == "" {
		t.Skip("GROUPVIT_DATA names no folder with VOCdevkit, coco20 and train")
	}
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	model := os.Getenv("GROUPVIT_MODEL")
	if model == "" {
		model = groupvit.DefaultModel
	}
	sources := os.Getenv("GROUPVIT_SOURCES")
	if sources == "" {
		sources = filepath.Join(root, "train")
	}
	words := nouns.Builtin()
	if path := os.Getenv("GROUPVIT_VOCABULARY"); path != "" {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if words, err = nouns.ReadVocabulary(f); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	base := Default()
	base.BalancePhotos = 40
	if os.Getenv("GROUPVIT_ROUND") == "2" {
		base = Later()
		base.BalancePhotos = 40
	}
	r := &run{Options: Options{
		Sources: sources, Models: []string{model}, Vocabulary: words, Settings: base, Compute: groupvit.Options{Threads: 1, Precision: os.Getenv("GROUPVIT_PRECISION")},
		Stage: func(text string) { t.Log(text) },
	}}
	defer r.close()
	if err := r.open(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.name(ctx); err != nil {
		t.Fatal(err)
	}
	sample, err := r.balanceSample(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sets := benchmarks
	photos := make([][]truePhoto, len(sets))
	sights := make([][]*sight, len(sets))
	for i, set := range sets {
		photos[i] = set.read(t, root, r.words)
		for from := 0; from < len(photos[i]); from += photosAtOnce {
			var list []*imaging.Image
			for _, p := range photos[i][from:min(from+photosAtOnce, len(photos[i]))] {
				list = append(list, p.photo)
			}
			s, err := r.teachers[0].look(ctx, list)
			if err != nil {
				t.Fatal(err)
			}
			sights[i] = append(sights[i], s)
		}
	}
	for _, v := range variants {
		if only := os.Getenv("GROUPVIT_VARIANT"); !strings.Contains(v.name, only) {
			continue
		}
		s := base
		v.change(&s)
		r.Settings = s
		if r.bonuses, err = s.fit(ctx, r.words, sample, 2); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%-44s", v.name)
		for i := range sets {
			var o overlap
			for k, p := range photos[i] {
				m, err := r.mask(p.scene, sights[i][k/photosAtOnce], k%photosAtOnce, p.photo)
				if err != nil {
					t.Fatal(err)
				}
				o.add(p, m)
			}
			at := slices.Index(sets[i].names, "person")
			person := o.both[at] / math.Max(o.truth[at]+o.mask[at]-o.both[at], 1)
			line += fmt.Sprintf(" | %5.2f ignored %4.1f%% fg %4.1f%% person %4.1f", o.mean(), 100*o.ignored/o.all, 100*(1-o.mask[0]/o.all), 100*person)
		}
		t.Log(line)
	}
}

// variants are the rule with one part changed.
var variants = []struct {
	name   string
	change func(s *Settings)
}{
	{"as it is", func(*Settings) {}},
	{"stuff words that are not named", func(s *Settings) { s.NamedStuffOnly = false }},
	{"no bonus for stuff words", func(s *Settings) { s.BalanceNamedStuff = false }},
	{"argmax of probabilities", func(s *Settings) { s.Evenness = 0 }},
	{"argmax of shares", func(s *Settings) { s.Evenness = 1 }},
	{"no bonus", func(s *Settings) { s.Balance = BalanceNone }},
	{"calibration", func(s *Settings) { s.Balance = BalanceCalibrate }},
	{"calibration, argmax of probabilities", func(s *Settings) { s.Balance = BalanceCalibrate; s.Evenness = 0 }},
	{"no bonus for the person", func(s *Settings) { s.BalancePerson = false }},
	{"2 of the bonus against stuff", func(s *Settings) { s.BalanceStuff = 2 }},
	{"3 of the bonus against stuff", func(s *Settings) { s.BalanceStuff = 3 }},
	{"cap 6", func(s *Settings) { s.BalanceCap, s.BalanceStuff = 6, 6 }},
	{"no person parts", func(s *Settings) { s.PersonParts = false }},
	{"no vote", func(s *Settings) { s.VoteSuperpixels = 0 }},
	{"mild vote", func(s *Settings) { s.VoteSpread, s.VoteLevels = .5, 0 }},
	{"high and low 0.6 and 0.35", func(s *Settings) { s.High, s.Low = .6, .35 }},
	{"high and low 0.75 and 0.45", func(s *Settings) { s.High, s.Low = .75, .45 }},
	{"least 0", func(s *Settings) { s.Least = 0 }},
	{"least 0.2", func(s *Settings) { s.Least = 0.2 }},
	{"faint 0", func(s *Settings) { s.Faint = 0 }},
	{"faint 0.1", func(s *Settings) { s.Faint = 0.1 }},
}
