package tiff

import "math"

// unpack turns a row's bytes into numbers, len(out) of them.
func (h *Header) unpack(row []byte, out []float32) {
	order := h.dir.order
	switch {
	case h.bits == 8 && h.format == signed:
		for i := range out {
			out[i] = float32(int8(row[i]))
		}
	case h.bits == 8:
		for i := range out {
			out[i] = float32(row[i])
		}
	case h.bits == 16:
		for i := range out {
			v := order.Uint16(row[2*i:])
			switch h.format {
			case signed:
				out[i] = float32(int16(v))
			case floating:
				out[i] = half(v)
			default:
				out[i] = float32(v)
			}
		}
	case h.bits == 24: // floating: a sign, 7 bits of exponent, 16 of fraction
		for i := range out {
			b := row[3*i : 3*i+3]
			v := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
			if order.String() == "LittleEndian" {
				v = uint32(b[2])<<16 | uint32(b[1])<<8 | uint32(b[0])
			}
			out[i] = tiny(v, 7, 16)
		}
	case h.bits == 32:
		for i := range out {
			v := order.Uint32(row[4*i:])
			switch h.format {
			case signed:
				out[i] = float32(int32(v))
			case floating:
				out[i] = math.Float32frombits(v)
			default:
				out[i] = float32(v)
			}
		}
	case h.bits == 64:
		for i := range out {
			v := order.Uint64(row[8*i:])
			switch h.format {
			case signed:
				out[i] = float32(int64(v))
			case floating:
				out[i] = float32(math.Float64frombits(v))
			default:
				out[i] = float32(v)
			}
		}
	default:
		h.unpackBits(row, out)
	}
}

// unpackBits: samples of 1 to 15 bits without gaps, the highest bit first.
func (h *Header) unpackBits(row []byte, out []float32) {
	at := 0
	for i := range out {
		var v uint32
		for k := range 3 {
			v <<= 8
			if j := at>>3 + k; j < len(row) {
				v |= uint32(row[j])
			}
		}
		out[i] = float32(v >> (24 - h.bits - at&7) & (1<<h.bits - 1))
		at += h.bits
	}
}

// half is IEEE 754's 16-bit number.
func half(v uint16) float32 { return tiny(uint32(v), 5, 10) }

// tiny is a floating-point number with a sign, an exponent and a fraction of so many
// bits.
func tiny(v uint32, exponentBits, fractionBits int) float32 {
	sign := v >> (exponentBits + fractionBits) & 1
	exponent := int(v >> fractionBits & (1<<exponentBits - 1))
	fraction := float64(v & (1<<fractionBits - 1))
	bias, most := 1<<(exponentBits-1)-1, 1<<exponentBits-1
	var f float64
	switch {
	case exponent == most && fraction == 0:
		f = math.Inf(1)
	case exponent == most:
		f = math.NaN()
	case exponent == 0:
		f = math.Ldexp(fraction, 1-bias-fractionBits)
	default:
		f = math.Ldexp(1+math.Ldexp(fraction, -fractionBits), exponent-bias)
	}
	if sign == 1 {
		f = -f
	}
	return float32(f)
}
