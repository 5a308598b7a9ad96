package simd_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/groupvit/groupvit/internal/engine/simd"
)

// Executables that hold the same weights hold them once, and the memory goes when the last of them does.
func TestWeightsAreShared(t *testing.T) {
	const n = 1024 // 4 MB of weights
	b := newBackend(t, 1)
	w := make([][]float32, n)
	for i := range w {
		w[i] = make([]float32, n)
		for j := range w[i] {
			w[i][j] = float32((i*31+j*17)%97) * 0.01
		}
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var execs []*graph.Exec
	var want []float32
	add := func(rows int) {
		exec, err := graph.NewExec(b, func(x *graph.Node) *graph.Node {
			return graph.Dot(x, graph.Const(x.Graph(), w)).MatMul()
		})
		if err != nil {
			t.Fatal(err)
		}
		x := make([][]float32, rows)
		for i := range x {
			x[i] = w[7]
		}
		out, err := exec.Call1(x)
		if err != nil {
			t.Fatal(err)
		}
		got := out.Value().([][]float32)[rows-1]
		if want == nil {
			want = got
		} else if !slices.Equal(got, want) {
			t.Fatalf("%d rows: another result", rows)
		}
		execs = append(execs, exec)
	}
	add(1)
	one := heap()
	for rows := 2; rows < 10; rows++ {
		add(rows)
	}
	const size = 4 * n * n
	// What GoMLX keeps of a constant is its own; ours may not come on top.
	if many := heap(); many > one+size {
		t.Errorf("eight executables more take %d bytes more; the weights are %d", many-one, size)
	}
	for _, e := range execs {
		e.Finalize()
	}
	execs = nil
	if none := heap(); none > one {
		t.Errorf("%d bytes are left after the executables, %d with the first", none, one)
	}
	runtime.KeepAlive(w)
}

// A large constant is read when the computation is compiled: what changed in between is an error, and what changes
// afterwards is not seen.
func TestConstantsThatChange(t *testing.T) {
	b := newBackend(t, 1)
	for _, when := range []string{"before", "after", "never"} {
		x := make([]float32, 1<<14)
		for i := range x {
			x[i] = float32(i)
		}
		builder := b.Builder(when)
		f := builder.Main()
		c, err := f.Constant(x, 1<<14)
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Parameter("p", shapes.Make(dtypes.Float32, 1<<14), nil)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := f.Add(c, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Return([]compute.Value{sum}, nil); err != nil {
			t.Fatal(err)
		}
		if when == "before" {
			x[77] = -1
		}
		e, err := builder.Compile()
		if when == "before" {
			if err == nil {
				t.Error("a constant that changed before Compile is no error")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if when == "after" {
			x[77] = -1
		}
		out, err := e.Execute([]compute.Buffer{buffer(t, b, make([]float32, 1<<14), 1<<14)}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := data(t, out[0])[77]; got != 77 {
			t.Errorf("changed %s: element 77 is %v", when, got)
		}
	}
}

// What the backend adopted is a buffer and a constant without a copy.
func TestAdopt(t *testing.T) {
	b := newBackend(t, 1).(*simd.Backend)
	x := make([]float32, 1<<20)
	u, err := b.Adopt(x, shapes.Make(dtypes.Float32, 1<<10, 1<<10))
	if err != nil {
		t.Fatal(err)
	}
	if &data(t, u)[0] != &x[0] {
		t.Error("adopted memory was copied")
	}
	for _, c := range []struct {
		flat any
		dims []int
	}{{x, []int{3}}, {[]int32{1}, []int{1}}, {nil, []int{1}}, {x[:0], []int{-1}}} {
		if _, err := b.Adopt(c.flat, shapes.Shape{DType: dtypes.Float32, Dimensions: c.dims}); err == nil {
			t.Errorf("adopts a %T as %v", c.flat, c.dims)
		}
	}
	allocated := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.TotalAlloc
	}
	before := allocated()
	exec, err := graph.NewExec(b, func(row *graph.Node) *graph.Node {
		table := graph.ConstTensor(row.Graph(), must(tensors.FromBuffer(u)))
		return graph.Gather(table, graph.ExpandAxes(row, -1), false)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Call1([]int32{5}); err != nil {
		t.Fatal(err)
	}
	if used := allocated() - before; used > 1<<21 {
		t.Errorf("a table of 4 MB made a program allocate %d bytes", used)
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
