package geotiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

// entry is a tag with its values.
type entry struct {
	tag    uint16
	values any
}

// file makes the header and directory of a TIFF.
func file(order binary.ByteOrder, entries ...entry) []byte {
	var head, directory, data bytes.Buffer
	put := func(b *bytes.Buffer, v any) { _ = binary.Write(b, order, v) }
	head.WriteString(map[bool]string{true: "II", false: "MM"}[order == binary.LittleEndian])
	put(&head, uint16(42))
	put(&head, uint32(8))
	put(&directory, uint16(len(entries)))
	start := 8 + 2 + 12*len(entries) + 4
	for _, e := range entries {
		kind, count := uint16(short), 0
		switch v := e.values.(type) {
		case []uint16:
			count = len(v)
		case []float64:
			kind, count = double, len(v)
		}
		put(&directory, e.tag)
		put(&directory, kind)
		put(&directory, uint32(count))
		var own bytes.Buffer
		put(&own, e.values)
		if own.Len() <= 4 {
			directory.Write(append(own.Bytes(), 0, 0, 0, 0)[:4])
			continue
		}
		put(&directory, uint32(start+data.Len()))
		data.Write(own.Bytes())
	}
	put(&directory, uint32(0))
	return bytes.Join([][]byte{head.Bytes(), directory.Bytes(), data.Bytes()}, nil)
}

// utm33 are keys of WGS 84 / UTM 33 N, with the kind of raster.
func utm33(raster uint16) []uint16 {
	return []uint16{1, 1, 0, 3, 1024, 0, 1, 1, keyRasterType, 0, 1, raster, keyProjected, 0, 1, 32633}
}

func TestRead(t *testing.T) {
	scale, tie := entry{tagPixelScale, []float64{0.5, 0.25, 0}}, entry{tagTiepoint, []float64{10, 20, 0, 1000, 5000, 0}}
	north := mask.Affine{A: 0.5, C: 995, E: -0.25, F: 5005}
	for name, c := range map[string]struct {
		data []byte
		want Place
	}{
		"areas":      {file(binary.LittleEndian, scale, tie, entry{tagKeys, utm33(1)}), Place{Affine: north, EPSG: 32633}},
		"big endian": {file(binary.BigEndian, entry{tagOrientation, []uint16{1}}, scale, tie, entry{tagKeys, utm33(1)}), Place{Affine: north, EPSG: 32633}},
		"points": {file(binary.LittleEndian, scale, tie, entry{tagKeys, utm33(2)}),
			Place{Affine: mask.Affine{A: 0.5, C: 994.75, E: -0.25, F: 5005.125}, EPSG: 32633}},
		"matrix, longitude and latitude": {
			file(binary.LittleEndian, entry{tagTransformation, []float64{1, 2, 0, 3, 4, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1}},
				entry{tagKeys, []uint16{1, 1, 0, 1, keyGeographic, 0, 1, 4326}}),
			Place{Affine: mask.Affine{A: 1, B: 2, C: 3, D: 4, E: 5, F: 6}, EPSG: 4326}},
		"no system":  {file(binary.LittleEndian, scale, tie), Place{Affine: north}},
		"own system": {file(binary.LittleEndian, scale, tie, entry{tagKeys, []uint16{1, 1, 0, 1, keyProjected, 0, 1, userDefined}}), Place{Affine: north, UserDefined: true}},
		"own system, based on WGS 84": {
			file(binary.LittleEndian, scale, tie, entry{tagKeys, []uint16{1, 1, 0, 3, keyModelType, 0, 1, projected, keyGeographic, 0, 1, 4326, keyProjected, 0, 1, userDefined}}),
			Place{Affine: north, UserDefined: true}},
		"projected, without a number": {
			file(binary.LittleEndian, scale, tie, entry{tagKeys, []uint16{1, 1, 0, 2, keyModelType, 0, 1, projected, keyGeographic, 0, 1, 4326}}), Place{Affine: north}},
	} {
		if got, err := Read(bytes.NewReader(c.data)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	whole := file(binary.LittleEndian, entry{tagPixelScale, []float64{1, 1, 0}}, entry{tagTiepoint, make([]float64, 6)})
	for name, c := range map[string]struct {
		data []byte
		kind error
		want string
	}{
		"empty":       {nil, ErrNone, "no TIFF"},
		"a JPEG":      {[]byte("\xff\xd8\xff\xe0 and so on"), ErrNone, "no TIFF"},
		"no tags":     {file(binary.LittleEndian), ErrNone, "ModelPixelScale"},
		"cut":         {whole[:len(whole)-5], ErrFormat, "cut"},
		"cut in half": {whole[:20], ErrFormat, "cut"},
		"flat":        {file(binary.LittleEndian, entry{tagPixelScale, []float64{0, 1, 0}}, entry{tagTiepoint, make([]float64, 6)}), ErrFormat, "turned round"},
		"turned":      {file(binary.LittleEndian, entry{tagOrientation, []uint16{6}}), ErrFormat, "upright"},
		"type":        {file(binary.LittleEndian, entry{tagPixelScale, []uint16{1, 2}}), ErrFormat, "type 3"},
		"many":        {file(binary.LittleEndian, entry{tagPixelScale, make([]float64, 400)}), limits.ErrTooLarge, "400"},
	} {
		if _, err := Read(bytes.NewReader(c.data)); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(binary.LittleEndian, entry{tagPixelScale, []float64{1, 1, 0}}, entry{tagTiepoint, make([]float64, 6)}, entry{tagKeys, utm33(1)}))
	f.Add(file(binary.BigEndian, entry{tagTransformation, make([]float64, 16)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Read(bytes.NewReader(b))
		if err == nil {
			_, err := p.Affine.Inverse()
			if err != nil || p.EPSG < 0 {
				t.Errorf("%+v: %v", p, err)
			}
			return
		}
		if !errors.Is(err, ErrNone) && !errors.Is(err, ErrFormat) && !errors.Is(err, limits.ErrTooLarge) {
			t.Errorf("an error of no kind: %v", err)
		}
	})
}
