package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of tile.Call (a test there compares them).
const (
	tileA      = 8 * iota // first element of A
	tileB                 // first element of B
	tileC                 // first element of C
	tileBias              // bias of the first column, or nil
	tileBlocks            // blocks of rows, at least 1; counted down
	tileInner             // terms of the inner sum, at least 1
	tileOuter             // how often the inner sum is repeated, at least 1
	tileRowA              // bytes from row to row of A
	tileColA              // bytes from term to term of A
	tileOuterA            // bytes from repeat to repeat of A
	tileBlockA            // bytes from block to block of A
	tileRowB              // bytes from term to term of B
	tileOuterB            // bytes from repeat to repeat of B
	tileRowC              // bytes from row to row of C
	tileBlockC            // bytes from block to block of C
	tileFlags             // 1: add to C; 2: ReLU
	tileAlpha             // float32 factor of the product; tileRest is behind it
	tileCursor            // working memory: where the present block of C starts
)

// tileRest is working memory of 32 bits: the terms that come after C has been asked for, 0 before and afterwards.
const tileRest = tileAlpha + 4

// isa is what differs between the instruction sets.
type isa struct {
	name   string
	width  int // floats in a register
	rows   int // most rows of a block: accumulators fill the registers
	vector func() reg.VecVirtual
	// multiply adds b·a to acc; nil is VFMADD231PS.
	multiply func(b, a, acc reg.VecVirtual)
	// term, if set, stands for the loads and multiplications of a term.
	term func(bases []reg.GPVirtual, rowA, pb reg.Register, acc [][]reg.VecVirtual)
	// fold, if set, finishes the sum of a block (tile.outer is 1): the last two terms say how.
	fold func(bases []reg.GPVirtual, rowA, pb, rowB reg.Register, acc [][]reg.VecVirtual, a reg.VecVirtual, b []reg.VecVirtual)
}

// products writes the microkernels: for each instruction set, one and two registers of columns, and
// 1 to isa.rows rows.
func products() {
	for _, s := range []isa{
		{name: "avx2", width: 8, rows: 6, vector: YMM},
		{name: "avx512", width: 16, rows: 12, vector: ZMM},
	} {
		for _, vectors := range []int{1, 2} {
			for rows := 1; rows <= s.rows; rows++ {
				product(s, rows, vectors)
			}
		}
	}
}

// product writes one microkernel: for each of tile.blocks blocks of rows,
//
//	C[rows, columns] = relu?(alpha·Σ_outer Σ_inner A·B + C? + bias?)
//
// with all sums of the block in registers. A is read by broadcasts with any strides, so it may be
// plain, transposed, packed, or an image.
func product(s isa, rows, vectors int) {
	TEXT(fmt.Sprintf("%sTile%dx%d", s.name, rows, vectors*s.width), NOSPLIT, "func(t *[18]uint64)")
	Doc(fmt.Sprintf("%sTile%dx%d does %d rows and %d columns at a time.", s.name, rows, vectors*s.width, rows, vectors*s.width))
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(offset int) Mem { return Mem{Base: t, Disp: offset} }
	load := func(offset int) reg.GPVirtual {
		r := GP64()
		MOVQ(field(offset), r)
		return r
	}
	blockA, cursor := load(tileA), load(tileC)
	MOVQ(cursor, field(tileCursor))
	rowA, colA, rowB := load(tileRowA), load(tileColA), load(tileRowB)
	id := func(name string) string { return fmt.Sprintf("%s_%d_%d_%s", s.name, rows, vectors, name) }

	acc := make([][]reg.VecVirtual, rows)
	for i := range acc {
		for range vectors {
			acc[i] = append(acc[i], s.vector())
		}
	}
	b := make([]reg.VecVirtual, vectors)
	for i := range b {
		b[i] = s.vector()
	}
	a := s.vector()

	Label(id("block"))
	for i := range acc {
		for _, r := range acc[i] {
			zero(s, r)
		}
	}
	outer, outerA, outerB := load(tileOuter), GP64(), load(tileB)
	MOVQ(blockA, outerA)
	bases := make([]reg.GPVirtual, (rows+2)/3) // one pointer for three rows
	for i := range bases {
		bases[i] = GP64()
	}
	pb, inner := GP64(), GP64()

	Label(id("outer"))
	MOVQ(outerA, bases[0])
	for i := 1; i < len(bases); i++ {
		LEAQ(Mem{Base: bases[i-1], Index: rowA, Scale: 2}, bases[i])
		ADDQ(rowA, bases[i])
	}
	MOVQ(outerB, pb)
	MOVQ(field(tileInner), inner)
	term := func() {
		if s.term != nil {
			s.term(bases, rowA, pb, acc)
			ADDQ(rowB, pb)
			for _, r := range bases {
				ADDQ(colA, r)
			}
			return
		}
		for i, r := range b {
			VMOVUPS(Mem{Base: pb, Disp: i * s.width * 4}, r)
			ahead(s, rows, Mem{Base: pb, Disp: i * s.width * 4})
		}
		ADDQ(rowB, pb)
		for i := range rows {
			m := Mem{Base: bases[i/3]}
			if i%3 > 0 {
				m.Index, m.Scale = rowA, uint8(i%3)
			}
			VBROADCASTSS(m, a)
			for j, r := range b {
				if s.multiply != nil {
					s.multiply(r, a, acc[i][j])
				} else {
					VFMADD231PS(r, a, acc[i][j])
				}
			}
		}
		for _, r := range bases {
			ADDQ(colA, r)
		}
	}
	if s.fold != nil {
		SUBQ(Imm(2), inner)
	}
	askC(field, inner, outer, rows, vectors*s.width*4, id)
	const unroll = 4
	SUBQ(Imm(unroll), inner)
	JL(LabelRef(id("rest")))
	Label(id("inner"))
	for range unroll {
		term()
	}
	SUBQ(Imm(unroll), inner)
	JGE(LabelRef(id("inner")))
	Label(id("rest"))
	ADDQ(Imm(unroll), inner)
	JE(LabelRef(id("summed")))
	Label(id("one"))
	term()
	DECQ(inner)
	JNE(LabelRef(id("one")))
	Label(id("summed"))
	CMPL(field(tileRest), Imm(0))
	JNE(LabelRef(id("ask")))
	if s.fold != nil {
		s.fold(bases, rowA, pb, rowB, acc, a, b)
	}
	ADDQ(field(tileOuterA), outerA)
	ADDQ(field(tileOuterB), outerB)
	DECQ(outer)
	JNE(LabelRef(id("outer")))

	finish(s, t, acc, a, b, id)
	ADDQ(field(tileBlockA), blockA)
	next := load(tileBlockC)
	ADDQ(next, field(tileCursor))
	DECQ(field(tileBlocks))
	JNE(LabelRef(id("block")))
	VZEROUPPER()
	RET()
}

