package kerneltest

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// tiles is the state of the interpreter's tiles.
type tiles struct {
	rows, bytes [8]int
	data        [8][16][64]byte
}

// do executes one instruction of AMX.
func (x *tiles) do(m *machine, line []string) {
	var b []byte
	for _, f := range strings.Fields(strings.NewReplacer("BYTE", "", ";", "").Replace(strings.Join(line, " "))) {
		v, err := strconv.ParseUint(strings.TrimPrefix(f, "$"), 0, 8)
		if err != nil {
			m.t.Fatal(err)
		}
		b = append(b, byte(v))
	}
	if len(b) < 5 || b[0] != 0xc4 || b[1]&0x9f != 0x82 || b[2]&0x84 != 0 {
		m.t.Fatalf("% x is no VEX instruction of tiles", b)
	}
	prefix, opcode, modrm := b[2]&3, b[3], b[4]
	reg, rm := modrm>>3&7, modrm&7
	switch {
	case opcode == 0x49 && modrm>>6 != 3 && prefix == 0: // LDTILECFG
		x.configure(m, m.gp(rm, b[1], 5))
	case opcode == 0x49 && modrm == 0xc0 && prefix == 0: // TILERELEASE
		*x = tiles{}
	case opcode == 0x49 && modrm>>6 == 3 && prefix == 3: // TILEZERO
		x.data[reg] = [16][64]byte{}
	case opcode == 0x4b && rm == 4: // TILELOADD, TILELOADDT1, TILESTORED
		at := m.gp(b[5]&7, b[1], 5)
		if modrm>>6 == 1 {
			at += uint64(int64(int8(b[6])))
		}
		stride := m.gp(b[5]>>3&7, b[1], 6)
		for i := range x.rows[reg] {
			place := unsafe.Slice((*byte)(pointer(at+uint64(i)*stride)), x.bytes[reg])
			if prefix == 2 {
				copy(place, x.data[reg][i][:])
			} else {
				copy(x.data[reg][i][:], place)
			}
		}
	case opcode == 0x5c && modrm>>6 == 3 && prefix == 2: // TDPBF16PS
		x.dot(m, int(reg), int(rm), int(^b[2]>>3&15))
	case opcode == 0x5e && modrm>>6 == 3: // TDPBUUD, TDPBUSD, TDPBSUD, TDPBSSD: the letters are the signs of a and b
		x.dotBytes(m, int(reg), int(rm), int(^b[2]>>3&15), prefix&2 != 0, prefix&1 != 0)
	default:
		m.t.Fatalf("% x is not known", b)
	}
}

// gp is the value of a general register whose upper bit is stored inverted in a bit of the prefix.
func (m *machine) gp(low, prefix byte, bit int) uint64 {
	number := low | (^prefix>>bit&1)<<3
	return m.word[[]string{"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}[number]]
}

func (x *tiles) configure(m *machine, at uint64) {
	c := unsafe.Slice((*byte)(pointer(at)), 64)
	*x = tiles{}
	if c[0] != 1 {
		m.t.Fatalf("palette %d", c[0])
	}
	for i, v := range c {
		if reserved := i > 0 && i < 16 || i >= 32 && i < 48 || i >= 56; reserved && v != 0 {
			m.t.Fatalf("byte %d of the configuration is %d", i, v)
		}
	}
	for i := range 8 {
		x.bytes[i], x.rows[i] = int(binary.LittleEndian.Uint16(c[16+2*i:])), int(c[48+i])
		if x.rows[i] > 16 || x.bytes[i] > 64 || x.rows[i] > 0 && x.bytes[i] == 0 {
			m.t.Fatalf("tile %d has %d rows of %d bytes", i, x.rows[i], x.bytes[i])
		}
	}
}

// dot is d += a·b, written down from the manual's words, apart from amx.Model.
func (x *tiles) dot(m *machine, d, a, b int) {
	if d == a || d == b || a == b || x.bytes[a]/4 != x.rows[b] || x.rows[d] != x.rows[a] || x.bytes[d] != x.bytes[b] {
		m.t.Fatalf("tiles %d, %d and %d do not fit", d, a, b)
	}
	half := func(tile, row, at int) float32 {
		return flush(math.Float32frombits(uint32(binary.LittleEndian.Uint16(x.data[tile][row][at:])) << 16))
	}
	for i := range x.rows[d] {
		for n := range x.bytes[d] / 4 {
			var sums [2]float32
			for k := range x.rows[b] {
				for odd := range 2 {
					sums[odd] = flush(sums[odd] + half(a, i, 4*k+2*odd)*half(b, k, 4*n+2*odd))
				}
			}
			at := (*float32)(unsafe.Pointer(&x.data[d][i][4*n]))
			*at = flush(flush(*at) + flush(sums[0]+sums[1]))
		}
	}
}

// dotBytes is d += a·b of bytes with or without sign.
func (x *tiles) dotBytes(m *machine, d, a, b int, signedA, signedB bool) {
	if d == a || d == b || a == b || x.bytes[a]/4 != x.rows[b] || x.rows[d] != x.rows[a] || x.bytes[d] != x.bytes[b] {
		m.t.Fatalf("tiles %d, %d and %d do not fit", d, a, b)
	}
	number := func(v byte, signed bool) int32 {
		if signed {
			return int32(int8(v))
		}
		return int32(v)
	}
	for i := range x.rows[d] {
		for n := range x.bytes[d] / 4 {
			sum := (*int32)(unsafe.Pointer(&x.data[d][i][4*n]))
			for k := range x.bytes[a] {
				*sum += number(x.data[a][i][k], signedA) * number(x.data[b][k/4][4*n+k%4], signedB)
			}
		}
	}
}

// flush makes denormal numbers zero.
func flush(x float32) float32 {
	if math.Abs(float64(x)) < 0x1p-126 {
		return float32(math.Copysign(0, float64(x)))
	}
	return x
}
