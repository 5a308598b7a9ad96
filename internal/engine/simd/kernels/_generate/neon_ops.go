package main

import (
	"fmt"
	"math"
	"strings"
)

// encoding is a vector instruction: its name and arrangement as in Arm's manual (the instruction set's part on
// Advanced SIMD), its bits, and where the numbers of its registers go. Go's name is empty where the assembler has none.
type encoding struct {
	name  string
	forms []string // arrangements of the operands, destination first, as "4s"
	word  uint32
	goes  string // Go's name
}

// shifts of the fields Rd, Rn and Rm.
var fieldShifts = [3]int{0, 5, 16}

// bits is the instruction with the numbers of its registers, destination first.
func (e *encoding) bits(registers []uint32) uint32 {
	w := e.word
	for i, n := range registers {
		w |= n << fieldShifts[i]
	}
	return w
}

// text is the instruction as Arm writes it.
func (e *encoding) text() string {
	var operands []string
	for _, f := range e.forms {
		switch {
		case strings.HasPrefix(f, "#"):
			operands = append(operands, f)
		default:
			operands = append(operands, "v%d."+f)
		}
	}
	return e.name + " " + strings.Join(operands, ", ")
}

// goText is the instruction as Go writes it, destination last; a verb takes the register from the order of Arm.
func (e *encoding) goText() string {
	text := e.goes + " "
	for i := len(e.forms) - 1; i >= 0; i-- {
		f := strings.ToUpper(e.forms[i])
		if n := strings.TrimLeft(f, "0123456789"); n != f {
			f = n + strings.TrimSuffix(f, n)
		}
		text += fmt.Sprintf("V%%[%d]d.%s", i+1, f)
		if i > 0 {
			text += ", "
		}
	}
	return text
}

func same(form string, n int) (forms []string) {
	for range n {
		forms = append(forms, form)
	}
	return forms
}

