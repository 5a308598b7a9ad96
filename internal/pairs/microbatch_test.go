package pairs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Parts have the pixels, the words and the rows of whole batches, the second time
// as the first, for any size of a part and from any step on; broken pictures, too,
// are replaced by the same others.
func TestPartsAreThoseOfWholeBatches(t *testing.T) {
	sources := plainShards(t, 3, 7)
	sources += "::" + write(t, filepath.Dir(sources), "9.tar", shard(t, file{"broken.jpg", []byte("no picture")}, file{"broken.txt", []byte("a cat")}))
	for name, change := range map[string]func(*Options){
		"distinct prompts": func(*Options) {},
		"own prompts": func(o *Options) {
			o.Nouns = NounOptions{Mode: NounsTagger, K: 2}
		},
		"without prompts": func(o *Options) { o.Nouns = NounOptions{}; o.Balance = Balance{} },
		"in memory":       func(o *Options) { o.Cache.Side = 12 },
	} {
		t.Run(name, func(t *testing.T) {
			o := everything(sources)
			change(&o)
			want := take(t, open(t, o), 3)
			for _, size := range []int{3, 4, 8} {
				o.MicroBatch, o.TwoPasses, o.Workers = size, true, 3
				l := open(t, o)
				for step := range 3 {
					sameAsParts(t, want[step], l)
				}
				if err := l.Seek(1); err != nil {
					t.Fatal(err)
				}
				sameAsParts(t, want[1], l)
				if l.Step() != 2 {
					t.Errorf("at step %d, want 2", l.Step())
				}
			}
		})
	}
}

// sameAsParts compares a whole batch with the next parts of a loader.
func sameAsParts(t *testing.T, want *Batch, l *Loader) {
	t.Helper()
	for _, again := range []bool{false, true} {
		var pixels []float32
		var last *MicroBatch
		for len(pixels) < len(want.Pixels) {
			p, err := l.NextMicroBatch(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if p.From*3*want.ImageSize*want.ImageSize != len(pixels) || p.SecondPass != again {
				t.Fatalf("part from %d, again %v", p.From, p.SecondPass)
			}
			pixels, last = append(pixels, p.Pixels...), p
		}
		if !slices.Equal(pixels, want.Pixels) {
			t.Errorf("step %d, again %v: other pixels", want.Step, again)
		}
		b := last.Batch
		if diff := cmp.Diff(want, b, cmpopts.IgnoreFields(Batch{}, "Pixels", "Targets", "Known", "Explains")); diff != "" {
			t.Error(diff)
		}
		if b.Targets != nil || b.Pixels != nil {
			t.Error("a batch in parts holds a matrix")
		}
		for _, cut := range [][2]int{{0, 8}, {2, 5}} {
			targets, known, explains := last.Rows(cut[0], cut[1])
			wantTargets, wantKnown, wantExplains := (&MicroBatch{Batch: want}).Rows(cut[0], cut[1])
			if want.U > 0 && len(wantTargets) != (cut[1]-cut[0])*want.U {
				t.Fatalf("%d targets of rows %v", len(wantTargets), cut)
			}
			if !slices.Equal(targets, wantTargets) || !slices.Equal(known, wantKnown) || !slices.Equal(explains, wantExplains) {
				t.Errorf("other rows %v", cut)
			}
		}
	}
}

// A picture that is gone when its part is made again ends the batch.
func TestPartVanishes(t *testing.T) {
	sources := plainShards(t, 1, 8)
	o := everything(sources)
	o.MicroBatch, o.TwoPasses, o.Prefetch = 4, true, 1
	l := open(t, o)
	for range 2 {
		if _, err := l.NextMicroBatch(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(sources), "*.tar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v, %v", paths, err)
	}
	for _, path := range paths {
		if err := os.Truncate(path, 10); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // one part may have been made before
		if _, err = l.NextMicroBatch(context.Background()); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrVanished) {
		t.Errorf("%v, want that it vanished", err)
	}
}