// askC asks for the block of C before its last terms are summed, whose number it leaves in inner: rows of bytes each. C
// is used only once these sums are there, too late to ask then; and much earlier its lines would be lost again to
// those of B, above all where rows lie a multiple of 4 KB apart and share a set of the first-level cache.
func askC(field func(int) Mem, inner, outer reg.GPVirtual, rows, bytes int, id func(string) string) {
	const late = 96 // terms; 24 lines come from the third-level cache in half their time
	rest := field(tileRest)
	CMPQ(inner, Imm(2*late))
	JL(LabelRef(id("short")))
	MOVL(U32(late), rest)
	SUBQ(Imm(late), inner)
	JMP(LabelRef(id("terms")))
	Label(id("short")) // once, if the sum is repeated
	CMPQ(outer, Imm(1))
	JNE(LabelRef(id("terms")))
	MOVL(inner.As32(), rest)
	Label(id("ask"))
	MOVQ(field(tileCursor), inner)
	for i := range rows {
		for at := 0; at < bytes; at += 64 {
			PREFETCHT0(Mem{Base: inner, Disp: at})
		}
		if i+1 < rows {
			ADDQ(field(tileRowC), inner)
		}
	}
	MOVL(rest, inner.As32())
	MOVL(U32(0), rest)
	Label(id("terms"))
}

// ahead asks for what follows in B. A network's weights do not fit a cache, and come from memory for each picture.
// Few rows wait for their own panel, 4 KB on; many have time to bring the next one to the second-level cache.
func ahead(s isa, rows int, b Mem) {
	switch {
	case s.width < 16:
	case rows <= 8:
		b.Disp += 4 << 10
		PREFETCHT0(b)
	default:
		b.Disp += 32 << 10
		PREFETCHT1(b)
	}
}

func zero(s isa, r reg.VecVirtual) {
	if s.width == 16 {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// finish applies alpha, C, bias and ReLU to the accumulators and stores them.
func finish(s isa, t reg.Register, acc [][]reg.VecVirtual, spare reg.VecVirtual, b []reg.VecVirtual, id func(string) string) {
	field := func(offset int) Mem { return Mem{Base: t, Disp: offset} }
	at := func(p reg.Register, j int) Mem { return Mem{Base: p, Disp: j * s.width * 4} }
	each := func(f func(i, j int, r reg.VecVirtual)) {
		for i := range acc {
			for j, r := range acc[i] {
				f(i, j, r)
			}
		}
	}
	flags, rowC, p := GP64(), GP64(), GP64()
	MOVQ(field(tileFlags), flags)
	MOVQ(field(tileRowC), rowC)
	VBROADCASTSS(field(tileAlpha), spare)
	each(func(_, _ int, r reg.VecVirtual) { VMULPS(spare, r, r) })

	TESTQ(U32(1), flags)
	JE(LabelRef(id("fresh")))
	MOVQ(field(tileCursor), p)
	for i := range acc {
		for j, r := range acc[i] {
			VADDPS(at(p, j), r, r)
		}
		if i+1 < len(acc) {
			ADDQ(rowC, p)
		}
	}
	Label(id("fresh"))

	MOVQ(field(tileBias), p)
	TESTQ(p, p)
	JE(LabelRef(id("unbiased")))
	for j, r := range b {
		VMOVUPS(at(p, j), r)
	}
	each(func(_, j int, r reg.VecVirtual) { VADDPS(b[j], r, r) })
	Label(id("unbiased"))

	TESTQ(U32(2), flags)
	JE(LabelRef(id("store")))
	zero(s, spare)
	each(func(_, _ int, r reg.VecVirtual) { VMAXPS(r, spare, r) }) // a NaN accumulator stays
	Label(id("store"))
	MOVQ(field(tileCursor), p)
	for i := range acc {
		for j, r := range acc[i] {
			VMOVUPS(r, at(p, j))
		}
		if i+1 < len(acc) {
			ADDQ(rowC, p)
		}
	}
}
