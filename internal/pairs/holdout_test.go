package pairs

import (
	"context"
	"slices"
	"testing"
)

// The same photos are set aside wherever they come, each is on one side, and of a source
// that is named twice both times.
func TestHoldOut(t *testing.T) {
	dir := labelledScenes(t, 60).Sources
	keys := func(x *Index) (list []string) {
		for i := range x.Len() {
			list = append(list, x.Key(i))
			if s, err := x.Sample(i); err != nil || s.Key != x.Key(i) {
				t.Errorf("%s: %v", x.Key(i), err)
			}
		}
		return list
	}
	open := func(sources string) *Index {
		x, err := OpenIndex(context.Background(), sources)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	all := keys(open(dir))
	once, twice := open(dir), open(dir+"::"+dir)
	aside, again := keys(once.HoldOut(0.3)), keys(twice.HoldOut(0.3))
	rest := keys(once)
	if n := len(aside); n < 8 || n > 30 || n+len(rest) != 60 {
		t.Errorf("%d set aside, %d left of 60", n, len(rest))
	}
	both := slices.Sorted(slices.Values(slices.Concat(aside, rest)))
	slices.Sort(all)
	if !slices.Equal(both, all) {
		t.Error("a photo is on neither side, or on both")
	}
	if !slices.Equal(again, slices.Concat(aside, aside)) || twice.Len() != 2*len(rest) || twice.first(len(rest)) != 0 {
		t.Errorf("named twice: %d set aside, %d left", len(again), twice.Len())
	}
	if !isHeldOut("a/b.c", 0.9999999) || isHeldOut("a/b.c", 0) || isHeldOut("a/b.c", 0.5) != isHeldOut("a-b_c", 0.5) {
		t.Error("a key counts otherwise in shards")
	}
}
