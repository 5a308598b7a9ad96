package pairs

import (
	"math"
	"sync"
)

// order is which sample comes at which index of the endless stream. Each
// pass over the samples has an order of its own.
type order struct {
	shards     []span
	buffer     int
	sequential bool // in the order of the shards, each once
	resampled  bool // shards drawn with replacement
	seed       uint64
	length     int // of a pass

	mu     sync.Mutex
	passes map[int][]int32
}

// span is one shard (or folder, or table): its samples and how often a pass takes
// them, or, where shards are drawn, how likely it is drawn beside the others.
type span struct {
	first, end int
	weight     float64
}

// newOrder makes the order of an index's samples. weights are by part of the
// sources text; nil is 1 for each.
func newOrder(x *Index, o Options) *order {
	r := &order{buffer: o.ShuffleBuffer, sequential: o.Sequential, resampled: o.Resampled, seed: o.Seed}
	for i, first := range x.starts {
		s := span{first, x.Len(), 1}
		if i+1 < len(x.starts) {
			s.end = x.starts[i+1]
		}
		if o.Weights != nil {
			s.weight = o.Weights[x.parts[i]]
		}
		if s.end == s.first {
			continue
		}
		if r.length += s.share(); r.resampled || r.sequential {
			r.length = s.end
		}
		r.shards = append(r.shards, s)
	}
	r.length = max(1, r.length)
	return r
}

// share is the number of samples that a pass takes of a shard.
func (s span) share() int { return int(math.Round(s.weight * float64(s.end-s.first))) }

// at returns the sample at an index of the stream.
func (o *order) at(index int) int {
	pass, i := index/o.length, index%o.length
	if o.sequential {
		return i
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	p, ok := o.passes[pass]
	if !ok {
		p = o.pass(pass)
		if o.passes == nil {
			o.passes = map[int][]int32{}
		}
		for old := range o.passes { // batches ahead may need the next pass beside this one
			if old < pass-1 || old > pass+1 {
				delete(o.passes, old)
			}
		}
		o.passes[pass] = p
	}
	return int(p[i])
}

// pass returns the order of one pass: all samples shuffled, or the shards
// shuffled and their samples drawn from a buffer that is refilled in order.
func (o *order) pass(number int) []int32 {
	d := newRNG(o.seed, forOrder, uint64(number))
	whole := o.buffer == 0 || o.buffer >= o.length
	var line []int32
	switch {
	case o.resampled:
		line = o.drawn(d)
	default:
		turns := o.turns(number)
		if !whole {
			shuffle(d, turns)
		}
		for _, t := range turns {
			line = append(line, t...)
		}
	}
	if whole {
		shuffle(d, line)
		return line
	}
	d = newRNG(o.seed, forBuffer, uint64(number))
	out := make([]int32, 0, o.length)
	buffer := append([]int32(nil), line[:o.buffer]...)
	for _, next := range line[o.buffer:] {
		j := d.intn(len(buffer))
		out = append(out, buffer[j])
		buffer[j] = next
	}
	shuffle(d, buffer)
	return append(out, buffer...)
}

// turns are the samples of each shard, as often as its weight says: a weight of
// 2.25 is two turns of all and one of a random quarter, another in each pass.
func (o *order) turns(number int) [][]int32 {
	var turns [][]int32
	for i, s := range o.shards {
		n := s.end - s.first
		left := s.share()
		for ; left >= n; left -= n {
			turns = append(turns, upTo(s.first, s.end))
		}
		if left == 0 {
			continue
		}
		d := newRNG(o.seed, forWeights, uint64(number), uint64(i))
		part := make([]int32, 0, left)
		for k := s.first; len(part) < left; k++ { // each with the chance that fills the part
			if d.intn(s.end-k) < left-len(part) {
				part = append(part, int32(k))
			}
		}
		turns = append(turns, part)
	}
	return turns
}

// drawn are shards drawn with replacement, each with a chance in proportion to its
// weight, until a pass is full.
func (o *order) drawn(d *rng) []int32 {
	sums := make([]float64, len(o.shards))
	sum := 0.0
	for i, s := range o.shards {
		sum += s.weight
		sums[i] = sum
	}
	line := make([]int32, 0, o.length)
	for len(line) < o.length {
		at, i := d.float()*sum, 0
		for i < len(sums)-1 && at >= sums[i] {
			i++
		}
		line = append(line, upTo(o.shards[i].first, o.shards[i].end)...)
	}
	return line[:o.length]
}
