package pairs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/nouns"
)

// open opens a loader that the test closes.
func open(t testing.TB, o Options) *Loader {
	t.Helper()
	l, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// take returns the next n batches.
func take(t testing.TB, l *Loader, n int) []*Batch {
	t.Helper()
	var all []*Batch
	for range n {
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// everything uses every random choice there is.
func everything(sources string) Options {
	return Options{
		Sources: sources, Batch: 8, ImageSize: 8, Context: 16, Captions: true,
		Nouns:         NounOptions{Mode: NounsList, Distinct: true, Templates: []string{"a {}", "the {}"}},
		Augment:       Augment{Crop: CropResized, Flip: 0.5, Contrast: 0.3, Brightness: 0.3, Channel: 0.15},
		Balance:       Balance{Words: []string{"cat", "horse"}, Share: 0.5},
		ShuffleBuffer: 5, Workers: 1, Seed: 7,
	}
}

func TestSameForAnyWorkersAndSeek(t *testing.T) {
	sources := plainShards(t, 3, 7)
	for name, change := range map[string]func(*Options){
		"everything":     func(o *Options) {},
		"full shuffle":   func(o *Options) { o.ShuffleBuffer = 0 },
		"cache":          func(o *Options) { o.Cache.Side = 12 },
		"repeated":       func(o *Options) { o.Sources, o.Cache.Side = o.Sources+"::"+o.Sources, 12 },
		"softened":       func(o *Options) { o.Augment.Soften = 0.5 },
		"batch crop":     func(o *Options) { o.Augment.Crop = CropBatch },
		"no balance":     func(o *Options) { o.Balance = Balance{} },
		"paper's nouns":  func(o *Options) { o.Nouns = NounOptions{Mode: NounsTagger, K: 3} },
		"distinct drawn": func(o *Options) { o.Nouns.K = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			o := everything(sources)
			change(&o)
			want := take(t, open(t, o), 12)
			o.Workers, o.Prefetch = 5, 4
			l := open(t, o)
			if diff := cmp.Diff(want, take(t, l, 12)); diff != "" {
				t.Errorf("more workers: %s", diff)
			}
			for _, step := range []int{9, 0, 11, 11, 3} {
				if err := l.Seek(step); err != nil {
					t.Fatal(err)
				}
				if l.Step() != step {
					t.Errorf("at step %d, want %d", l.Step(), step)
				}
				if diff := cmp.Diff(want[step], take(t, l, 1)[0]); diff != "" {
					t.Errorf("step %d after Seek: %s", step, diff)
				}
			}
			o.Seed++
			if cmp.Equal(want[0].Pixels, take(t, open(t, o), 1)[0].Pixels) {
				t.Error("another seed gives the same batch")
			}
		})
	}
}

// Each pass holds every sample once, in another order.
func TestPasses(t *testing.T) {
	sources := plainShards(t, 4, 6)
	for name, buffer := range map[string]int{"full": 0, "buffer of 1": 1, "buffer of 5": 5, "large buffer": 1000} {
		t.Run(name, func(t *testing.T) {
			l := open(t, Options{Sources: sources, Batch: 4, ImageSize: 4, ShuffleBuffer: buffer})
			if l.Samples() != 24 || l.StepsPerPass() != 6 {
				t.Fatalf("%d samples", l.Samples())
			}
			var passes [2][]string
			for p := range passes {
				for _, b := range take(t, l, 6) {
					passes[p] = append(passes[p], b.Keys...)
				}
				sorted := slices.Sorted(slices.Values(passes[p]))
				if len(slices.Compact(sorted)) != 24 {
					t.Errorf("pass %d: %q", p, passes[p])
				}
			}
			if slices.Equal(passes[0], passes[1]) {
				t.Error("both passes have one order")
			}
		})
	}
	t.Run("sequential", func(t *testing.T) {
		l := open(t, Options{Sources: sources, Batch: 24, ImageSize: 4, Sequential: true})
		keys := take(t, l, 1)[0].Keys
		if !slices.IsSorted(keys) || len(keys) != 24 {
			t.Errorf("keys %q", keys)
		}
	})
}

// A source that is named twice is read as often, and kept in memory once; how
// much memory there is does not change what a batch holds.
func TestRepeatedSource(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.tar", plainShard(t, 0, 4))
	b := write(t, dir, "b.tar", plainShard(t, 4, 2))
	o := Options{Sources: a + "::" + b + "::" + b + "::" + b, Batch: 10, ImageSize: 8, Cache: Cache{Side: 12}}
	l := open(t, o)
	batches := take(t, l, 3)
	for _, batch := range batches {
		counts := map[string]int{}
		for _, key := range batch.Keys {
			counts[key]++
		}
		if len(counts) != 6 || counts["k0000"] != 1 || counts["k0004"] != 3 || counts["k0005"] != 3 {
			t.Errorf("a pass has %v", counts)
		}
	}
	l.Close()
	if got, want := l.cached.Load(), int64(6*3*12*12); got != want {
		t.Errorf("%d bytes are kept, want %d", got, want)
	}
	o.Cache.Bytes = 2*3*12*12 + 1
	l = open(t, o)
	if diff := cmp.Diff(batches, take(t, l, 3)); diff != "" {
		t.Errorf("with less memory: %s", diff)
	}
	l.Close()
	if got := l.cached.Load(); got != 2*3*12*12 {
		t.Errorf("%d bytes are kept, want two pictures", got)
	}
}

// A softened picture has less fine detail.
func TestSoften(t *testing.T) {
	noise := image.NewGray(image.Rect(0, 0, 32, 32))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(255 * (i % 2))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, noise); err != nil {
		t.Fatal(err)
	}
	path := write(t, t.TempDir(), "a.tar", shard(t, file{"a.png", b.Bytes()}, file{"a.txt", []byte("stripes")}))
	detail := func(soften float64) (sum float64) {
		o := Options{Sources: path, Batch: 8, ImageSize: 32, Augment: Augment{Soften: soften}}
		pixels := take(t, open(t, o), 1)[0].Pixels
		for i := range pixels[1:] {
			sum += math.Abs(float64(pixels[i+1] - pixels[i]))
		}
		return sum
	}
	if sharp, soft := detail(0), detail(1); soft > sharp/2 || soft == 0 {
		t.Errorf("detail %v, softened %v", sharp, soft)
	}
}

func TestBalance(t *testing.T) {
	dir := t.TempDir()
	var files []file
	for i := range 60 {
		caption := "a dog"
		switch i {
		case 7:
			caption = "two kittens" // a synonym and a plural
		case 8:
			caption = "a horse"
		}
		files = append(files, file{fmt.Sprintf("k%02d.png", i), pngOf(t, i, 8, 8)}, file{fmt.Sprintf("k%02d.txt", i), []byte(caption)})
	}
	path := write(t, dir, "a.tar", shard(t, files...))
	o := Options{Sources: path, Batch: 8, ImageSize: 4, Nouns: NounOptions{Mode: NounsList, Distinct: true}, Balance: Balance{Words: []string{"cat", "horse"}, Share: 0.5}}
	counts := map[string]int{}
	var plain []string
	for _, b := range take(t, open(t, o), 30) {
		for i, key := range b.Keys {
			if i < 4 {
				counts[key]++
			} else {
				plain = append(plain, key)
			}
		}
	}
	if n := counts["k07"] + counts["k08"]; n != 120 || counts["k07"] < 40 || counts["k08"] < 40 {
		t.Errorf("of 120 balanced: %v", counts)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(plain[:60])))) != 60 {
		t.Errorf("the other half does not pass through all samples: %q", plain[:60])
	}
	o.Balance.Words = []string{"cat", "zebra"}
	if _, err := Open(context.Background(), o); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), "zebra") {
		t.Errorf("a word that no photo names: %v", err)
	}
}

