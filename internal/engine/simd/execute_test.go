package simd_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/nn"
	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

func newBackend(t testing.TB, threads int) compute.Backend {
	t.Helper()
	b, err := simd.New(simd.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// block is a transformer block with a loss; it returns the loss and all gradients as one vector.
func block(x *graph.Node) *graph.Node {
	g := x.Graph()
	d := x.Shape().Dimensions // [B, T, D]
	weight := func(seed float64, dims ...int) *graph.Node {
		w := graph.Iota(g, shapes.Make(dtypes.Float32, dims...), len(dims)-1)
		if len(dims) > 1 {
			w = graph.Add(w, graph.MulScalar(graph.Iota(g, w.Shape(), 0), 0.7))
		}
		return graph.MulScalar(graph.Sin(graph.MulScalar(w, seed)), 0.3)
	}
	w1, w2 := weight(1.3, 3*d[2], d[2]), weight(0.7, d[2], d[2])
	flat := graph.Reshape(x, d[0]*d[1], d[2])
	y := nn.LayerNorm(flat, []int{-1}, 1e-5, weight(0.2, d[2]), weight(0.1, d[2]), nil)
	qkv := graph.Reshape(nn.Dense(y, w1, weight(0.4, 3*d[2]), compute.DenseLayoutOutputsInput), d[0], d[1], 3*d[2])
	var heads []*graph.Node
	for i := range 3 {
		h := graph.SliceAxis(qkv, 2, graph.AxisRange(i*d[2], (i+1)*d[2]))
		heads = append(heads, graph.Reshape(h, d[0], d[1], 2, d[2]/2))
	}
	a, _ := attention.Core(heads[0], heads[1], heads[2], attention.LayoutBSHD, attention.CoreOptions{UseCausalMask: true})
	z := graph.Add(flat, activation.Gelu(nn.Dense(graph.Reshape(a, d[0]*d[1], d[2]), w2, weight(0.9, d[2]), compute.DenseLayoutOutputsInput)))
	s := graph.Softmax(z, -1)
	loss := graph.ReduceAllMean(graph.Square(graph.Sub(s, graph.MulScalar(z, 0.1))))
	all := []*graph.Node{graph.Reshape(loss, 1)}
	for _, gradient := range graph.Gradient(loss, x, w1, w2) {
		all = append(all, graph.Reshape(gradient, -1))
	}
	return graph.Concatenate(all, 0)
}

func blockInput() [][][]float32 {
	x := make([][][]float32, 3)
	for b := range x {
		x[b] = make([][]float32, 37)
		for i := range x[b] {
			x[b][i] = make([]float32, 48)
			for j := range x[b][i] {
				x[b][i][j] = float32(math.Sin(float64(b*31+i*7+j*3) * 0.37))
			}
		}
	}
	return x
}

func runBlock(t testing.TB, b compute.Backend) []float32 {
	t.Helper()
	out, err := graph.CallOnce(b, block, blockInput())
	if err != nil {
		t.Fatal(err)
	}
	return out.Value().([]float32)
}

// Loss and gradients of a transformer block are those of the plain Go backend, on every path, and the same bits
// with one thread, two, and more than the machine has cores.
func TestBlock(t *testing.T) {
	want := runBlock(t, reference(t))
	for l := level.Off; l <= level.Best(); l++ {
		t.Run(l.String(), func(t *testing.T) {
			defer level.Force(l)()
			one := runBlock(t, newBackend(t, 1))
			if err := near(want, one, 1e-5); err != nil {
				t.Error(err)
			}
			for _, threads := range []int{2, 5, runtime.NumCPU() + 3} {
				if got := runBlock(t, newBackend(t, threads)); !slices.Equal(got, one) {
					t.Errorf("%d threads give other bits than one", threads)
				}
			}
		})
	}
}

// One executable, and several of one backend, run from several goroutines at once.
func TestConcurrent(t *testing.T) {
	b := newBackend(t, 2)
	exec, err := graph.NewExec(b, block)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	want := runBlock(t, b)
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 4 {
				var got []float32
				if i%2 == 0 {
					out, err := exec.Call1(blockInput())
					if err != nil {
						t.Error(err)
						return
					}
					got = out.Value().([]float32)
				} else {
					got = runBlock(t, b)
				}
				if !slices.Equal(got, want) {
					t.Error("an execution beside others gives something else")
				}
			}
		}()
	}
	wait.Wait()
}

