package pairs

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/synth"
)

// labelledScenes draws scenes with label maps and returns options that read them.
func labelledScenes(t *testing.T, n int) Options {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scenes")
	if err := synth.Write(context.Background(), dir, synth.DataOptions{Scenes: n, Seed: 3, Shards: true, Labels: true}); err != nil {
		t.Fatal(err)
	}
	var words []nouns.Word
	for i, w := range synth.Words() {
		word := nouns.Word{Name: w}
		if synth.IsGround(i) {
			word.Kind = nouns.Stuff
		}
		words = append(words, word)
	}
	return Options{
		Sources: dir, Batch: 8, ImageSize: 32, Context: 20, Captions: true, Seed: 7, Labels: true, LabelCell: 8,
		Nouns:   NounOptions{Mode: NounsList, Words: words, Distinct: true, Templates: []string{"a {}"}, Pad: 4},
		Augment: Augment{Crop: CropBatch, Flip: 0.5},
	}
}

func firstBatch(t *testing.T, o Options) (*Loader, *Batch) {
	t.Helper()
	l, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	b, err := l.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return l, b
}

// shown is what a cell of a batch shows: a word, "some background" or "".
func shown(b *Batch, i, cell int) string {
	at := i*(len(b.Labels)/b.Size) + cell
	switch {
	case b.Word[at] > 0:
		return b.Nouns[b.Labels[at]]
	case b.Background[at] > 0:
		return "some background"
	}
	return ""
}

// Crop and flip move the label map exactly as they move the picture: a picture that
// is its own label map, drawn in colours, shows after them at each cell's centre the
// colour of the cell's label.
func TestLabelsFollowThePicture(t *testing.T) {
	const side = 96
	dir := t.TempDir()
	for k := range 6 {
		photo, labels := image.NewRGBA(image.Rect(0, 0, side, side)), image.NewGray(image.Rect(0, 0, side, side))
		for y := range side {
			for x := range side {
				v := uint8(1 + (x/16+2*(y/16)+k)%5) // areas of 16 pixels, no symmetry
				labels.SetGray(x, y, color.Gray{Y: v})
				photo.Set(x, y, color.RGBA{v * 40, v * 40, v * 40, 255})
			}
		}
		name := filepath.Join(dir, string(rune('a'+k)))
		writePNG(t, name+".png", photo)
		writePNG(t, name+".labels.png", labels)
		writeFile(t, name+".json", `{"captions": ["a scene"], "labels": ["one", "two", "three", "four", "five"]}`)
	}
	names := []string{"one", "two", "three", "four", "five"}
	var words []nouns.Word
	for _, n := range names {
		words = append(words, nouns.Word{Name: n})
	}
	o := Options{
		Sources: dir, Batch: 64, ImageSize: 96, Context: 8, Captions: true, Seed: 1, Labels: true, LabelCell: 8,
		Mean: [3]float32{}, Std: [3]float32{1, 1, 1},
		Nouns:   NounOptions{Mode: NounsList, Words: words, Distinct: true, Templates: []string{"a {}"}, Pad: 1},
		Augment: Augment{Crop: CropBatch, Flip: 0.5, Mosaic: 0.4, Cutmix: 0.4},
	}
	_, b := firstBatch(t, o)
	cells, wrong, mixed := 12, 0, 0
	for i := range b.Size {
		if b.CaptionWeight[i] == 0 {
			mixed++
		}
		for cell := range cells * cells {
			// The pixel at the cell's centre, of a channel: its colour is its label.
			y, x := cell/cells*8+4, cell%cells*8+4
			v := b.Pixels[(3*i*96+y)*96+x] * 255 / 40
			word := shown(b, i, cell)
			want := slices.Index(names, word) + 1
			if want == 0 {
				t.Fatalf("picture %d, cell %d shows %q", i, cell, word)
			}
			if v < float32(want)-0.5 || v > float32(want)+0.5 {
				wrong++
			}
		}
	}
	// Resizing blends colours where areas meet.
	if share := float64(wrong) / float64(b.Size*cells*cells); share > 0.12 {
		t.Errorf("%.1f %% of the cells show another colour than their label's", 100*share)
	}
	if mixed < 30 || mixed == b.Size {
		t.Errorf("%d of %d pictures are mixed, about 51 were asked for", mixed, b.Size)
	}
}

