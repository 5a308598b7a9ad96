package simd

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Two slots of an arena that are needed at the same time do not share memory, except a result that lies where its
// operand lay.
func TestPlan(t *testing.T) {
	b, err := New(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Finalize()
	shared := 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		builder := newBuilder(b.(*Backend), "plan")
		f := builder.main
		must := func(v compute.Value, err error) compute.Value {
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		known := []compute.Value{must(f.Parameter("x", shapes.Make(dtypes.Float32, 8, 8), nil))}
		for range 5 + r.IntN(40) {
			x, y := known[r.IntN(len(known))], known[r.IntN(len(known))]
			var v compute.Value
			switch r.IntN(5) {
			case 0:
				v = must(f.Add(x, y))
			case 1:
				v = must(f.Exp(must(f.Transpose(x, 1, 0))))
			case 2:
				v = must(f.FusedSoftmax(x, 1))
			case 3:
				v = must(f.Cos(x)) // no kernel
			default:
				v = must(f.DotGeneral(x, []int{1}, nil, y, []int{0}, nil, compute.DotGeneralConfig{}))
			}
			known = append(known, v)
		}
		if err := f.Return(known[len(known)-2:], nil); err != nil {
			t.Fatal(err)
		}
		x, err := builder.Compile()
		if err != nil {
			t.Fatal(err)
		}
		e := x.(*Executable)
		for _, v := range e.slots {
			if v.kind == inArena && v.first >= 0 && (v.place < 0 || v.place+bytesOf(v) > e.bytes) {
				t.Fatalf("seed %d: a slot at %d of %d bytes, the arena has %d", seed, v.place, bytesOf(v), e.bytes)
			}
			for _, w := range e.slots {
				if v.id >= w.id || v.kind != inArena || w.kind != inArena || v.first < 0 || w.first < 0 {
					continue
				}
				together := v.place < w.place+bytesOf(w) && w.place < v.place+bytesOf(v)
				if together {
					shared++
				}
				if together && v.last > w.first && w.last > v.first {
					t.Fatalf("seed %d: slots of steps %d–%d and %d–%d share memory", seed, v.first, v.last, w.first, w.last)
				}
			}
		}
	}
	if shared == 0 {
		t.Error("no memory is used twice")
	}
}
