package main

import "fmt"

// neonChoices writes comparisons into bools and selection by bools, for whole eights of elements.
func neonChoices(f *file) {
	for _, c := range []struct {
		name, op          string
		exchanged, negate bool
		both              bool
	}{
		{"Equal", "equal", false, false, false}, {"NotEqual", "equal", false, true, false},
		{"Less", "greater", true, false, true}, {"LessEqual", "notLess", true, false, true},
	} {
		for _, form := range []struct{ suffix, comment, signature string }{
			{"", "x and y", "func(dst *bool, x, y *float32, blocks int)"},
			{"Scalar", "x and s", "func(dst *bool, x *float32, s float32, blocks int)"},
			{"ByScalar", "s and x", "func(dst *bool, x *float32, s float32, blocks int)"},
		} {
			if form.suffix == "ByScalar" && !c.both {
				continue // the same both ways
			}
			r := f.function("vec"+c.name+form.suffix, "compares "+form.comment+", 8·blocks elements.", form.signature)
			dst, x, blocks := r.word64("dst"), r.word64("x"), r.word64("blocks")
			var y general
			var s vector
			if form.suffix == "" {
				y = r.word64("y")
			} else {
				s = r.scalar("s")
			}
			ones := r.bits(0x01010101)
			load := func(p general, half int) vector {
				v := r.vector()
				r.line(fmt.Sprintf("FMOVQ %d(%s), F%%d", 16*half, p), v)
				return v
			}
			again := r.label("again")
			r.place(again)
			var masks [2]vector
			for h := range masks {
				a, b := load(x, h), s
				if form.suffix == "" {
					b = load(y, h)
				}
				if form.suffix == "ByScalar" != c.exchanged {
					a, b = b, a
				}
				masks[h] = r.op(c.op, a, b)
			}
			all := r.op("short", masks[0])
			r.do("shortHigh", all, masks[1])
			all = r.op("bytes", all)
			if c.negate {
				all = r.op("not", all)
			}
			r.line("FMOVD F%d, ("+string(dst)+")", r.op("and", all, ones))
			r.linef("ADD $8, %s", dst)
			r.linef("ADD $32, %s", x)
			if form.suffix == "" {
				r.linef("ADD $32, %s", y)
			}
			r.linef("SUBS $1, %s", blocks)
			r.repeat("BNE", again)
			r.end()
		}
	}

	r := f.function("vecSelect", "takes x where cond, else y, 8·blocks elements; a step of 0 repeats the first eight.",
		"func(dst *float32, cond *bool, x, y *float32, stepX, stepY, blocks int)")
	p := map[string]general{}
	for _, n := range []string{"dst", "cond", "x", "y", "stepX", "stepY", "blocks"} {
		p[n] = r.word64(n)
	}
	again := r.label("again")
	r.place(again)
	bytes := r.vector()
	r.line("FMOVD ("+string(p["cond"])+"), F%d", bytes)
	wide := r.op("longBytes", bytes)
	for h, half := range []string{"long", "longHigh"} {
		m := r.op(half, wide)
		m = r.op("someBits", m, m)
		at := func(n string) vector {
			v := r.vector()
			r.line(fmt.Sprintf("FMOVQ %d(%s), F%%d", 16*h, p[n]), v)
			return v
		}
		r.line(fmt.Sprintf("FMOVQ F%%d, %d(%s)", 16*h, p["dst"]), r.choose(m, at("x"), at("y")))
	}
	for _, x := range []struct{ p, step string }{{"x", string(p["stepX"])}, {"y", string(p["stepY"])}, {"dst", "$32"}, {"cond", "$8"}} {
		r.linef("ADD %s, %s", x.step, p[x.p])
	}
	r.linef("SUBS $1, %s", p["blocks"])
	r.repeat("BNE", again)
	r.end()
}