// plainGrid is the label map of a part by the definition.
func plainGrid(m *LabelMap, r rectangle, width, height int, flip bool, n int) []uint8 {
	out := make([]uint8, n*n)
	for y := range n {
		for x := range n {
			from := x
			if flip {
				from = n - 1 - x
			}
			px := place(r.x, r.width, width, from, n, m.Width)
			py := place(r.y, r.height, height, y, n, m.Height)
			out[y*n+x] = m.Pix[py*m.Width+px]
		}
	}
	return out
}

// place is the pixel of a map of so many under the centre of a cell, in fractions.
func place(from, size, whole, cell, n, pixels int) int {
	centre := new(big.Rat).Add(big.NewRat(int64(from), 1), new(big.Rat).Mul(big.NewRat(int64(2*cell+1), int64(2*n)), big.NewRat(int64(size), 1)))
	at := centre.Mul(centre, big.NewRat(int64(pixels), int64(whole)))
	return int(new(big.Int).Quo(at.Num(), at.Denom()).Int64())
}

func TestGridOfLabels(t *testing.T) {
	d := newRNG(5, forPicture)
	for range 500 {
		m := &LabelMap{Width: 1 + d.intn(40), Height: 1 + d.intn(40)}
		for range m.Width * m.Height {
			m.Pix = append(m.Pix, uint8(d.intn(256)))
		}
		width, height := 8+d.intn(100), 8+d.intn(100)
		r := rectangle{width: 1 + d.intn(width), height: 1 + d.intn(height)}
		r.x, r.y = d.intn(width-r.width+1), d.intn(height-r.height+1)
		flip, n := d.intn(2) == 1, 1+d.intn(12)
		if got, want := m.grid(r, width, height, flip, n), plainGrid(m, r, width, height, flip, n); !slices.Equal(got, want) {
			t.Fatalf("%+v of %d×%d, flip %v, %d cells: %v, want %v", r, width, height, flip, n, got, want)
		}
	}
}

// Every part of a mixed picture, pixels and labels, is that of its sample alone.
func TestMixedPictures(t *testing.T) {
	o := labelledScenes(t, 20)
	for name, chance := range map[string]*float64{"mosaic": &o.Augment.Mosaic, "cutmix": &o.Augment.Cutmix} {
		o.Augment.Mosaic, o.Augment.Cutmix = 0, 0
		*chance = 1
		l, b := firstBatch(t, o)
		o := l.options
		m := &batchBuilder{Loader: l, crop: o.Augment.batchCrop(newRNG(o.Seed, forCrop, 0))}
		n := 3 * o.ImageSize * o.ImageSize
		for i := range b.Size {
			if b.CaptionWeight[i] != 0 || slices.ContainsFunc(b.Targets[i*b.U:(i+1)*b.U], func(x float32) bool { return x > 0 }) ||
				slices.ContainsFunc(b.Known[i*b.U:(i+1)*b.U], func(x float32) bool { return x > 0 }) {
				t.Fatalf("%s: picture %d counts in another loss", name, i)
			}
			place := l.streamIndex(0, i)
			pixels := make([]float32, n)
			base, _, err := l.draw(context.Background(), 0, i)
			if err != nil {
				t.Fatal(err)
			}
			mixing := newRNG(o.Seed, forMix, place)
			o.Augment.mix(mixing)
			if name == "cutmix" {
				whole, err := l.picture(pixels, o.ImageSize, base, newRNG(o.Seed, forPicture, place), m.crop)
				if err != nil {
					t.Fatal(err)
				}
				other, err := m.another(context.Background(), mixing)
				if err != nil {
					t.Fatal(err)
				}
				otherPixels := make([]float32, n)
				otherCells, err := l.picture(otherPixels, o.ImageSize, other, newRNG(o.Seed, forPicture, place, 1), m.crop)
				if err != nil {
					t.Fatal(err)
				}
				checkEither(t, o, b, i, pixels, whole, base, otherPixels, otherCells, other)
				continue
			}
			quarter, err := l.picture(make([]float32, n/4), o.ImageSize/2, base, newRNG(o.Seed, forPicture, place, 0), m.crop)
			if err != nil {
				t.Fatal(err)
			}
			for cell, v := range quarter {
				want := l.name(base.labels.Words[v-1])
				if got := shown(b, i, cell/2*4+cell%2); got != want {
					t.Fatalf("mosaic %d, cell %d of the first quarter shows %q, want %q", i, cell, got, want)
				}
			}
		}
	}
}