func TestPixels(t *testing.T) {
	path := write(t, t.TempDir(), "a.tar", shard(t, file{"a.png", pngOf(t, 200, 6, 6)}, file{"a.txt", []byte("a dog")}))
	o := Options{Sources: path, Batch: 1, ImageSize: 6, Mean: [3]float32{0.45, 0.4, 0.35}, Std: [3]float32{0.25, 0.2, 0.3}}
	at := func(b *Batch, c, y, x int) float64 { return float64(b.Pixels[(c*6+y)*6+x]) }
	want := func(c int, v float64) float64 { return (v/255 - float64(o.Mean[c])) / float64(o.Std[c]) }
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-5 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	b := take(t, open(t, o), 1)[0]
	near("red", at(b, 0, 2, 3), want(0, 200))
	near("green", at(b, 1, 2, 3), want(1, 8*3))
	near("blue", at(b, 2, 2, 3), want(2, 8*2))
	o.Augment.Flip = 1
	b = take(t, open(t, o), 1)[0]
	near("green, flipped", at(b, 1, 2, 3), want(1, 8*2))
	near("blue, flipped", at(b, 2, 2, 3), want(2, 8*2))
	// One contrast and brightness for all channels, one shift for each.
	o.Augment = Augment{Contrast: 0.3, Brightness: 0.3, Channel: 0.15}
	b = take(t, open(t, o), 1)[0]
	contrast := (at(b, 1, 0, 5) - at(b, 1, 0, 0)) / (want(1, 40) - want(1, 0))
	if contrast < 0.7 || contrast > 1.3 || contrast == 1 {
		t.Errorf("contrast %v", contrast)
	}
	for c, v := range []float64{200, 0, 0} {
		if shift := at(b, c, 0, 0) - contrast*want(c, v); math.Abs(shift) > 0.45 || shift == 0 {
			t.Errorf("channel %d is shifted by %v", c, shift)
		}
	}
}