// compiled is (x+x)·w twice over, with a donated first input.
func compiled(t testing.TB, b compute.Backend, n int) compute.Executable {
	t.Helper()
	builder := b.Builder("steady")
	f := builder.Main()
	check := func(v compute.Value, err error) compute.Value {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	s := shapes.Make(dtypes.Float32, n, n)
	x, w := check(f.Parameter("x", s, nil)), check(f.Parameter("w", s, nil))
	y := check(f.FusedGelu(check(f.FusedDense(check(f.Add(x, x)), w, nil, compute.DenseConfig{})), true))
	y = check(f.Add(x, check(f.FusedSoftmax(y, 0))))
	if err := f.Return([]compute.Value{y}, nil); err != nil {
		t.Fatal(err)
	}
	e, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func buffer(t testing.TB, b compute.Backend, x []float32, dims ...int) compute.Buffer {
	t.Helper()
	u, err := b.BufferFromFlatData(0, x, shapes.Make(dtypes.Float32, dims...))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// An execution whose input is given away allocates nothing that grows with the tensors.
func TestSteadyState(t *testing.T) {
	const n = 256
	b := newBackend(t, 1)
	e := compiled(t, b, n)
	x, w := buffer(t, b, make([]float32, n*n), n, n), buffer(t, b, make([]float32, n*n), n, n)
	run := func() {
		out, err := e.Execute([]compute.Buffer{x, w}, []bool{true, false}, 0)
		if err != nil {
			t.Fatal(err)
		}
		x = out[0]
	}
	run()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const runs = 50
	for range runs {
		run()
	}
	runtime.ReadMemStats(&after)
	if per := (after.TotalAlloc - before.TotalAlloc) / runs; per > 4*n*n*3/4 { // the race detector makes sync.Pool forget things
		t.Errorf("an execution allocates %d bytes; one of its tensors has %d", per, 4*n*n)
	}
}

// A given buffer is gone after the execution, an input used twice is not given away, and what does not fit is an error.
func TestInputs(t *testing.T) {
	b := newBackend(t, 1)
	e := compiled(t, b, 4)
	x := func() compute.Buffer {
		return buffer(t, b, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 4, 4)
	}
	given, kept := x(), x()
	if _, err := e.Execute([]compute.Buffer{given, kept}, []bool{true, false}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := given.Data(); err == nil {
		t.Error("the buffer that was given away is still there")
	}
	if _, err := kept.Data(); err != nil {
		t.Error(err)
	}
	twice := x()
	out, err := e.Execute([]compute.Buffer{twice, twice}, []bool{true, false}, 0)
	if err != nil {
		t.Fatal(err)
	}
	want, err := e.Execute([]compute.Buffer{x(), x()}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := data(t, out[0]), data(t, want[0])
	if !slices.Equal(got, wanted) {
		t.Errorf("one buffer for both inputs gives %v, want %v", got, wanted)
	}
	for _, c := range []struct {
		name   string
		in     []compute.Buffer
		donate []bool
		want   string
	}{
		{"too few", []compute.Buffer{x()}, nil, "1 inputs"},
		{"donations", []compute.Buffer{x(), x()}, []bool{true}, "donations"},
		{"gone", []compute.Buffer{given, x()}, nil, `"x" is finalized`},
		{"nil", []compute.Buffer{nil, x()}, nil, "not a buffer of this backend"},
		{"another backend", []compute.Buffer{buffer(t, newBackend(t, 1), make([]float32, 16), 4, 4), x()}, nil, "not a buffer of this backend"},
		{"shape", []compute.Buffer{buffer(t, b, make([]float32, 8), 2, 4), x()}, nil, "want (Float32)[4, 4]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := e.Execute(c.in, c.donate, 0)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	e.Finalize()
	if _, err := e.Execute([]compute.Buffer{x(), x()}, nil, 0); err == nil {
		t.Error("a finalized executable runs")
	}
}

func data(t testing.TB, u compute.Buffer) []float32 {
	t.Helper()
	flat, err := u.Data()
	if err != nil {
		t.Fatal(err)
	}
	return flat.([]float32)
}

// The description says which instructions are in use.
func TestDescription(t *testing.T) {
	if got := newBackend(t, 3).Description(); !strings.Contains(got, fmt.Sprint(level.Current())) || !strings.Contains(got, "3 threads") {
		t.Error(got)
	}
}
