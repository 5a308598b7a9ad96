package vector

import "slices"

// Program is a chain of elementwise operations that runs as one pass: block by block, with what lies between two
// operations in the first-level cache.
//
// Registers are numbered: inputs first, then the results of instructions. A register holds float32 or bool
// elements; which is known from its use. An instruction's result that is not an output lives for one block.
type Program struct {
	sizes   []int // of the outer axes, which are walked one by one
	rows    int
	cols    int
	inputs  []stream
	code    []Instruction
	output  []bool // by register: goes to memory
	temp    []int  // by register: block of working memory, or -1
	temps   int    // float blocks
	masks   int    // bool blocks
	spare   int    // first of two bool blocks for what one instruction needs inside
	blank   int    // first of two float blocks, likewise
	perUnit int    // rows a block
	chunk   int    // columns a block
	sums    []int  // registers that are summed over the rows
	join    int    // rows that such a sum takes as one
}

// Instruction is one operation: Dst = Do(Args…). Op says which unary or binary operation or comparison.
type Instruction struct {
	Do   Operation
	Op   uint8
	Dst  int
	Args [3]int
}

// Operation is a kind of instruction.
type Operation uint8

// The operations; x, y are float32, b, c are bool.
const (
	DoUnary       Operation = iota // UnaryOp(x)
	DoBinary                       // x BinaryOp y
	DoCompare                      // x CompareOp y, a bool
	DoSelect                       // x where b, else y: arguments b, x, y
	DoAnd                          // b and c
	DoOr                           // b or c
	DoXor                          // b differs from c
	DoNot                          // not b
	DoFromBool                     // 1 where b, else 0
	DoGradient                     // y·f'(x) for the Activation f
	DoSign                         // 1 where x > 0, -1 where x < 0, else 0
	DoFinite                       // x is neither infinite nor NaN
	DoNaN                          // x is NaN
	DoMaxGradient                  // what flows back to x through max(x, 0): y·1, or y·0 where x < 0
)

// arguments says how many arguments the operation has.
func (o Operation) arguments() int {
	switch o {
	case DoSelect:
		return 3
	case DoBinary, DoCompare, DoAnd, DoOr, DoXor, DoGradient, DoMaxGradient:
		return 2
	}
	return 1
}

// gives reports whether the operation's result is bool.
func (o Operation) gives() (mask bool) {
	switch o {
	case DoCompare, DoAnd, DoOr, DoXor, DoNot, DoFinite, DoNaN:
		return true
	}
	return false
}

// Input is an operand of a program: the distances of its elements along each axis of the result. The innermost
// must be 1, or 0 where one element stands for all.
type Input struct {
	Bool    bool
	Strides []int
}

// stream is an input on the way through the rows.
type stream struct {
	mask     bool
	outer    []int // strides of the outer axes
	row, col int   // strides
	kind     streamKind
	expanded int // block of working memory where rows are put together, or -1
}

type streamKind uint8

const (
	streamFull   streamKind = iota // rows follow each other
	streamOne                      // one element a block
	streamRow                      // the same row again and again
	streamColumn                   // one element a row
	streamApart                    // rows with gaps
)

const (
	programBlock = 1024 // elements of a block: a few of them fill a first-level cache
	wideRow      = 512  // rows of this length are blocks of their own
)

// NewProgram prepares a program over a result of the given sizes. outputs are the registers that go to memory,
// row-major; sums are results of float32 whose sums over all axes but the last are wanted, as [ReduceMiddle] computes
// them. It says false for an input whose innermost stride is neither 0 nor 1, and for sums of rows that are too long or
// do not follow each other in all inputs.
func NewProgram(sizes []int, inputs []Input, code []Instruction, outputs, sums []int) (*Program, bool) {
	p := &Program{code: code, sums: sums}
	strides := make([][]int, len(inputs))
	for i, in := range inputs {
		strides[i] = in.Strides
	}
	columns := 0
	if len(sums) > 0 { // a row that all share keeps the last axis apart
		columns = sizes[len(sizes)-1]
		row := make([]int, len(sizes))
		row[len(row)-1] = 1
		strides = append(strides, row)
	}
	sizes, strides = joinAll(sizes, strides)
	last := len(sizes) - 1
	if len(sums) > 0 && (last != 1 || sizes[1] != columns || columns >= wideRow) {
		return nil, false
	}
	p.sizes, p.rows, p.cols = sizes[:last-1], sizes[last-1], sizes[last]
	p.perUnit, p.chunk = 1, programBlock
	if p.cols < wideRow && p.cols > 0 {
		p.perUnit, p.chunk = max(1, programBlock/p.cols), p.cols
	}
	if len(sums) > 0 {
		p.join = joinedRows(p.rows, p.cols)
		p.perUnit = max(1, p.perUnit/p.join) * p.join
	}
	registers := len(inputs)
	for _, c := range code {
		registers = max(registers, c.Dst+1)
	}
	p.output = make([]bool, registers)
	for _, r := range outputs {
		p.output[r] = true
	}
	for i, in := range inputs {
		s := stream{mask: in.Bool, outer: strides[i][:last-1], row: strides[i][last-1], col: strides[i][last], expanded: -1}
		if s.col != 0 && s.col != 1 {
			return nil, false
		}
		s.kind = s.classify(p.rows, p.cols)
		p.inputs = append(p.inputs, s)
	}
	p.place(registers)
	return p, true
}