func TestCrops(t *testing.T) {
	d := newRNG(1, forPicture, 2)
	o := Options{}.withDefaults()
	for range 2000 {
		width, height := 1+d.intn(300), 1+d.intn(300)
		a := o.Augment
		for _, crop := range []string{CropNone, CropCenter, CropResized, CropBatch} {
			a.Crop = crop
			r := a.crop(d, width, height, a.batchCrop(d))
			if r.x < 0 || r.y < 0 || r.width < 1 || r.height < 1 || r.x+r.width > width || r.y+r.height > height {
				t.Fatalf("%s of %d×%d: %+v", crop, width, height, r)
			}
		}
	}
	// Area and aspect of the paper's crop.
	a := o.Augment
	areas := 0.0
	for range 2000 {
		r := a.resizedCrop(d, 400, 300)
		area := float64(r.width*r.height) / (400 * 300)
		aspect := float64(r.width) / float64(r.height)
		if area < 0.079 || area > 1 || aspect < 0.74 || aspect > 1.35 {
			t.Fatalf("area %v, aspect %v", area, aspect)
		}
		areas += area / 2000
	}
	if areas < 0.38 || areas > 0.48 { // 0.54, less the large ones that do not fit
		t.Errorf("mean area %v", areas)
	}
	// Nothing fits a strip: its middle within the aspects.
	if r := a.resizedCrop(d, 1000, 1); r.height != 1 || r.width != 1 {
		t.Errorf("of a strip: %+v", r)
	}
	if r := (Augment{Area: [2]float64{1, 1}, Aspect: [2]float64{1, 1}}).resizedCrop(d, 90, 60); r != (rectangle{15, 0, 60, 60}) {
		t.Errorf("fallback: %+v", r)
	}
	for range 500 {
		s := a.batchCrop(d)
		if min(s.width, s.height) < 0.55 || max(s.width, s.height) > 1 || min(s.width, s.height) < squarest*max(s.width, s.height) {
			t.Fatalf("batch crop %+v", s)
		}
	}
}

// nounShard holds one photo with captions of its own and one with tags.
func nounShard(t *testing.T) string {
	return write(t, t.TempDir(), "a.tar", shard(t,
		file{"a.png", pngOf(t, 0, 8, 8)}, file{"a.json", jsonOf(t, map[string]any{"captions": []string{"Boys and a dog on the grass", "a dog, a dog and a man"}})},
		file{"b.png", pngOf(t, 1, 8, 8)}, file{"b.json", jsonOf(t, map[string]any{"captions": []string{"a photo of a goldfinch, a bird"}, "tags": []string{"bird", "goldfinch"}})},
		file{"c.png", pngOf(t, 2, 8, 8)}, file{"c.txt", []byte("the dog beside the bird")},
	))
}

