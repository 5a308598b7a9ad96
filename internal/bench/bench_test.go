package bench

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
)

// files is a dataset in miniature: content by path.
type files map[string][]byte

func (f files) write(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range f {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func (f files) with(name string, content []byte) files {
	c := files{}
	for n, b := range f {
		c[n] = b
	}
	if c[name] = content; content == nil {
		delete(c, name)
	}
	return c
}

// indexed makes a PNG with a palette of 256 colours.
func indexed(width int, values ...uint8) []byte {
	im := image.NewPaletted(image.Rect(0, 0, width, len(values)/width), nil)
	for i := range 256 {
		im.Palette = append(im.Palette, color.RGBA{uint8(i), 0, 0, 255})
	}
	copy(im.Pix, values)
	return encode(im)
}

func grey(width int, values ...uint8) []byte {
	im := image.NewGray(image.Rect(0, 0, width, len(values)/width))
	copy(im.Pix, values)
	return encode(im)
}

func photo(width, height int) []byte { return encode(image.NewRGBA(image.Rect(0, 0, width, height))) }

func encode(im image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func voc() files {
	return files{
		"ImageSets/Segmentation/val.txt": []byte("2007_1\r\n2007_2\n\n"),
		"JPEGImages/2007_1.png":          photo(3, 2),
		"JPEGImages/2007_2.png":          photo(3, 2),
		"SegmentationClass/2007_1.png":   indexed(3, 0, 8, 12, 15, 20, 255),
		"SegmentationClass/2007_2.png":   grey(3, 0, 8, 12, 15, 20, 255),
	}
}

func folder() files {
	return files{
		"classes.txt":  []byte("sky\nroad,street\r\npedestrian\n"),
		"images/a.png": photo(2, 2),
		"masks/a.png":  indexed(2, 0, 1, 2, 255),
		"masks/b.txt":  []byte("no mask"),
	}
}

func TestOpen(t *testing.T) {
	scenes := voc().with("classes.txt", []byte("one\ntwo"+strings.Repeat("\nx", 0)))
	for n := range 19 {
		scenes["classes.txt"] = append(scenes["classes.txt"], []byte("\nmore"+string(rune('a'+n)))...)
	}
	for _, test := range []struct {
		name, layout string
		files        files
		options      Options
		names        string
		background   int
		unnamed      string
		truth        []uint8
	}{
		{"all of VOC", "voc12", voc(), Options{}, "", 0, "", []uint8{0, 8, 12, 15, 20, 255}},
		{"six and background", "voc12", voc(), Options{Classes: []string{"background", "cat", "cow", "dog", "horse", "person", "sheep"}},
			"background,cat,cow,dog,horse,person,sheep", 0, "background", []uint8{0, 1, 3, 5, 0, 255}},
		{"another order", "voc12", voc(), Options{Classes: []string{"dog", "background"}}, "dog,background", 1, "background", []uint8{1, 1, 0, 1, 1, 255}},
		{"without background", "voc12", voc(), Options{Classes: []string{"tvmonitor", "cat"}}, "monitor,cat", -1, "ignored", []uint8{255, 1, 255, 255, 0, 255}},
		{"scenes", "scenes", scenes, Options{}, "", -1, "", []uint8{0, 8, 12, 15, 20, 255}},
		{"folder", "folder", folder(), Options{}, "sky,road,pedestrian", -1, "", []uint8{0, 1, 2, 255}},
		{"synonym", "camvid", folder(), Options{Classes: []string{"street"}}, "road", -1, "ignored", []uint8{255, 0, 255, 255}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Open(test.layout, test.files.write(t), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(d.Names(), ","); test.names != "" && got != test.names {
				t.Errorf("classes %s, want %s", got, test.names)
			}
			if d.Background != test.background || d.Unnamed != test.unnamed {
				t.Errorf("background %d, unnamed %q, want %d, %q", d.Background, d.Unnamed, test.background, test.unnamed)
			}
			for i, s := range d.Samples {
				truth, err := d.Truth(i)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(truth.Labels, test.truth) {
					t.Errorf("truth of %s is %v, want %v", s.ID, truth.Labels, test.truth)
				}
			}
		})
	}
}

func TestLimit(t *testing.T) {
	root := voc().write(t)
	for limit, want := range map[int]int{0: 2, 1: 1, 2: 2, 9: 2} {
		d, err := Open("voc12", root, Options{Limit: limit})
		if err != nil || len(d.Samples) != want {
			t.Errorf("limit %d gives %d photos, %v", limit, len(d.Samples), err)
		}
	}
	if _, err := Open("voc12", root, Options{Limit: -1}); !errors.Is(err, ErrLayout) {
		t.Errorf("limit −1: %v", err)
	}
}

func TestHalf(t *testing.T) {
	root := voc().write(t)
	all, err := Open("voc12", root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, half := range []string{"even", "odd"} {
		d, err := Open("voc12", root, Options{Half: half})
		if err != nil || len(d.Samples) != 1 || d.Samples[0].ID != all.Samples[i].ID {
			t.Errorf("half %s: %v, %v", half, d, err)
		}
	}
	for _, o := range []Options{{Half: "other"}, {Half: "odd", Limit: 1}} {
		if _, err := Open("voc12", root, o); !errors.Is(err, ErrUsage) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestBadLayouts(t *testing.T) {
	list := "ImageSets/Segmentation/val.txt"
	for _, test := range []struct {
		name, layout string
		files        files
		options      Options
		want         error
		says         string
	}{
		{"unknown layout", "voc13", voc(), Options{}, ErrLayout, "voc12, voc21, voc20"},
		{"empty folder", "voc12", files{}, Options{}, ErrLayout, "root folder"},
		{"empty list", "voc12", voc().with(list, []byte("\n")), Options{}, ErrLayout, "no photo"},
		{"missing photo", "voc12", voc().with("JPEGImages/2007_2.png", nil), Options{}, ErrSample, "2007_2"},
		{"missing mask", "voc12", voc().with("SegmentationClass/2007_1.png", nil), Options{}, ErrSample, "2007_1"},
		{"way out", "voc12", voc().with(list, []byte("../../secret")), Options{}, ErrLayout, "line 1"},
		{"absolute", "voc12", voc().with(list, []byte("/etc/passwd")), Options{}, ErrLayout, "leads out"},
		{"backslashes", "voc12", voc().with(list, []byte(`..\..\secret`)), Options{}, ErrLayout, "leads out"},
		{"long name", "voc12", voc().with(list, bytes.Repeat([]byte("a"), 300)), Options{}, ErrLayout, "300 bytes"},
		{"listed twice", "voc12", voc().with(list, []byte("2007_1\n2007_1")), Options{}, ErrLayout, "twice"},
		{"split leads out", "voc12", voc(), Options{Split: "../x"}, ErrLayout, "plain name"},
		{"no such split", "voc12", voc(), Options{Split: "train"}, ErrLayout, "train.txt"},
		{"unknown class", "voc12", voc(), Options{Classes: []string{"unicorn"}}, vocab.ErrClasses, "unicorn"},
		{"class twice", "voc12", voc(), Options{Classes: []string{"cat", "kitten"}}, ErrLayout, "twice"},
		{"no classes file", "folder", folder().with("classes.txt", nil), Options{}, ErrLayout, "classes.txt"},
		{"empty classes file", "folder", folder().with("classes.txt", []byte("\n")), Options{}, ErrLayout, "line 1"},
		{"gap in classes", "folder", folder().with("classes.txt", []byte("a\n\nb")), Options{}, ErrLayout, "line 2"},
		{"duplicate class", "folder", folder().with("classes.txt", []byte("a\nA")), Options{}, ErrLayout, "once"},
		{"256 classes", "folder", folder().with("classes.txt", bytes.Repeat([]byte("x\n"), 256)), Options{}, limits.ErrTooLarge, "255"},
		{"huge classes file", "folder", folder().with("classes.txt", bytes.Repeat([]byte("x\n"), 1<<20)), Options{}, limits.ErrTooLarge, "classes.txt"},
		{"no masks", "folder", files{"classes.txt": []byte("a")}, Options{}, ErrLayout, "masks"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(test.layout, test.files.write(t), test.options)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error is %v, want %v that says %q", err, test.want, test.says)
			}
		})
	}
}

func TestBadMasks(t *testing.T) {
	for name, mask := range map[string][]byte{
		"empty":                  {},
		"text":                   []byte("mask"),
		"colours":                photo(3, 2),
		"value that is no class": indexed(3, 0, 0, 0, 0, 0, 21),
		"cut":                    indexed(3, 0, 0, 0, 0, 0, 0)[:60],
		"claims 100,000 square":  claiming(100_000, 100_000),
		"claims 2³¹ columns":     claiming(1<<31-1, 1),
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Open("voc12", voc().with("SegmentationClass/2007_1.png", mask).write(t), Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Truth(0)
			if !errors.Is(err, ErrSample) || !strings.Contains(err.Error(), "2007_1.png") {
				t.Errorf("error is %v, want ErrSample that names the file", err)
			}
			if strings.HasPrefix(name, "claims") && !errors.Is(err, limits.ErrTooLarge) {
				t.Errorf("error is %v, want ErrTooLarge", err)
			}
		})
	}
}

// claiming makes the head of a PNG of a size that it does not have.
func claiming(width, height uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, width)
	b = binary.BigEndian.AppendUint32(b, height)
	b = append(b, 8, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestGreyOfFewBits(t *testing.T) {
	// A 1×1 picture of 4-bit grey with the value 3: image/png writes none.
	head := claiming(1, 1)[:16]
	head = binary.BigEndian.AppendUint32(head, 1)
	head = binary.BigEndian.AppendUint32(head, 1)
	head = append(head, 4, 0, 0, 0, 0)
	head = binary.BigEndian.AppendUint32(head, crc32.ChecksumIEEE(head[12:]))
	// zlib: one stored block of two bytes, filter 0 and the value in the upper half
	data := []byte{0x78, 0x01, 0x01, 0x02, 0x00, 0xFD, 0xFF, 0x00, 0x30, 0x00, 0x32, 0x00, 0x31}
	chunk := append([]byte("IDAT"), data...)
	head = binary.BigEndian.AppendUint32(head, uint32(len(data)))
	head = append(head, chunk...)
	head = binary.BigEndian.AppendUint32(head, crc32.ChecksumIEEE(chunk))
	head = append(head, "\x00\x00\x00\x00IEND\xae\x42\x60\x82"...)
	var labels [256]int16
	for v := range labels {
		labels[v] = int16(v)
	}
	truth, err := decodeMask(head, &labels)
	if err != nil || truth.Labels[0] != 3 {
		t.Errorf("truth is %v, %v, want 3", truth, err)
	}
}

func FuzzMask(f *testing.F) {
	f.Add(indexed(3, 0, 8, 12, 15, 20, 255))
	f.Add(grey(3, 0, 8, 12, 15, 20, 255))
	f.Add(photo(2, 2))
	f.Add(claiming(100_000, 100_000))
	var labels [256]int16
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			return
		}
		truth, err := decodeMask(content, &labels)
		if err == nil && len(truth.Labels) != truth.Width*truth.Height {
			t.Errorf("%d labels for %d×%d pixels", len(truth.Labels), truth.Width, truth.Height)
		}
	})
}

func TestSharedData(t *testing.T) {
	data := os.Getenv("GROUPVIT_DATA")
	if data == "" {
		t.Skip("GROUPVIT_DATA names no folder with VOCdevkit and camvid")
	}
	for _, test := range []struct {
		layout, root string
		photos       int
		background   float64 // share of pixels of label 0, percent
	}{
		{"voc12", "VOCdevkit/VOC2012", 240, 71.75},
		{"camvid", "camvid", 60, 17.7},
	} {
		d, err := Open(test.layout, filepath.Join(data, test.root), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Samples) != test.photos {
			t.Errorf("%s has %d photos, want %d", test.layout, len(d.Samples), test.photos)
		}
		var counts [256]int
		total := 0
		for i := range d.Samples {
			truth, err := d.Truth(i)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range truth.Labels {
				counts[l]++
				if l != Ignore {
					total++
				}
			}
		}
		if share := 100 * float64(counts[0]) / float64(total); share < test.background-0.06 || share > test.background+0.06 {
			t.Errorf("%s: label 0 has %.2f %% of the pixels, want %.2f", test.layout, share, test.background)
		}
	}
}
