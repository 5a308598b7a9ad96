package mask

import (
	"encoding/json"
	"fmt"
	"image"
	"io"
	"math"
	"slices"
)

// Affine takes corners of pixels (x, y) to places on a map:
//
//	east  = A·x + B·y + C
//	north = D·x + E·y + F
type Affine struct{ A, B, C, D, E, F float64 }

// Apply returns the place of a corner.
func (t Affine) Apply(x, y float64) (east, north float64) {
	return t.A*x + t.B*y + t.C, t.D*x + t.E*y + t.F
}

// Inverse takes places to corners. An error wraps ErrFormat where there is none.
func (t Affine) Inverse() (Affine, error) {
	det := t.A*t.E - t.B*t.D
	i := Affine{A: t.E / det, B: -t.B / det, D: -t.D / det, E: t.A / det}
	i.C, i.F = -(i.A*t.C + i.B*t.F), -(i.D*t.C + i.E*t.F)
	for _, v := range [7]float64{det, i.A, i.B, i.C, i.D, i.E, i.F} {
		if det == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return Affine{}, fmt.Errorf("transformation %+v: %w: it cannot be turned round", t, ErrFormat)
		}
	}
	return i, nil
}

type geoJSON struct {
	Type     string       `json:"type"`
	CRS      *geoCRS      `json:"crs,omitempty"`
	Features []geoFeature `json:"features"`
}

type geoCRS struct {
	Type       string            `json:"type"`
	Properties map[string]string `json:"properties"`
}

type geoFeature struct {
	Type       string        `json:"type"`
	Properties geoProperties `json:"properties"`
	Geometry   geoPolygon    `json:"geometry"`
}

type geoProperties struct {
	ID     int    `json:"id"`
	Label  string `json:"label"`
	Pixels int    `json:"pixels"`
}

type geoPolygon struct {
	Type string `json:"type"`
	// Coordinates are rings, closed: the first point comes again at the end.
	Coordinates [][][2]float64 `json:"coordinates"`
}

// WriteGeoJSON writes the map as a GeoJSON FeatureCollection: a polygon with its holes
// for each 4-connected region, in the coordinates that place gives, properties id,
// label and pixels. labels[i] is the name of label i+1; labels beyond are left out.
//
// epsg names the coordinates' system in the member "crs" of GeoJSON's first version,
// which GDAL and QGIS read (RFC 7946 knows longitude and latitude alone, EPSG:4326);
// 0 leaves it out.
func (m *Map) WriteGeoJSON(w io.Writer, labels []string, place Affine, epsg int) error {
	if err := m.Validate(); err != nil {
		return err
	}
	if _, err := place.Inverse(); err != nil {
		return err
	}
	file := geoJSON{Type: "FeatureCollection", Features: []geoFeature{}}
	if epsg > 0 {
		file.CRS = &geoCRS{"name", map[string]string{"name": fmt.Sprintf("urn:ogc:def:crs:EPSG::%d", epsg)}}
	}
	for _, s := range m.Stats(len(labels))[1:] {
		if s.Pixels == 0 {
			continue
		}
		for _, p := range m.Polygons(s.Label) {
			rings := [][][2]float64{place.ring(p.Outer)}
			for _, hole := range p.Holes {
				rings = append(rings, place.ring(hole))
			}
			file.Features = append(file.Features, geoFeature{
				"Feature", geoProperties{int(s.Label), labels[s.Label-1], p.Area()}, geoPolygon{"Polygon", rings},
			})
		}
	}
	return json.NewEncoder(w).Encode(file)
}

// ring is a closed ring on the map. Outer rings run counter-clockwise there, as RFC 7946
// asks: those of a [Polygon] do where north is up, as y points down.
func (t Affine) ring(corners []image.Point) [][2]float64 {
	var out [][2]float64
	for _, p := range corners {
		east, north := t.Apply(float64(p.X), float64(p.Y))
		out = append(out, [2]float64{east, north})
	}
	// A clockwise ring on the screen has a positive area with y down; the determinant
	// says whether it still has on the map.
	if t.A*t.E-t.B*t.D < 0 {
		slices.Reverse(out)
	}
	return append(out, out[0])
}

// ReadGeoJSON reads polygons as [Map.WriteGeoJSON] writes them, into a map of the given
// size that lies where place says: property id is the label. It reads other programs'
// polygons too if they have that property; lines of other kinds are errors. Errors wrap
// ErrFormat, ErrSize or ErrTooLarge.
func ReadGeoJSON(r io.Reader, width, height int, place Affine) (*Map, error) {
	m, err := New(width, height)
	if err != nil {
		return nil, err
	}
	back, err := place.Inverse()
	if err != nil {
		return nil, err
	}
	var file geoJSON
	if err := readJSON(r, "geojson", &file); err != nil {
		return nil, err
	}
	f := filler{m: m}
	for i, feature := range file.Features {
		id := feature.Properties.ID
		if feature.Geometry.Type != "Polygon" || id < 1 || id > 1<<16-1 {
			return nil, fmt.Errorf("geojson, feature %d: %w: a %.20q with id %d: polygons are read, ids from 1 to 65535", i, ErrFormat, feature.Geometry.Type, id)
		}
		var rings [][]vertex
		for _, ring := range feature.Geometry.Coordinates {
			rings = append(rings, back.corners(ring))
		}
		if err := f.fill(rings, uint16(id)); err != nil {
			return nil, fmt.Errorf("geojson, feature %d: %w", i, err)
		}
	}
	return m, nil
}

// corners are the points of a ring on the photo.
func (t Affine) corners(ring [][2]float64) []vertex {
	out := make([]vertex, len(ring))
	for i, p := range ring {
		out[i].x, out[i].y = t.Apply(p[0], p[1])
	}
	return out
}
