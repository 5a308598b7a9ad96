package bench

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/vocab"
)

// pascalContext is PASCAL Context in miniature: values 0 (background), 1 (aeroplane) and
// 59 (wood).
func pascalContext() files {
	return files{
		"ImageSets/SegmentationContext/val.txt": []byte("2008_1\n"),
		"JPEGImages/2008_1.png":                 photo(2, 2),
		"SegmentationClassContext/2008_1.png":   grey(2, 0, 1, 59, 255),
	}
}

func coco(end string, values ...uint8) files {
	return files{
		"images/val2017/000000000139.png":        photo(2, 2),
		"annotations/val2017/000000000139" + end: grey(2, values...),
		"annotations/val2017/000000000139.png":   grey(2, 9, 9, 9, 9), // the raw mask beside it
		"images/train2017/000000000009.png":      photo(1, 1),
	}
}

func ade() files {
	return files{
		"images/validation/ADE_val_00000001.png":      photo(2, 2),
		"annotations/validation/ADE_val_00000001.png": grey(2, 0, 1, 150, 255),
		"images/validation/notes.txt":                 nil,
	}
}

func street() files {
	return files{
		"leftImg8bit/val/munster/munster_1_leftImg8bit.png":         photo(2, 2),
		"gtFine/val/munster/munster_1_gtFine_labelTrainIds.png":     grey(2, 0, 18, 255, 11),
		"leftImg8bit/val/frankfurt/frankfurt_1_leftImg8bit.png":     photo(2, 2),
		"gtFine/val/frankfurt/frankfurt_1_gtFine_labelTrainIds.png": grey(2, 0, 18, 255, 11),
		"leftImg8bit/val/frankfurt/another_picture.png":             photo(1, 1),
	}
}

// The official layouts in miniature: which classes their values mean.
func TestOfficialLayouts(t *testing.T) {
	augmented := voc().with("SegmentationClass/2007_1.png", nil).with("SegmentationClassAug/2007_1.png", grey(3, 0, 8, 12, 15, 20, 255))
	for _, test := range []struct {
		layout, benchmark, ids string
		files                  files
		options                Options
		classes, background    int
		// truth is of the last sample.
		truth []uint8
		named string // the class of its second pixel
	}{
		{"voc12", "voc21", "2007_1 2007_2", voc(), Options{}, 21, 0, []uint8{0, 8, 12, 15, 20, 255}, "cat"},
		{"voc21", "voc21", "2007_1 2007_2", augmented, Options{}, 21, 0, []uint8{0, 8, 12, 15, 20, 255}, "cat"},
		{"voc20", "voc20", "2007_1 2007_2", voc(), Options{}, 20, -1, []uint8{255, 7, 11, 14, 19, 255}, "cat"},
		{"voc20", "voc20", "2007_1 2007_2", voc(), Options{Classes: []string{"dog", "cat"}}, 2, -1, []uint8{255, 1, 0, 255, 255, 255}, "cat"},
		{"context60", "context60", "2008_1", pascalContext(), Options{}, 60, 0, []uint8{0, 1, 59, 255}, "airplane"},
		{"context60", "context60", "2008_1", pascalContext().with("ImageSets/SegmentationContext/val.txt", []byte("2008_1.jpg\n")), Options{}, 60, 0, []uint8{0, 1, 59, 255}, "airplane"},
		{"context59", "context59", "2008_1", pascalContext(), Options{}, 59, -1, []uint8{255, 0, 58, 255}, "airplane"},
		{"coco-object", "coco-object", "000000000139", coco("_instanceTrainIds.png", 0, 1, 80, 2), Options{}, 81, 0, []uint8{0, 1, 80, 2}, "person"},
		{"coco-stuff", "coco-stuff", "000000000139", coco("_labelTrainIds.png", 0, 80, 170, 255), Options{}, 171, -1, []uint8{0, 80, 170, 255}, "banner"},
		{"ade20k", "ade20k", "ADE_val_00000001", ade(), Options{}, 150, -1, []uint8{255, 0, 149, 255}, "wall"},
		{"cityscapes", "cityscapes", "frankfurt/frankfurt_1 munster/munster_1", street(), Options{}, 19, -1, []uint8{0, 18, 255, 11}, "bicycle"},
	} {
		t.Run(test.layout, func(t *testing.T) {
			d, err := Open(test.layout, test.files.write(t), test.options)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for i, s := range d.Samples {
				ids = append(ids, s.ID)
				if _, _, err := d.Load(i); err != nil {
					t.Errorf("%s: %v", s.ID, err)
				}
			}
			if got := strings.Join(ids, " "); got != test.ids {
				t.Errorf("samples %s, want %s", got, test.ids)
			}
			if len(d.Classes) != test.classes || d.Background != test.background || d.Benchmark != test.benchmark {
				t.Errorf("%d classes, background %d, benchmark %s", len(d.Classes), d.Background, d.Benchmark)
			}
			truth, err := d.Truth(len(d.Samples) - 1)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(truth.Labels, test.truth) || d.Classes[truth.Labels[1]].Name != test.named {
				t.Errorf("truth %v, want %v and %s", truth.Labels, test.truth, test.named)
			}
		})
	}
}

func TestBadTrees(t *testing.T) {
	for _, test := range []struct {
		name, layout string
		files        files
		options      Options
		want         error
		says         string
	}{
		{"not converted", "coco-object", coco("_other.png", 0, 0, 0, 0), Options{}, ErrSample, "data convert"},
		{"no such split", "coco-object", coco("_instanceTrainIds.png", 0, 0, 0, 0), Options{Split: "test2017"}, ErrLayout, "root folder"},
		{"split leads out", "ade20k", ade(), Options{Split: ".."}, ErrLayout, "plain name"},
		{"no photos", "cityscapes", files{"leftImg8bit/val/a.txt": {1}}, Options{}, ErrLayout, "no photo"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(test.layout, test.files.write(t), test.options)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error is %v, want %v that says %q", err, test.want, test.says)
			}
		})
	}
}

// classes.txt is read or refused; what is read is a list of labels.
func FuzzClasses(f *testing.F) {
	for _, seed := range []string{"sky\nroad,street\r\npedestrian\n", "a\n\nb", "\uFEFFa, b ,c\n", "a,a", ",", "\x00", strings.Repeat("x\n", 300)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		classes, err := parseClasses("classes.txt", text)
		if err != nil {
			return
		}
		if len(classes) == 0 || len(classes) > Ignore {
			t.Fatalf("%d classes", len(classes))
		}
		if again, err := vocab.CheckLabels(classes); err != nil || len(again) != len(classes) {
			t.Fatalf("%q: read and then refused: %v", text, err)
		}
	})
}

func FuzzPhotoList(f *testing.F) {
	f.Add([]byte("2007_1\r\n2007_2\n\n"))
	f.Add([]byte("../x\n"))
	f.Add([]byte("a\x00b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ids, err := parseList("val.txt", text)
		for _, id := range ids {
			if err == nil && !strings.HasPrefix(path.Join("root", id), "root/") {
				t.Fatalf("%q leads out", id)
			}
		}
	})
}