// encodings by the names that the kernels use.
var encodings = map[string]*encoding{
	"add":        {"fadd", same("4s", 3), 0x4e20d400, ""},
	"sub":        {"fsub", same("4s", 3), 0x4ea0d400, ""},
	"mul":        {"fmul", same("4s", 3), 0x6e20dc00, ""},
	"div":        {"fdiv", same("4s", 3), 0x6e20fc00, ""},
	"max":        {"fmax", same("4s", 3), 0x4e20f400, ""},
	"min":        {"fmin", same("4s", 3), 0x4ea0f400, ""},
	"mla":        {"fmla", same("4s", 3), 0x4e20cc00, "VFMLA"},
	"mls":        {"fmls", same("4s", 3), 0x4ea0cc00, "VFMLS"},
	"mlaByFirst": {"fmla", []string{"4s", "4s", "s[0]"}, 0x4f801000, ""},
	"mulByFirst": {"fmul", []string{"4s", "4s", "s[0]"}, 0x4f809000, ""},
	"pairAdd":    {"faddp", same("4s", 3), 0x6e20d400, ""},
	"pairMax":    {"fmaxp", same("4s", 3), 0x6e20f400, ""},
	"pairMin":    {"fminp", same("4s", 3), 0x6ea0f400, ""},
	"equal":      {"fcmeq", same("4s", 3), 0x4e20e400, ""},
	"notLess":    {"fcmge", same("4s", 3), 0x6e20e400, ""},
	"greater":    {"fcmgt", same("4s", 3), 0x6ea0e400, ""},
	"and":        {"and", same("16b", 3), 0x4e201c00, "VAND"},
	"andNot":     {"bic", same("16b", 3), 0x4e601c00, ""},
	"or":         {"orr", same("16b", 3), 0x4ea01c00, "VORR"},
	"xor":        {"eor", same("16b", 3), 0x6e201c00, "VEOR"},
	"choose":     {"bsl", same("16b", 3), 0x6e601c00, "VBSL"},
	"addWords":   {"add", same("4s", 3), 0x4ea08400, "VADD"},
	"subWords":   {"sub", same("4s", 3), 0x6ea08400, "VSUB"},
	"oddsOne":    {"trn1", same("4s", 3), 0x4e802800, "VTRN1"},
	"oddsTwo":    {"trn2", same("4s", 3), 0x4e806800, "VTRN2"},
	"halvesOne":  {"trn1", same("2d", 3), 0x4ec02800, "VTRN1"},
	"halvesTwo":  {"trn2", same("2d", 3), 0x4ec06800, "VTRN2"},
	"neg":        {"fneg", same("4s", 2), 0x6ea0f800, ""},
	"abs":        {"fabs", same("4s", 2), 0x4ea0f800, ""},
	"sqrt":       {"fsqrt", same("4s", 2), 0x6ea1f800, ""},
	"nearest":    {"frintn", same("4s", 2), 0x4e218800, ""},
	"toWords":    {"fcvtns", same("4s", 2), 0x4e21a800, ""},
	"fromWords":  {"scvtf", same("4s", 2), 0x4e21d800, ""},
	"not":        {"mvn", same("16b", 2), 0x6e205800, ""},
	"copy":       {"mov", same("16b", 2), 0, "VMOV"},
	"first":      {"dup", []string{"4s", "s[0]"}, 0x4e040400, ""},
	"short":      {"xtn", []string{"4h", "4s"}, 0x0e612800, ""},
	"shortHigh":  {"xtn2", []string{"8h", "4s"}, 0x4e612800, ""},
	"bytes":      {"xtn", []string{"8b", "8h"}, 0x0e212800, ""},
	"longBytes":  {"ushll", []string{"8h", "8b", "#0"}, 0x2f08a400, ""},
	"long":       {"ushll", []string{"4s", "4h", "#0"}, 0x2f10a400, ""},
	"longHigh":   {"ushll2", []string{"4s", "8h", "#0"}, 0x6f10a400, ""},
	"someBits":   {"cmtst", same("4s", 3), 0x4ea08c00, ""},
	"half":       {"sshr", []string{"4s", "4s", "#1"}, 0x4f000400 | (64-1)<<16, ""},
	"exponent":   {"sshr", []string{"4s", "4s", "#23"}, 0x4f000400 | (64-23)<<16, ""},
	"intoPlace":  {"shl", []string{"4s", "4s", "#23"}, 0x4f005400 | (32+23)<<16, ""},
}

// do adds an instruction; the operands are registers, destination first.
func (r *routine) do(name string, operands ...vector) {
	e := encodings[name]
	if e == nil {
		panic("no instruction " + name)
	}
	if e.goes != "" {
		r.line(e.goText(), operands...)
		return
	}
	r.code = append(r.code, instruction{text: e.text(), word: e, vectors: operands})
}

// op gives the result of an instruction in a new register.
func (r *routine) op(name string, operands ...vector) vector {
	d := r.vector()
	r.do(name, append([]vector{d}, operands...)...)
	return d
}

func (r *routine) add(a, b vector) vector { return r.op("add", a, b) }
func (r *routine) sub(a, b vector) vector { return r.op("sub", a, b) }
func (r *routine) mul(a, b vector) vector { return r.op("mul", a, b) }
func (r *routine) div(a, b vector) vector { return r.op("div", a, b) }
func (r *routine) copied(a vector) vector { return r.op("copy", a) }

// mla adds a·b to acc, mls subtracts it.
func (r *routine) mla(acc, a, b vector) { r.do("mla", acc, a, b) }
func (r *routine) mls(acc, a, b vector) { r.do("mls", acc, a, b) }

// choose gives a where the mask is set, else b; the mask is used up.
func (r *routine) choose(mask, a, b vector) vector {
	r.do("choose", mask, a, b)
	return mask
}

func floatBits(v float64) uint32 { return math.Float32bits(float32(v)) }
