package pairs

import "sync"

// order says which sample stands at which place of the endless stream. Each
// pass over the samples has an order of its own.
type order struct {
	samples    int
	starts     []int // first sample of each shard
	buffer     int
	sequential bool
	seed       uint64

	mu     sync.Mutex
	passes map[int][]int32
}

// at returns the sample at a place.
func (o *order) at(place int) int {
	pass, i := place/o.samples, place%o.samples
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
	line := make([]int32, 0, o.samples)
	d := roll(o.seed, forOrder, uint64(number))
	if o.buffer == 0 || o.buffer >= o.samples {
		for i := range o.samples {
			line = append(line, int32(i))
		}
		shuffle(d, line)
		return line
	}
	shards := make([]int, len(o.starts))
	for i := range shards {
		shards[i] = i
	}
	shuffle(d, shards)
	for _, s := range shards {
		end := o.samples
		if s+1 < len(o.starts) {
			end = o.starts[s+1]
		}
		for i := o.starts[s]; i < end; i++ {
			line = append(line, int32(i))
		}
	}
	d = roll(o.seed, forBuffer, uint64(number))
	drawn := make([]int32, 0, o.samples)
	buffer := append([]int32(nil), line[:o.buffer]...)
	for _, next := range line[o.buffer:] {
		j := d.intn(len(buffer))
		drawn = append(drawn, buffer[j])
		buffer[j] = next
	}
	shuffle(d, buffer)
	return append(drawn, buffer...)
}