func TestDistinctPrompts(t *testing.T) {
	small, err := bpe.Truncated(2000)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Sources: nounShard(t), Batch: 3, ImageSize: 4, Context: 12, Sequential: true, Captions: true, Tokenizer: small,
		Nouns: NounOptions{Mode: NounsList, Distinct: true, Templates: []string{"a {}"}, StuffTemplates: []string{"the {}"}, Pad: 4},
	}
	b := take(t, open(t, o), 1)[0]
	if b.U != 4 || b.Context != 12 || !slices.Equal(b.Nouns, []string{"person", "dog", "grass", "bird"}) {
		t.Fatalf("U %d, nouns %q", b.U, b.Nouns)
	}
	if diff := cmp.Diff([]float32{
		1, 1, 1, 0, // each noun of a photo once
		0, 0, 0, 1,
		0, 1, 0, 1,
	}, b.Targets); diff != "" {
		t.Errorf("targets: %s", diff)
	}
	if diff := cmp.Diff([]float32{
		1, 1, 1, 1,
		0, 1, 0, 1, // the tagged photo: no dog, a bird; persons and grass unknown
		1, 1, 1, 1,
	}, b.Known); diff != "" {
		t.Errorf("known: %s", diff)
	}
	if diff := cmp.Diff([]float32{
		1, 1, 1, 0,
		0, 0, 1, 1, // no ground is named: it may be grass
		0, 1, 1, 1,
	}, b.Explains); diff != "" {
		t.Errorf("explains: %s", diff)
	}
	if diff := cmp.Diff([]float32{1, 0, 1}, b.CaptionWeight); diff != "" {
		t.Errorf("caption weight: %s", diff)
	}
	for u, want := range []string{"a person", "a dog", "the grass", "a bird"} {
		if got := b.Prompts[u*12 : (u+1)*12]; !slices.Equal(got, small.Encode(want, 12)) {
			t.Errorf("prompt %d: %q, want %q", u, small.Decode(got), want)
		}
	}
	for i, text := range b.Texts {
		if got := b.Captions[i*12 : (i+1)*12]; !slices.Equal(got, small.Encode(text, 12)) {
			t.Errorf("caption %d: %q, want %q", i, small.Decode(got), text)
		}
	}

	o.TaggedAsCaptions = true
	b = take(t, open(t, o), 1)[0]
	if slices.Contains(b.Known, 0) || slices.Contains(b.CaptionWeight, 0) {
		t.Errorf("tagged as captions: known %v, weight %v", b.Known, b.CaptionWeight)
	}

	o.Nouns.Pad = 16
	b = take(t, open(t, o), 1)[0]
	if b.U != 16 || len(b.Prompts) != 16*12 || len(b.Targets) != 3*16 || b.Nouns[4] != "" {
		t.Errorf("padded: U %d, %d ids, %d targets", b.U, len(b.Prompts), len(b.Targets))
	}

	// K drawn of one caption, again where it has fewer.
	o.Nouns.K = 3
	b = take(t, open(t, o), 1)[0]
	for i := range b.Size {
		sum := float32(0)
		for _, n := range b.Targets[i*b.U : (i+1)*b.U] {
			sum += n
		}
		if sum != 3 {
			t.Errorf("picture %d has %v targets, want 3", i, sum)
		}
	}
}

// What a tag tells: a photo of a thing shows no other thing, one of a scene may
// show things but no animal, and of persons and stuff a tag tells nothing.
func TestKnownOfTaggedPhotos(t *testing.T) {
	tagged := func(caption, tag string) []byte {
		return jsonOf(t, map[string]any{"captions": []string{caption}, "tags": []string{tag}})
	}
	path := write(t, t.TempDir(), "a.tar", shard(t,
		file{"a.png", pngOf(t, 0, 8, 8)}, file{"a.txt", []byte("a person and a dog in a car on the grass")},
		file{"b.png", pngOf(t, 1, 8, 8)}, file{"b.json", tagged("a photo of a boat", "boat")},
		file{"c.png", pngOf(t, 2, 8, 8)}, file{"c.json", tagged("the sea", "sea")},
		file{"d.png", pngOf(t, 3, 8, 8)}, file{"d.json", tagged("an airport", "airport")},
	))
	o := Options{
		Sources: path, Batch: 4, ImageSize: 4, Sequential: true,
		Nouns: NounOptions{Mode: NounsList, Distinct: true, Pad: 6},
	}
	b := take(t, open(t, o), 1)[0]
	if !slices.Equal(b.Nouns, []string{"person", "dog", "car", "grass", "boat", "sea"}) {
		t.Fatalf("nouns %q", b.Nouns)
	}
	if diff := cmp.Diff([]float32{
		1, 1, 1, 1, 1, 1, // a caption of its own: all that is not named counts as absent
		0, 1, 1, 0, 1, 0,
		0, 1, 0, 0, 0, 1,
		0, 1, 0, 0, 0, 0, // no word of the list
	}, b.Known); diff != "" {
		t.Errorf("known: %s", diff)
	}
}

func TestOwnPrompts(t *testing.T) {
	o := Options{
		Sources: nounShard(t), Batch: 3, ImageSize: 4, Sequential: true, Captions: true,
		Nouns: NounOptions{Mode: NounsTagger, K: 4},
	}
	b := take(t, open(t, o), 1)[0]
	if b.U != 12 || len(b.Prompts) != 12*77 {
		t.Fatalf("U %d, %d ids", b.U, len(b.Prompts))
	}
	for i := range b.Size {
		for u := range b.U {
			want := float32(0)
			if u/4 == i {
				want = 1
			}
			if b.Targets[i*b.U+u] != want {
				t.Errorf("target of picture %d and prompt %d: %v", i, u, b.Targets[i*b.U+u])
			}
		}
	}
	// The last caption has two nouns: two prompts hold one, two are the caption.
	var found []string
	for u := 8; u < 12; u++ {
		text := bpe.CLIP().Decode(b.Prompts[u*77 : (u+1)*77])
		if b.Nouns[u] == "" {
			if text != "the dog beside the bird" {
				t.Errorf("prompt %d: %q", u, text)
			}
			continue
		}
		found = append(found, b.Nouns[u])
		if !strings.Contains(text, b.Nouns[u]) || text == b.Nouns[u] {
			t.Errorf("prompt %d: %q", u, text)
		}
	}
	slices.Sort(found)
	if !slices.Equal(found, []string{"bird", "dog"}) {
		t.Errorf("nouns %q", found)
	}
}

