package speed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/engine/simd"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/vector"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Roofline says where the time of a run goes and how near each operation is to what the machine allows: the rate of
// the engine's own product of 1024³, or the rate at which it adds two arrays that no cache holds.
type Roofline struct {
	Engine    string `json:"engine"`
	Precision string `json:"precision"`
	Computed  string `json:"computed,omitempty"` // as Result.Computed
	Work      Work   `json:"work"`
	ImageSize *int   `json:"image_size"`
	Batch     int    `json:"batch"`
	Threads   int    `json:"threads"`
	// MsMedian is milliseconds of a run, Ms the sum over its steps of each one's quickest run, Runs how many there were.
	MsMedian float64 `json:"ms_median"`
	Ms       float64 `json:"ms"`
	Runs     int     `json:"runs"`
	// SGEMMGFLOPS and StreamGBS are the limits, in 10⁹ operations and bytes a second, of their quickest runs.
	SGEMMGFLOPS float64 `json:"sgemm_gflops"`
	StreamGBS   float64 `json:"stream_gbs"`
	// Operations are the kinds of steps, the one that takes longest first.
	Operations []Operation `json:"operations"`
}

// Operation is the steps of one kind, or of one kind and shape.
type Operation struct {
	Kind  string  `json:"kind"`
	Count int     `json:"count"`
	Ms    float64 `json:"ms"`
	// TimeShare is Ms over that of the whole run.
	TimeShare float64 `json:"time_share"`
	// GFLOP counts products, convolutions and attention, two for each multiply-add; MB the operands and results of each
	// step, once: what must move if nothing is in a cache. Both in 10⁹ and 10⁶.
	GFLOP float64 `json:"gflop"`
	MB    float64 `json:"mb"`
	// GFLOPS and GBS are both by the time.
	GFLOPS float64 `json:"gflops"`
	GBS    float64 `json:"gbs"`
	// LimitShare is the shortest time that the limits allow over the time; more than 1 is what caches do. Bound says
	// which limit is the nearer one, "compute" or "memory".
	LimitShare float64 `json:"limit_share"`
	Bound      string  `json:"bound"`
	// Shapes are the same by shape, where the kind has several.
	Shapes []Operation `json:"shapes,omitempty"`
}

// streamFloats is how long the arrays are whose sum gives the rate of memory: 64 MiB each, three of them.
const streamFloats = 16 << 20

// openStream makes the sum of two arrays.
func openStream(threads int) *Job {
	pool := work.NewPool(threads)
	a, b, sum := make([]float32, streamFloats), make([]float32, streamFloats), make([]float32, streamFloats)
	return &Job{
		Run: func() error {
			vector.Binary(pool, vector.Add, sum, vector.Whole(a), vector.Whole(b), 1, streamFloats)
			return nil
		},
		Close: pool.Close,
	}
}

// MeasureRoofline measures one case on the engine simd.
func MeasureRoofline(ctx context.Context, c Case, o Options) (*Roofline, error) {
	o = o.withDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Engine != engine.SIMD || c.Work == Product {
		return nil, fmt.Errorf("%w: a roofline is of image, text or train on the engine simd, not of %s on %s", ErrCase, c.Work, c.Engine)
	}
	b, err := o.open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s on engine %s: %w", c.Work, c.Engine, err)
	}
	defer b.close()
	backend, ok := b.backend.(*simd.Backend)
	if !ok {
		return nil, fmt.Errorf("%w: the engine simd is a %T", ErrCase, b.backend)
	}
	stream := openStream(c.Threads)
	defer stream.close()
	if b.reference, err = openReference(b.backend, c); err != nil {
		return nil, err
	}
	backend.Profile()
	defer backend.EndProfile()
	var streamTimes []time.Duration
	o.Progress(fmt.Sprintf("%s: step by step", c.Work))
	for _, part := range []struct {
		job   *Job
		times *[]time.Duration
	}{{b.job, &b.times}, {b.reference, &b.referenceTimes}, {stream, &streamTimes}} {
		for !o.enough(*part.times) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := run(part.job, part.times); err != nil {
				return nil, fmt.Errorf("%s on engine %s: %w", c.Work, c.Engine, err)
			}
		}
	}
	r := &Roofline{Engine: c.Engine, Precision: cmp.Or(c.Precision, engine.Float32), Computed: newResult(c).Computed, Work: c.Work, Batch: c.Batch, Threads: c.Threads,
		MsMedian: milliseconds(median(b.times)), Runs: len(b.times)}
	if c.Work != Text {
		r.ImageSize = &c.ImageSize
	}
	flops := 2 * float64(reference.M*reference.K*reference.N) / slices.Min(b.referenceTimes).Seconds()
	bytes := 12 * float64(streamFloats) / slices.Min(streamTimes).Seconds()
	r.SGEMMGFLOPS, r.StreamGBS = round(flops/1e9, 2), round(bytes/1e9, 2)
	r.fill(backend.EndProfile(), flops, bytes)
	return r, nil
}

// total is the sum of steps' costs.
type total struct {
	count                        int
	seconds, flop, bytes         float64
	limit, limitFLOP, limitBytes float64 // seconds that the limits allow; by which of them
	shapes                       map[string]*total
}

func (t *total) add(s simd.StepCost, flops, bytes float64) {
	compute, memory := s.FLOP/flops, s.Bytes/bytes
	t.count++
	t.seconds, t.flop, t.bytes = t.seconds+s.Time.Seconds(), t.flop+s.FLOP, t.bytes+s.Bytes
	t.limit, t.limitFLOP, t.limitBytes = t.limit+max(compute, memory), t.limitFLOP+compute, t.limitBytes+memory
}

// fill sorts steps by kind; the limits are operations and bytes a second.
func (r *Roofline) fill(steps []simd.StepCost, flops, bytes float64) {
	kinds := map[string]*total{}
	all := &total{}
	at := func(in map[string]*total, name string) *total {
		if in[name] == nil {
			in[name] = &total{shapes: map[string]*total{}}
		}
		return in[name]
	}
	for _, s := range steps {
		all.add(s, flops, bytes)
		k := at(kinds, s.Kind)
		k.add(s, flops, bytes)
		at(k.shapes, s.Name).add(s, flops, bytes)
	}
	r.Ms = round(all.seconds*1e3, 4)
	r.Operations = operations(kinds, all.seconds)
}

func operations(totals map[string]*total, seconds float64) []Operation {
	list := []Operation{}
	for name, t := range totals {
		o := Operation{Kind: name, Count: t.count, Ms: round(t.seconds*1e3, 4), TimeShare: round(t.seconds/seconds, 4),
			GFLOP: round(t.flop/1e9, 6), MB: round(t.bytes/1e6, 4), GFLOPS: round(t.flop/t.seconds/1e9, 2), GBS: round(t.bytes/t.seconds/1e9, 2),
			LimitShare: round(t.limit/t.seconds, 4), Bound: "memory"}
		if t.limitFLOP > t.limitBytes {
			o.Bound = "compute"
		}
		if len(t.shapes) > 1 {
			o.Shapes = operations(t.shapes, seconds)
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(b.Ms, a.Ms), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}
