package mask

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// cityscapes are the classes of Cityscapes by name with the numbers of its *_labelIds
// files (Cordts et al., CVPR 2016; the list is on the dataset's pages). Those that are
// not classes of the scene (unlabeled, ego vehicle and others) are left out.
var cityscapes = map[string]uint8{
	"static": 4, "dynamic": 5, "ground": 6, "road": 7, "sidewalk": 8, "parking": 9, "rail track": 10,
	"building": 11, "wall": 12, "fence": 13, "guard rail": 14, "bridge": 15, "tunnel": 16,
	"pole": 17, "polegroup": 18, "traffic light": 19, "traffic sign": 20, "vegetation": 21, "terrain": 22, "sky": 23,
	"person": 24, "rider": 25, "car": 26, "truck": 27, "bus": 28, "caravan": 29, "trailer": 30, "train": 31,
	"motorcycle": 32, "bicycle": 33,
}

// CityscapesIDs returns the numbers that Cityscapes gives to names.
func CityscapesIDs() map[string]uint8 { return maps.Clone(cityscapes) }

// ReadIDs reads a table of numbers: a CSV of "name,number" lines, numbers from 1 to
// 255 (0 is background); lines that begin with # are left out. Errors wrap ErrFormat
// or ErrTooLarge.
func ReadIDs(r io.Reader) (map[string]uint8, error) {
	table := csv.NewReader(io.LimitReader(r, limits.TableBytes+1))
	table.FieldsPerRecord, table.Comment, table.TrimLeadingSpace = 2, '#', true
	ids := map[string]uint8{}
	for {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("table of numbers: %w: %w", ErrFormat, err)
		}
		if err := limits.Check("size in bytes", "table of numbers", table.InputOffset(), limits.TableBytes, "shorten it"); err != nil {
			return nil, err
		}
		line, _ := table.FieldPos(0)
		id, err := strconv.ParseUint(strings.TrimSpace(row[1]), 10, 8)
		if _, twice := ids[row[0]]; err != nil || id == 0 || twice {
			return nil, fmt.Errorf("table of numbers, line %d: %w: %.80q,%.20q: give each name once, with a number from 1 to 255", line, ErrFormat, row[0], row[1])
		}
		ids[row[0]] = uint8(id)
	}
	return ids, nil
}

// EncodeIDs writes the map as an 8-bit grey PNG in which label i has the value
// ids[i-1], and background 0: Cityscapes' *_labelIds with its numbers. An error wraps
// ErrSize where a label has no number.
func (m *Map) EncodeIDs(w io.Writer, ids []uint8) error {
	if err := m.Validate(); err != nil {
		return err
	}
	if n := int(m.Max()); n > len(ids) {
		return fmt.Errorf("mask: label %d has no number, there are %d: %w", n, len(ids), ErrSize)
	}
	return encodeGray(w, m.Width, m.Height, func(i int) uint8 {
		if l := m.Labels[i]; l > 0 {
			return ids[l-1]
		}
		return 0
	})
}

// DecodeIDs reads what [Map.EncodeIDs] writes: value ids[i-1] becomes label i, the
// first where several have it; values of no label become background. Errors are those
// of [DecodePNG].
func DecodeIDs(r io.Reader, ids []uint8) (*Map, error) {
	m, err := DecodePNG(r)
	if err != nil {
		return nil, err
	}
	if err := limits.Check("number of labels", "mask", int64(len(ids)), 1<<16-1, "give fewer"); err != nil {
		return nil, err
	}
	var labels [256]uint16
	for i := len(ids) - 1; i >= 0; i-- {
		labels[ids[i]] = uint16(i + 1)
	}
	labels[0] = 0
	for i, v := range m.Labels {
		if v > 255 {
			v = 0
		}
		m.Labels[i] = labels[v]
	}
	return m, nil
}