// checkEither wants each cell of picture i to be that of one of two pictures, the
// second in one rectangle of at least one cell.
func checkEither(t *testing.T, o Options, b *Batch, i int, first []float32, firstCells []uint8, firstSample *loaded, second []float32, secondCells []uint8, secondSample *loaded) {
	t.Helper()
	side, k, size := o.ImageSize/o.LabelCell, o.LabelCell, o.ImageSize
	same := func(x []float32, cell int) bool {
		for c := range 3 {
			for y := range k {
				for p := range k {
					at := (c*size+cell/side*k+y)*size + cell%side*k + p
					if b.Pixels[3*i*size*size+at] != x[at] {
						return false
					}
				}
			}
		}
		return true
	}
	seconds := 0
	for cell := range side * side {
		label := ""
		switch {
		case same(first, cell):
			label = firstSample.labels.Words[firstCells[cell]-1]
		case same(second, cell):
			label = secondSample.labels.Words[secondCells[cell]-1]
			seconds++
		default:
			t.Fatalf("cutmix %d: cell %d is of neither picture", i, cell)
		}
		if got := shown(b, i, cell); got != label {
			t.Fatalf("cutmix %d: cell %d shows %q, want %q", i, cell, got, label)
		}
	}
	if seconds == 0 || seconds == side*side {
		t.Errorf("cutmix %d: %d of %d cells come from the second picture", i, seconds, side*side)
	}
}

// Words compete as their maps tell them apart, and further ones are drawn.
func TestCompetingWords(t *testing.T) {
	o := labelledScenes(t, 12)
	o.Nouns.Least = 12
	_, b := firstBatch(t, o)
	if n := len(slices.DeleteFunc(slices.Clone(b.Nouns), func(s string) bool { return s == "" })); n != 12 {
		t.Errorf("%d words, want all 12", n)
	}
	for u, noun := range b.Nouns {
		for i := range b.Size {
			if got, want := b.Competing[i*b.U+u] == 1, noun != ""; got != want {
				t.Errorf("%q competes in picture %d: %v", noun, i, got)
			}
		}
		if ground := slices.Contains([]string{"grass", "sand", "water", "brick"}, noun); (b.Stuff[u] == 1) != ground {
			t.Errorf("%q is a background word: %v", noun, !ground)
		}
	}
	dir := t.TempDir()
	im := image.NewGray(image.Rect(0, 0, 32, 32))
	for y := range 32 {
		for x := range 32 {
			im.SetGray(x, y, color.Gray{Y: []uint8{1, 0, 255, 0}[x/8]})
		}
	}
	writePNG(t, filepath.Join(dir, "a.png"), im)
	writePNG(t, filepath.Join(dir, "a.labels.png"), im)
	writeFile(t, filepath.Join(dir, "a.json"), `{"captions": ["a tent on grass"], "labels": ["balls"], "label_classes": ["box", "grass"]}`)
	o.Sources, o.Batch, o.Augment = dir, 2, Augment{}
	_, b = firstBatch(t, o)
	for cell, want := range []string{"ball", "some background", "", "some background"} {
		if got := shown(b, 0, cell); got != want {
			t.Errorf("cell %d shows %q, want %q", cell, got, want)
		}
	}
	for u, noun := range b.Nouns {
		if got, want := b.Competing[u] == 1, slices.Contains([]string{"ball", "box", "grass"}, noun); got != want {
			t.Errorf("%q competes: %v, want %v", noun, got, want)
		}
	}
}

