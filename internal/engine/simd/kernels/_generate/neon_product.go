package main

import "fmt"

// neonProducts writes the microkernels of arm64: blocks of 1 to 6 rows and 8 or 16 columns, as those of AVX2.
//
// A term of 6×16 is 24 multiplications of four lanes, four registers of B and six numbers of A, which lie in the
// first lane of a register: fmla multiplies by one lane, so nothing is spread over lanes first.
func neonProducts(f *file) {
	for _, vectors := range []int{2, 4} {
		for rows := 1; rows <= 6; rows++ {
			neonProduct(f, rows, vectors)
		}
	}
}

// neonProduct writes one microkernel; see product for what it computes.
func neonProduct(f *file, rows, vectors int) {
	name := fmt.Sprintf("neonTile%dx%d", rows, 4*vectors)
	r := f.function(name, fmt.Sprintf("does %d rows and %d columns at a time.", rows, 4*vectors), "func(t *[18]uint64)")
	t := r.word64("t")
	load := func(offset int) general {
		g := r.general()
		r.linef("MOVD %d(%s), %s", offset, t, g)
		return g
	}
	blockA, cursor, blocks := load(tileA), load(tileC), load(tileBlocks)
	rowA, colA, rowB := load(tileRowA), load(tileColA), load(tileRowB)
	acc := make([][]vector, rows)
	for i := range acc {
		for range vectors {
			acc[i] = append(acc[i], r.vector())
		}
	}
	outerA, outerB, outer := r.general(), r.general(), r.general()
	pb, shift, inner, spare := r.general(), r.general(), r.general(), r.general()
	rowsA := make([]general, rows)
	for i := range rowsA {
		rowsA[i] = r.general()
	}

	block := r.label("block")
	r.place(block)
	for i := range acc {
		for _, a := range acc[i] {
			r.line("VEOR V%[1]d.B16, V%[1]d.B16, V%[1]d.B16", a)
		}
	}
	r.linef("MOVD %s, %s", blockA, outerA)
	r.linef("MOVD %d(%s), %s", tileB, t, outerB)
	r.linef("MOVD %d(%s), %s", tileOuter, t, outer)

	again := r.label("outer")
	r.place(again)
	r.linef("MOVD %s, %s", outerA, rowsA[0])
	for i := 1; i < rows; i++ {
		r.linef("ADD %s, %s, %s", rowA, rowsA[i-1], rowsA[i])
	}
	r.linef("MOVD %s, %s", outerB, pb)
	r.linef("MOVD ZR, %s", shift)
	r.linef("MOVD %d(%s), %s", tileInner, t, inner)
	term := func() {
		b := make([]vector, vectors)
		for j := range b {
			b[j] = r.vector()
		}
		for j := 0; j < vectors; j += 2 {
			r.line(fmt.Sprintf("FLDPQ %d(%s), (F%%d, F%%d)", 16*j, pb), b[j], b[j+1])
		}
		r.linef("ADD %s, %s", rowB, pb)
		for i := range acc {
			a := r.vector()
			r.line(fmt.Sprintf("FMOVS (%s)(%s), F%%d", rowsA[i], shift), a)
			for j := range b {
				r.do("mlaByFirst", acc[i][j], b[j], a)
			}
		}
		r.linef("ADD %s, %s", colA, shift)
	}
	r.unrolled(inner, 4, term)
	for _, x := range []struct {
		offset int
		to     general
	}{{tileOuterA, outerA}, {tileOuterB, outerB}} {
		r.linef("MOVD %d(%s), %s", x.offset, t, spare)
		r.linef("ADD %s, %s", spare, x.to)
	}
	r.linef("SUBS $1, %s", outer)
	r.repeat("BNE", again)

	neonFinish(r, t, cursor, spare, rowsA[0], acc)
	for _, x := range []struct {
		offset int
		to     general
	}{{tileBlockA, blockA}, {tileBlockC, cursor}} {
		r.linef("MOVD %d(%s), %s", x.offset, t, spare)
		r.linef("ADD %s, %s", spare, x.to)
	}
	r.linef("SUBS $1, %s", blocks)
	r.repeat("BNE", block)
	r.linef("RET")
}

// unrolled writes a loop that runs body as often as the register says, at least once; several times a round.
func (r *routine) unrolled(count general, times int, body func()) {
	rest, many, one, done := r.label("rest"), r.label("many"), r.label("one"), r.label("done")
	r.linef("SUBS $%d, %s", times, count)
	r.linef("BLT %s", rest)
	r.place(many)
	for range times {
		body()
	}
	r.linef("SUBS $%d, %s", times, count)
	r.repeat("BGE", many)
	r.place(rest)
	r.linef("ADDS $%d, %s", times, count)
	r.linef("BEQ %s", done)
	r.place(one)
	body()
	r.linef("SUBS $1, %s", count)
	r.repeat("BNE", one)
	r.place(done)
}

// neonFinish applies alpha, C, bias and ReLU to the accumulators and stores them; p and step are free registers.
func neonFinish(r *routine, t, cursor, step, p general, acc [][]vector) {
	flags := r.general()
	each := func(f func(i, j int, x vector)) {
		for i := range acc {
			for j, x := range acc[i] {
				f(i, j, x)
			}
		}
	}
	along := func(f func(at string, x vector)) {
		r.linef("MOVD %s, %s", cursor, p)
		for i := range acc {
			for j, x := range acc[i] {
				f(fmt.Sprintf("%d(%s)", 16*j, p), x)
			}
			if i+1 < len(acc) {
				r.linef("ADD %s, %s", step, p)
			}
		}
	}
	r.linef("MOVD %d(%s), %s", tileFlags, t, flags)
	r.linef("MOVD %d(%s), %s", tileRowC, t, step)
	alpha := r.vector()
	r.line(fmt.Sprintf("FMOVS %d(%s), F%%d", tileAlpha, t), alpha)
	each(func(_, _ int, x vector) { r.do("mulByFirst", x, x, alpha) })

	fresh := r.label("fresh")
	r.linef("TBZ $0, %s, %s", flags, fresh)
	along(func(at string, x vector) {
		c := r.vector()
		r.line("FMOVQ "+at+", F%d", c)
		r.do("add", x, x, c)
	})
	r.place(fresh)

	unbiased, store := r.label("unbiased"), r.label("store")
	r.linef("MOVD %d(%s), %s", tileBias, t, p)
	r.linef("CBZ %s, %s", p, unbiased)
	for j := range acc[0] {
		b := r.vector()
		r.line(fmt.Sprintf("FMOVQ %d(%s), F%%d", 16*j, p), b)
		for i := range acc {
			r.do("add", acc[i][j], acc[i][j], b)
		}
	}
	r.place(unbiased)
	r.linef("TBZ $1, %s, %s", flags, store)
	zero := r.zero()
	each(func(_, _ int, x vector) { r.do("max", x, x, zero) }) // NaN stays
	r.place(store)
	along(func(at string, x vector) { r.line("FMOVQ F%d, "+at, x) })
}

func (r *routine) zero() vector {
	z := r.vector()
	r.line("VEOR V%[1]d.B16, V%[1]d.B16, V%[1]d.B16", z)
	return z
}