func TestNoNouns(t *testing.T) {
	path := write(t, t.TempDir(), "a.tar", shard(t, file{"a.png", pngOf(t, 1, 8, 8)}, file{"a.txt", []byte("very nice")}))
	o := Options{Sources: path, Batch: 2, ImageSize: 4, Nouns: NounOptions{Mode: NounsList, Distinct: true}}
	b := take(t, open(t, o), 1)[0]
	if b.U != 16 || b.Captions != nil || slices.Contains(b.Targets, 1) {
		t.Errorf("U %d, captions %v, targets %v", b.U, b.Captions, b.Targets)
	}
	o.Nouns = NounOptions{}
	if b = take(t, open(t, o), 1)[0]; b.U != 0 || b.Prompts != nil {
		t.Errorf("without nouns: U %d", b.U)
	}
}

func TestClosedAndCancelled(t *testing.T) {
	sources := plainShards(t, 1, 4)
	ctx, cancel := context.WithCancel(context.Background())
	l, err := Open(ctx, Options{Sources: sources, Batch: 2, ImageSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	done, stop := context.WithCancel(context.Background())
	stop()
	for range 8 { // batches may be ready; the call's own context ends it in the end
		if _, err = l.Next(done); err != nil {
			break
		}
	}
	cancel()
	for range 8 {
		if _, err = l.Next(context.Background()); err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after the loader's context has ended: %v", err)
	}
	l.Close()
	l.Close()
	if _, err := l.Next(context.Background()); err == nil {
		t.Error("a batch from a closed loader")
	}
	if err := l.Seek(-1); !errors.Is(err, ErrOptions) {
		t.Errorf("step −1: %v", err)
	}
}

func TestOptionErrors(t *testing.T) {
	good := Options{Sources: plainShards(t, 1, 2), Batch: 2, ImageSize: 4}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"sources":      func(o *Options) { o.Sources = "" },
		"batch":        func(o *Options) { o.Batch = 0 },
		"image size":   func(o *Options) { o.ImageSize = 1 << 20 },
		"context":      func(o *Options) { o.Context = 1 },
		"std":          func(o *Options) { o.Std = [3]float32{1, 0, 1} },
		"workers":      func(o *Options) { o.Workers = -1 },
		"cache":        func(o *Options) { o.Cache.Side = -1 },
		"cache bytes":  func(o *Options) { o.Cache.Bytes = -1 },
		"soften":       func(o *Options) { o.Augment.Soften = 2 },
		"share":        func(o *Options) { o.Balance.Share = math.NaN() },
		"noun mode":    func(o *Options) { o.Nouns.Mode = "verbs" },
		"all and own":  func(o *Options) { o.Nouns.Mode = NounsList },
		"template":     func(o *Options) { o.Nouns.Templates = []string{"a photo"} },
		"pad":          func(o *Options) { o.Nouns.Pad = -1 },
		"crop":         func(o *Options) { o.Augment.Crop = "half" },
		"area":         func(o *Options) { o.Augment.Area = [2]float64{0.5, 0.1} },
		"side":         func(o *Options) { o.Augment.Side = [2]float64{0.5, 1.5} },
		"flip":         func(o *Options) { o.Augment.Flip = 2 },
		"contrast":     func(o *Options) { o.Augment.Contrast = 1 },
		"brightness":   func(o *Options) { o.Augment.Brightness = math.Inf(1) },
		"word list":    func(o *Options) { o.Nouns = NounOptions{Mode: NounsList, Distinct: true, Words: []nouns.Word{{}}} },
		"balance word": func(o *Options) { o.Balance = Balance{Words: []string{""}, Share: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			change(&o)
			if _, err := Open(context.Background(), o); !errors.Is(err, ErrOptions) {
				t.Errorf("got %v", err)
			}
		})
	}
	o := good
	o.Sources = filepath.Join(t.TempDir(), "{0..1}.tar")
	if _, err := Open(context.Background(), o); !errors.Is(err, ErrSources) {
		t.Errorf("missing shards: %v", err)
	}
}
