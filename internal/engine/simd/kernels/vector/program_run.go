package vector

import (
	"math"
	"sync"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// Memory is where a register that is an input or an output lies: one of the two slices.
type Memory struct {
	Floats []float32
	Bools  []bool
}

// Run runs the program. memory has an entry for each register; those of registers that are neither input nor output
// are not looked at. Behind them it has one for each sum.
func (p *Program) Run(pool *work.Pool, memory []Memory) {
	if len(p.sums) > 0 {
		p.runSums(pool, memory)
		return
	}
	outer := 1
	for _, s := range p.sizes {
		outer *= s
	}
	if outer*p.rows*p.cols == 0 {
		return
	}
	perOuter := (p.rows + p.perUnit - 1) / p.perUnit
	chunks := (p.cols + p.chunk - 1) / p.chunk
	units := outer * perOuter * chunks
	if pool.Threads() == 1 || units < 16 {
		p.work(memory, 0, units, perOuter, chunks)
		return
	}
	pool.For(units, 8, func(lo, hi int) { p.work(memory, lo, hi, perOuter, chunks) })
}

// runSums runs the program and adds the rows of its sums up, in the order of ReduceMiddle: block by block of
// middleBlock terms, each of them join rows side by side.
func (p *Program) runSums(pool *work.Pool, memory []Memory) {
	results := memory[len(p.temp):]
	if p.rows*p.cols == 0 {
		for i := range p.sums {
			clear(results[i].Floats[:p.cols])
		}
		return
	}
	size, rows := p.join*p.cols, middleBlock*p.join
	blocks := (p.rows + rows - 1) / rows
	parts := work.Scratch(len(p.sums) * blocks * size)
	defer parts.Release()
	clear(parts.Data)
	pool.For(blocks, max(1, 16384/(rows*p.cols)), func(lo, hi int) {
		w := p.begin()
		defer workers.Put(w)
		for b := lo; b < hi; b++ {
			end := min(p.rows, (b+1)*rows)
			for r := b * rows; r < end; r += p.perUnit {
				p.block(w, memory, 0, r, min(p.perUnit, end-r), 0, p.cols)
				for i, register := range p.sums {
					acc, x := parts.Data[(i*blocks+b)*size:][:size], w.x[register]
					for len(x) > 0 {
						joinRow(Sum, acc, x[:size])
						x = x[size:]
					}
				}
			}
		}
		w.end()
	})
	for i := range p.sums {
		part := parts.Data[i*blocks*size:][:blocks*size]
		total := part[:size]
		for b := 1; b < blocks; b++ {
			joinRow(Sum, total, part[b*size:][:size])
		}
		dst := results[i].Floats[:p.cols]
		if p.join == 1 {
			copy(dst, total)
			continue
		}
		clear(dst)
		for j := range p.join {
			joinRow(Sum, dst, total[j*p.cols:][:p.cols])
		}
	}
}

// worker is the state of one thread on its way through a program.
type worker struct {
	floats []float32
	masks  []bool
	x      [][]float32 // by register: the block's elements, or nil and
	one    []float32   // the single one
	b      [][]bool
	truth  []bool
	base   []int // by input: which row stands in its working memory, or -1
}

var workers = sync.Pool{New: func() any { return new(worker) }}

func grown[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// work does blocks lo … hi.
func (p *Program) work(memory []Memory, lo, hi, perOuter, chunks int) {
	w := p.begin()
	defer workers.Put(w)
	for u := lo; u < hi; u++ {
		c, r := u%chunks*p.chunk, u/chunks%perOuter*p.perUnit
		p.block(w, memory, u/chunks/perOuter, r, min(p.perUnit, p.rows-r), c, min(p.chunk, p.cols-c))
	}
	w.end()
}

// begin gives a worker with room for the program's blocks.
func (p *Program) begin() *worker {
	w := workers.Get().(*worker)
	size := p.perUnit * p.chunk
	n := len(p.temp)
	w.floats, w.masks = grown(w.floats, p.temps*size), grown(w.masks, p.masks*size)
	w.x, w.one, w.b, w.truth = grown(w.x, n), grown(w.one, n), grown(w.b, n), grown(w.truth, n)
	w.base = grown(w.base, len(p.inputs))
	for i := range w.base {
		w.base[i] = -1
	}
	return w
}

// end lets go of what the worker looked at.
func (w *worker) end() {
	clear(w.x)
	clear(w.b)
}

// block does rows r … r+rows of outer element o, columns c … c+cols; more than one row only if they are whole.
func (p *Program) block(w *worker, memory []Memory, o, r, rows, c, cols int) {
	n := rows * cols
	size := p.perUnit * p.chunk
	for i := range p.inputs {
		s := &p.inputs[i]
		at := r*s.row + c*s.col
		if len(p.sizes) > 0 {
			at += offset(o, p.sizes, s.outer)
		}
		if s.mask {
			w.b[i], w.truth[i] = load(s, memory[i].Bools, w.masks, &w.base[i], at, rows, cols, size, fillBools)
		} else {
			w.x[i], w.one[i] = load(s, memory[i].Floats, w.floats, &w.base[i], at, rows, cols, size, fill)
		}
	}
	to := (o*p.rows+r)*p.cols + c
	for i := range p.code {
		q := &p.code[i]
		t := p.temp[q.Dst]
		if q.Do.gives() {
			dst := memory[q.Dst].Bools
			if t >= 0 {
				dst = w.masks[t*size:][:n]
			} else {
				dst = dst[to:][:n]
			}
			w.b[q.Dst] = dst
			w.instructBool(q, dst)
			continue
		}
		dst := memory[q.Dst].Floats
		if t >= 0 {
			dst = w.floats[t*size:][:n]
		} else {
			dst = dst[to:][:n]
		}
		w.x[q.Dst] = dst
		w.instruct(q, dst, w.masks[p.spare*size:][:2*size], w.floats[p.blank*size:][:2*size])
	}
}

// load gives a block of an input: where it lies, put together in working memory, or as one element.
func load[T float32 | bool](s *stream, x, blocks []T, base *int, at, rows, cols, size int, fill func([]T, T)) ([]T, T) {
	var none T
	switch {
	case s.kind == streamOne, s.kind == streamColumn && rows == 1:
		return nil, x[at]
	case s.kind == streamFull, rows == 1:
		return x[at:][:rows*cols], none
	}
	to := blocks[s.expanded*size:][:size]
	switch s.kind {
	case streamRow:
		if *base != at {
			for i := 0; i < size; i += cols {
				copy(to[i:][:cols], x[at:])
			}
			*base = at
		}
	case streamColumn:
		for i := range rows {
			fill(to[i*cols:][:cols], x[at+i*s.row])
		}
	default:
		for i := range rows {
			copy(to[i*cols:][:cols], x[at+i*s.row:])
		}
	}
	return to[:rows*cols], none
}

// fill writes v to every element.
func fill(dst []float32, v float32) {
	eight := [8]float32{v, v, v, v, v, v, v, v}
	for len(dst) >= 8 {
		*(*[8]float32)(dst) = eight
		dst = dst[8:]
	}
	for i := range dst {
		dst[i] = v
	}
}

func fillBools(dst []bool, v bool) {
	for i := range dst {
		dst[i] = v
	}
}

// instruct does an instruction whose result is float32; spare and work are working memory of two blocks.
func (w *worker) instruct(q *Instruction, dst []float32, spare []bool, work []float32) {
	a, b, c := q.Args[0], q.Args[1], q.Args[2]
	switch q.Do {
	case DoBinary:
		BinaryRow(BinaryOp(q.Op), dst, w.x[a], w.x[b], w.one[a], w.one[b])
	case DoUnary:
		UnaryRow(UnaryOp(q.Op), dst, w.elements(a, dst))
	case DoGradient:
		activationGrad(Activation(q.Op), dst, w.elements(a, work[:len(dst)]), w.elements(b, work[len(work)/2:][:len(dst)]))
	case DoSelect:
		if w.b[a] != nil {
			choose(dst, w.b[a], w.x[b], w.x[c], w.one[b], w.one[c])
			return
		}
		if !w.truth[a] {
			b = c
		}
		if w.x[b] == nil {
			fill(dst, w.one[b])
		} else {
			copy(dst, w.x[b])
		}
	case DoMaxGradient:
		below, kept := spare[:len(dst)], work[:len(dst)]
		compare(Less, below, w.x[a], nil, w.one[a], 0)
		choose(kept, below, nil, nil, 0, 1)
		BinaryRow(Mul, dst, kept, w.x[b], 0, w.one[b])
	case DoSign:
		below, above := spare[:len(dst)], spare[len(spare)/2:][:len(dst)]
		compare(Less, below, w.x[a], nil, w.one[a], 0) // both before dst, which may be x, is written
		compare(Less, above, nil, w.x[a], 0, w.one[a])
		choose(dst, below, nil, nil, -1, 0)
		choose(dst, above, nil, dst, 1, 0)
	case DoFromBool:
		if w.b[a] != nil {
			choose(dst, w.b[a], nil, nil, 1, 0)
			return
		}
		v := float32(0)
		if w.truth[a] {
			v = 1
		}
		fill(dst, v)
	default:
		panic("kernels.Program: unknown operation")
	}
}

// elements gives a register's elements in the block; a single one is repeated in place.
func (w *worker) elements(register int, place []float32) []float32 {
	if x := w.x[register]; x != nil {
		return x
	}
	fill(place, w.one[register])
	return place
}

// instructBool does an instruction whose result is bool.
func (w *worker) instructBool(q *Instruction, dst []bool) {
	a, b := q.Args[0], q.Args[1]
	switch q.Do {
	case DoCompare:
		op := CompareOp(q.Op)
		switch op { // compare knows the others with the operands exchanged
		case Greater:
			op, a, b = Less, b, a
		case GreaterEqual:
			op, a, b = LessEqual, b, a
		}
		compare(op, dst, w.x[a], w.x[b], w.one[a], w.one[b])
	case DoFinite, DoNaN:
		for i := range dst {
			v := w.one[a]
			if w.x[a] != nil {
				v = w.x[a][i]
			}
			if q.Do == DoNaN {
				dst[i] = v != v
			} else {
				dst[i] = math.Float32bits(v)&0x7f800000 != 0x7f800000
			}
		}
	default:
		w.logic(q, dst)
	}
}

func (w *worker) logic(q *Instruction, dst []bool) {
	at := func(r, i int) bool {
		if w.b[r] == nil {
			return w.truth[r]
		}
		return w.b[r][i]
	}
	a, b := q.Args[0], q.Args[1]
	for i := range dst {
		switch q.Do {
		case DoAnd:
			dst[i] = at(a, i) && at(b, i)
		case DoOr:
			dst[i] = at(a, i) || at(b, i)
		case DoXor:
			dst[i] = at(a, i) != at(b, i)
		case DoNot:
			dst[i] = !at(a, i)
		default:
			panic("kernels.Program: unknown operation")
		}
	}
}