func (s stream) classify(rows, cols int) streamKind {
	switch {
	case s.col == 1 && (rows == 1 || s.row == cols):
		return streamFull
	case s.col == 1 && s.row == 0:
		return streamRow
	case s.col == 1:
		return streamApart
	case s.row == 0 || rows == 1:
		return streamOne
	}
	return streamColumn
}

// joinAll leaves out axes of one element and joins axes that all inputs walk as one; at least two axes stay.
func joinAll(sizes []int, strides [][]int) ([]int, [][]int) {
	var joined []int
	out := make([][]int, len(strides))
	for a := len(sizes) - 1; a >= 0; a-- { // innermost first
		if sizes[a] == 1 {
			continue
		}
		l := len(joined) - 1
		together := l >= 0
		for i := range strides {
			together = together && strides[i][a] == out[i][l]*joined[l]
		}
		if together {
			joined[l] *= sizes[a]
			continue
		}
		joined = append(joined, sizes[a])
		for i := range strides {
			out[i] = append(out[i], strides[i][a])
		}
	}
	for len(joined) < 2 {
		joined = append(joined, 1)
		for i := range out {
			out[i] = append(out[i], 0)
		}
	}
	slices.Reverse(joined)
	for i := range out {
		slices.Reverse(out[i])
	}
	return joined, out
}

// place gives inputs that must be put together and results that stay in the block their working memory.
func (p *Program) place(registers int) {
	p.temp = make([]int, registers)
	last := make([]int, registers) // instruction that reads it last
	for i, c := range p.code {
		for _, a := range c.Args[:c.Do.arguments()] {
			last[a] = i
		}
	}
	for _, r := range p.sums {
		last[r] = len(p.code) // read when the block is done
	}
	take := func(mask bool) int {
		if mask {
			p.masks++
			return p.masks - 1
		}
		p.temps++
		return p.temps - 1
	}
	for i := range p.inputs {
		s := &p.inputs[i]
		if p.perUnit > 1 && (s.kind == streamRow || s.kind == streamColumn || s.kind == streamApart) {
			s.expanded = take(s.mask)
		}
	}
	var free, freeMasks []int
	p.spare, p.blank = take(true), take(false)
	take(true)
	take(false)
	for i, c := range p.code {
		p.temp[c.Dst] = -1
		list := &free
		if c.Do.gives() {
			list = &freeMasks
		}
		if !p.output[c.Dst] {
			if n := len(*list); n > 0 {
				p.temp[c.Dst] = (*list)[n-1]
				*list = (*list)[:n-1]
			} else {
				p.temp[c.Dst] = take(c.Do.gives())
			}
		}
		// Freed after the result has its place: no operation works in place in working memory.
		done := map[int]bool{}
		for _, a := range c.Args[:c.Do.arguments()] {
			if a < len(p.inputs) || p.output[a] || last[a] != i || done[a] {
				continue
			}
			done[a] = true
			if p.isMask(a) {
				freeMasks = append(freeMasks, p.temp[a])
			} else {
				free = append(free, p.temp[a])
			}
		}
	}
}

func (p *Program) isMask(register int) bool {
	if register < len(p.inputs) {
		return p.inputs[register].mask
	}
	for _, c := range p.code {
		if c.Dst == register {
			return c.Do.gives()
		}
	}
	return false
}

// LastRead is the last instruction that reads an input, or -1: an output that a later instruction writes, or that
// one, may lie where an input with the same elements lies.
func (p *Program) LastRead(input int) int {
	last := -1
	for i, c := range p.code {
		if slices.Contains(c.Args[:c.Do.arguments()], input) {
			last = i
		}
	}
	return last
}
