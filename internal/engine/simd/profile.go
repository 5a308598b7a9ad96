package simd

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// StepCost is what one step of an executable costs.
type StepCost struct {
	// Kind is the operation, as "product" or "elementwise"; Name may add shapes.
	Kind, Name string
	// Time is that of the quickest run: others may have been interrupted.
	Time time.Duration
	// FLOP are the operations of products, convolutions and attention, two for each multiply-add. Nothing else counts.
	FLOP float64
	// Bytes are those of the step's operands and results, each once: what must move if nothing is in a cache.
	Bytes float64
}

// profile remembers which executables have run while costs are taken.
type profile struct {
	on    atomic.Bool
	mutex sync.Mutex
	ran   []*Executable
}

// Profile begins to take the time of each step of all executions, anew. It slows small steps down a little.
func (b *Backend) Profile() {
	p := &b.profile
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, e := range p.ran {
		e.explanation.forget()
	}
	p.ran = nil
	p.on.Store(true)
}

// EndProfile ends what Profile began, and gives the steps of the executables that have run and are not finalized, in
// the order of their first runs.
func (b *Backend) EndProfile() []StepCost {
	p := &b.profile
	p.on.Store(false)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var costs []StepCost
	for _, e := range p.ran {
		costs = append(costs, e.explanation.costs(e)...)
	}
	return costs
}

// add notes an executable.
func (p *profile) add(e *Executable) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.ran = append(p.ran, e)
}

func (x *explanation) forget() {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.runs, x.spent = 0, nil
}

func (x *explanation) costs(e *Executable) []StepCost {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	costs := make([]StepCost, 0, len(x.spent))
	for i := range min(len(x.spent), len(e.steps)) {
		s := &e.steps[i]
		costs = append(costs, StepCost{Kind: kindOf(s.name), Name: s.name, Time: x.spent[i], FLOP: s.flop, Bytes: s.bytes()})
	}
	return costs
}

// kindOf is a step's name up to what says which shape.
func kindOf(name string) string {
	if strings.HasPrefix(name, "plain Go") {
		return "plain Go"
	}
	if i := strings.IndexAny(name, "0123456789[:,"); i >= 0 {
		name = name[:i]
	}
	return strings.TrimSpace(name)
}

// bytes counts each slot once, and weights that are packed. What gather reads of its table is as much as it writes.
func (s *step) bytes() float64 {
	total := float64(s.packed)
	seen := map[*slot]bool{}
	reads := s.reads
	if s.name == "gather" {
		reads = append(reads[1:len(reads):len(reads)], s.writes...)
		total += float64(memory(s.writes[0]))
	}
	for _, list := range [][]*slot{reads, s.writes} {
		for _, x := range list {
			if !seen[x] {
				seen[x] = true
				total += float64(memory(x))
			}
		}
	}
	return total
}

// memory is a slot's size in bytes.
func memory(s *slot) int { return s.dtype.SizeForDimensions(s.size) }
