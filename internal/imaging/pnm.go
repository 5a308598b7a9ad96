package imaging

import (
	"errors"
	"fmt"
	"image"
	"strings"
)

// Netpbm's formats: P1 to P6 (black and white, grey, colour; as text and as bytes) and
// P7, whose header names its lines (PAM).

func isPNM(b []byte) bool {
	return len(b) > 3 && b[0] == 'P' && b[1] >= '1' && b[1] <= '7' && isSpace(b[2])
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// pnm is a header and where its pixels begin.
type pnm struct {
	kind                     byte
	width, height, depth, at int
	most                     int
	alpha                    bool
}

var errPNM = errors.New("its header is no Netpbm header")

func readPNM(b []byte) (p pnm, err error) {
	p.kind = b[1]
	if p.kind == '7' {
		return readPAM(b)
	}
	s := pnmText{b: b, at: 2}
	p.depth, p.most = 1, 1
	if p.width, err = s.number(); err != nil {
		return p, err
	}
	if p.height, err = s.number(); err != nil {
		return p, err
	}
	if p.kind != '1' && p.kind != '4' {
		if p.most, err = s.number(); err != nil {
			return p, err
		}
	}
	if p.kind == '3' || p.kind == '6' {
		p.depth = 3
	}
	if p.at = s.at + 1; p.most < 1 || p.most > 1<<16-1 {
		return p, fmt.Errorf("%w: its largest value is %d", errPNM, p.most)
	}
	return p, nil
}

func readPAM(b []byte) (p pnm, err error) {
	p.kind = '7'
	rest := string(b[3:min(len(b), 4096)])
	kind := ""
	for at := 3; ; {
		line, after, ok := strings.Cut(rest, "\n")
		if !ok {
			return p, errPNM
		}
		at, rest = at+len(line)+1, after
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		to := map[string]*int{"WIDTH": &p.width, "HEIGHT": &p.height, "DEPTH": &p.depth, "MAXVAL": &p.most}[name]
		if to != nil {
			if _, err := fmt.Sscanf(value, "%d", to); err != nil {
				return p, errPNM
			}
		}
		if name == "TUPLTYPE" {
			kind = strings.TrimSpace(value)
		}
		if name == "ENDHDR" {
			p.at = at
			break
		}
	}
	if p.alpha = strings.HasSuffix(kind, "_ALPHA"); p.depth < 1 || p.depth > 4 || p.most < 1 || p.most > 1<<16-1 {
		return p, fmt.Errorf("%w: depth %d, largest value %d", errPNM, p.depth, p.most)
	}
	p.alpha = p.alpha || p.depth == 2 || p.depth == 4
	return p, nil
}

// pnmText reads numbers between spaces and comments.
type pnmText struct {
	b  []byte
	at int
}

func (s *pnmText) number() (int, error) {
	for s.at < len(s.b) && (isSpace(s.b[s.at]) || s.b[s.at] == '#') {
		if s.b[s.at] == '#' {
			for s.at < len(s.b) && s.b[s.at] != '\n' && s.b[s.at] != '\r' {
				s.at++
			}
			continue
		}
		s.at++
	}
	n, begin := 0, s.at
	for s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' && n < 1<<30/10 {
		n = 10*n + int(s.b[s.at]-'0')
		s.at++
	}
	if s.at == begin || s.at < len(s.b) && !isSpace(s.b[s.at]) && s.b[s.at] != '#' {
		return 0, errPNM
	}
	return n, nil
}

func sizePNM(b []byte) (image.Config, error) {
	p, err := readPNM(b)
	return image.Config{Width: p.width, Height: p.height}, err
}

// rowBytes is the length of a row of bytes.
func (p *pnm) rowBytes() int64 {
	n := int64(p.width) * int64(p.depth)
	switch {
	case p.kind == '4':
		return (n + 7) / 8
	case p.most > 255:
		return 2 * n
	}
	return n
}

// enoughPNM: text takes a character a sample.
func enoughPNM(b []byte, c image.Config) bool {
	p, err := readPNM(b)
	return err == nil && p.rowBytes()*int64(c.Height)/8 <= int64(len(b))
}

func decodePNM(b []byte, note func(string)) (*Image, error) {
	p, err := readPNM(b)
	if err != nil {
		return nil, err
	}
	values, err := p.values(b)
	if err != nil {
		return nil, err
	}
	level := func(v uint16) uint8 { return uint8((2*255*int(min(v, uint16(p.most))) + p.most) / (2 * p.most)) }
	if p.most == 1<<16-1 { // the high byte, as of all formats
		shift := depth16(values, note)
		level = func(v uint16) uint8 { return uint8(min(int(v)>>shift, 255)) }
	}
	out := New(p.width, p.height)
	for i := range p.width * p.height {
		v, to := values[i*p.depth:][:p.depth], out.Pix[3*i:3*i+3]
		colors := p.depth
		if p.alpha {
			colors--
		}
		for c := range to {
			to[c] = level(v[min(c, colors-1)])
		}
		if p.alpha {
			blend(to, level(v[colors]))
		}
	}
	return out, nil
}

// values reads all samples.
func (p *pnm) values(b []byte) ([]uint16, error) {
	n := p.width * p.height * p.depth
	out := make([]uint16, n)
	if p.kind <= '3' {
		s := pnmText{b: b, at: p.at - 1}
		for i := range out {
			if p.kind == '1' { // digits may follow each other
				for s.at < len(b) && isSpace(b[s.at]) {
					s.at++
				}
				if s.at >= len(b) || b[s.at] != '0' && b[s.at] != '1' {
					return nil, errors.New("its data ends too early")
				}
				out[i] = uint16('1' - b[s.at])
				s.at++
				continue
			}
			v, err := s.number()
			if err != nil {
				return nil, errors.New("its data ends too early, or is no number")
			}
			out[i] = uint16(min(v, p.most))
		}
		return out, nil
	}
	row := int(p.rowBytes())
	if len(b)-p.at < row*p.height {
		return nil, errors.New("its data ends too early")
	}
	for y := range p.height {
		from, to := b[p.at+y*row:][:row], out[y*p.width*p.depth:][:p.width*p.depth]
		for i := range to {
			switch {
			case p.kind == '4':
				to[i] = uint16(^from[i>>3]>>(7-i&7)) & 1
			case p.most > 255:
				to[i] = uint16(from[2*i])<<8 | uint16(from[2*i+1])
			default:
				to[i] = uint16(from[i])
			}
		}
	}
	return out, nil
}