// Where people looked for certain classes, all of these compete, background words too
// where background is one of them; what the map says is sure; and of a word that is no
// class nothing is known.
func TestLookedFor(t *testing.T) {
	o := labelledScenes(t, 1)
	dir := t.TempDir()
	im := image.NewGray(image.Rect(0, 0, 32, 32))
	for y := range 32 {
		for x := range 32 {
			im.SetGray(x, y, color.Gray{Y: []uint8{1, 0, 255, 2}[x/8]})
		}
	}
	writePNG(t, filepath.Join(dir, "a.png"), im)
	writePNG(t, filepath.Join(dir, "a.labels.png"), im)
	writeFile(t, filepath.Join(dir, "a.json"), `{"captions": ["a photo of ball and grass"], "tags": ["ball", "grass"], "labels": ["ball", "grass"], "label_classes": ["background", "ball", "box", "grass"]}`)
	o.Sources, o.Batch, o.Augment, o.Nouns.K, o.Nouns.Least = dir, 1, Augment{}, 0, 12
	_, b := firstBatch(t, o)
	for cell, want := range []string{"ball", "some background", "", "grass"} {
		if got := shown(b, 0, cell); got != want {
			t.Errorf("cell %d shows %q, want %q", cell, got, want)
		}
	}
	if diff := cmp.Diff([]float32{1, 0, 0, 1}, b.Word[:4]); diff != "" {
		t.Errorf("weight of words: %s", diff)
	}
	if diff := cmp.Diff([]float32{0, 1, 0, 0}, b.Background[:4]); diff != "" {
		t.Errorf("weight of background: %s", diff)
	}
	classes, ground := []string{"ball", "box", "grass"}, []string{"grass", "sand", "water", "brick"}
	for u, noun := range b.Nouns {
		if got, want := b.Competing[u] == 1, slices.Contains(classes, noun) || slices.Contains(ground, noun); got != want {
			t.Errorf("%q competes: %v, want %v", noun, got, want)
		}
		if got, want := b.Known[u] == 1, slices.Contains(classes, noun); got != want {
			t.Errorf("%q is known to be there or not: %v, want %v", noun, got, want)
		}
	}
	if !slices.Contains(b.Nouns, "box") {
		t.Error("a class that no picture shows has no prompt")
	}
}

func TestBrokenLabels(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 4, 4))
	grey.Pix[3] = 3
	colours := image.NewRGBA(image.Rect(0, 0, 4, 4))
	encode := func(im image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, k := range map[string]struct {
		data  []byte
		words []string
		want  string
	}{
		"no PNG":            {[]byte("labels"), nil, "broken label map"},
		"colours":           {encode(colours), nil, "indexed or grey"},
		"a value too large": {encode(grey), []string{"one", "two"}, "names no word"},
		"too many words":    {encode(grey), make([]string, 255), "the limit is 254"},
		"too large":         {forgedPNG(1<<14, 1<<14), nil, "the limit is"},
		"cut short":         {encode(grey)[:60], []string{"a", "b", "c"}, ""},
	} {
		if _, err := decodeLabels(k.data, k.words, nil); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v, want %q", name, err, k.want)
		}
	}
	if m, err := decodeLabels(encode(grey), []string{"a", "b", "c"}, nil); err != nil || m.Pix[3] != 3 {
		t.Errorf("%v, %v", m, err)
	}
}

func FuzzLabels(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), 2)
	f.Add(forgedPNG(60_000, 60_000), 0)
	f.Fuzz(func(t *testing.T, data []byte, words int) {
		m, err := decodeLabels(data, make([]string, max(0, min(words, 300))), nil)
		if err != nil {
			return
		}
		if len(m.Pix) != m.Width*m.Height {
			t.Fatalf("%d values for %d×%d", len(m.Pix), m.Width, m.Height)
		}
		m.grid(rectangle{0, 0, 5, 5}, 5, 5, true, 4)
	})
}

func writePNG(t *testing.T, path string, im image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, b.String())
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// forgedPNG is a PNG's first bytes, which claim a size.
func forgedPNG(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	header = append(binary.BigEndian.AppendUint32(header, height), 8, 0, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(header))
}
