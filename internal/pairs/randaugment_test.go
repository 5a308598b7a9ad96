package pairs

import (
	"math"
	"slices"
	"testing"
)

func abs(x int) int { return max(x, -x) }

func TestRandAugment(t *testing.T) {
	sources := plainShards(t, 1, 8)
	o := Options{Sources: sources, Batch: 8, ImageSize: 16, Cache: Cache{Side: 16}, Augment: Augment{Rand: PaperRandAugment()}}
	want := take(t, open(t, o), 4)
	// What is kept in memory is not changed: the same batch again is the same.
	l := open(t, o)
	take(t, l, 4)
	if err := l.Seek(0); err != nil {
		t.Fatal(err)
	}
	for i, b := range take(t, l, 4) {
		if !slices.Equal(b.Pixels, want[i].Pixels) {
			t.Errorf("batch %d differs the second time", i)
		}
	}
	o.Augment = PaperAugment()
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	o.Augment.Rand.Level = 11
	if err := o.Validate(); err == nil {
		t.Error("a level of 11 is taken")
	}
	// Any level and sign, also of the smallest picture.
	d := newRNG(3, forPicture)
	for _, size := range []int{1, 2, 7} {
		for _, operation := range operations {
			for range 20 {
				im := &Image{Width: size, Height: size, Pix: make([]uint8, 3*size*size)}
				for i := range im.Pix {
					im.Pix[i] = uint8(d.intn(256))
				}
				operation.apply(im, d.between(0, 10), 1-2*math.Round(d.float()))
			}
		}
	}
}

// With RandAugment the picture is flipped before it; without an operation that
// applies, the result is that of a flip alone.
func TestFlipBeforeRandAugment(t *testing.T) {
	o := Options{Sources: plainShards(t, 1, 4), Batch: 4, ImageSize: 9, Augment: Augment{Flip: 1}}
	want := take(t, open(t, o), 1)[0]
	o.Augment.Rand = RandAugment{Operations: 2}
	if got := take(t, open(t, o), 1)[0]; !slices.Equal(got.Pixels, want.Pixels) {
		t.Error("another picture")
	}
}

func TestErase(t *testing.T) {
	const size = 32
	d := newRNG(5, forPicture)
	share := 0.0
	for range 200 {
		pixels := make([]float32, 3*size*size)
		PaperAugment().erase(d, pixels, size)
		changed := 0
		for _, v := range pixels {
			if v != 0 {
				changed++
			}
		}
		share += float64(changed) / float64(len(pixels)) / 200
	}
	if share < 0.14 || share > 0.2 { // mean of U(0.02, 1/3), less what does not fit
		t.Errorf("mean share %v", share)
	}
	PaperAugment().erase(d, make([]float32, 3), 1) // no room: nothing happens
}

func TestDice(t *testing.T) {
	d := newRNG(1, forOrder, 2, 3)
	sum, squares := 0.0, 0.0
	const n = 20_000
	for range n {
		x := d.normal()
		sum += x
		squares += x * x
		if v := d.intn(3); v < 0 || v > 2 {
			t.Fatal(v)
		}
		if v := d.between(2, 3); v < 2 || v >= 3 {
			t.Fatal(v)
		}
	}
	if mean := sum / n; math.Abs(mean) > 0.03 || math.Abs(squares/n-1) > 0.05 {
		t.Errorf("mean %v, variance %v", mean, squares/n)
	}
	// A seed's meaning must not change: resumed runs rest on it.
	if got := newRNG(7, forCaption, 11).uint64(); got != 0x96885de5c8b82ce5 {
		t.Errorf("newRNG(7, forCaption, 11) = %#x", got)
	}
}
