package mask

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// WriteYOLO writes the map as YOLO's segmentation text: a line for each 4-connected
// region, "class x1 y1 x2 y2 …", where class is the label less one and coordinates are
// shares of width and height. Holes hang on slits of no width ([Polygon.Ring]). Eight
// decimals give every pixel of the largest map back.
func (m *Map) WriteYOLO(w io.Writer) error {
	if err := m.Validate(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	var number []byte
	for _, s := range m.Stats(int(m.Max()))[1:] {
		if s.Pixels == 0 {
			continue
		}
		for _, p := range m.Polygons(s.Label) {
			out.WriteString(strconv.Itoa(int(s.Label) - 1))
			for _, q := range p.Ring() {
				for _, v := range [2]float64{float64(q.X) / float64(m.Width), float64(q.Y) / float64(m.Height)} {
					number = strconv.AppendFloat(append(number[:0], ' '), v, 'f', 8, 64)
					out.Write(shorten(number))
				}
			}
			out.WriteByte('\n')
		}
	}
	return out.Flush() // a bufio.Writer keeps its first error
}

// shorten takes zeros off the end of a decimal fraction.
func shorten(number []byte) []byte {
	n := len(number)
	for number[n-1] == '0' {
		n--
	}
	if number[n-1] == '.' {
		n--
	}
	return number[:n]
}

// ReadYOLO reads YOLO's segmentation text of a photo of the given size: what
// [Map.WriteYOLO] writes and what others do. Class i becomes label i+1; later lines
// cover earlier ones. Errors wrap ErrFormat, ErrSize or ErrTooLarge and name the line.
func ReadYOLO(r io.Reader, width, height int) (*Map, error) {
	m, err := New(width, height)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bounded(r))
	lines.Buffer(nil, limits.MaskLine)
	f := filler{m: m}
	for n := 1; lines.Scan(); n++ {
		if err := f.yolo(lines.Text()); err != nil {
			return nil, fmt.Errorf("yolo, line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("yolo: %w: %w", ErrFormat, err)
	}
	return m, nil
}

// yolo fills the polygon of one line.
func (f *filler) yolo(line string) error {
	fields := strings.Fields(line)
	switch {
	case len(fields) == 0:
		return nil
	case len(fields) == 5:
		return fmt.Errorf("%w: five numbers are a box, not a region", ErrFormat)
	case len(fields) < 7 || len(fields)%2 == 0:
		return fmt.Errorf("%w: %d numbers: a region has a class and three or more points", ErrFormat, len(fields))
	}
	class, err := strconv.ParseUint(fields[0], 10, 16)
	if err != nil || class == 1<<16-1 {
		return fmt.Errorf("%w: class %.20q: give a number from 0 to 65534", ErrFormat, fields[0])
	}
	ring := make([]vertex, len(fields)/2)
	for i := range ring {
		x, err1 := strconv.ParseFloat(fields[1+2*i], 64)
		y, err2 := strconv.ParseFloat(fields[2+2*i], 64)
		if err1 != nil || err2 != nil || !(x >= 0 && x <= 1 && y >= 0 && y <= 1) {
			return fmt.Errorf("%w: point %d is not within 0 … 1", ErrFormat, i+1)
		}
		ring[i] = vertex{x * float64(f.m.Width), y * float64(f.m.Height)}
	}
	return f.fill([][]vertex{ring}, uint16(class)+1)
}
