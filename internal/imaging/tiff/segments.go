package tiff

import (
	"io"
	"math"
)

// reader decodes a picture's samples, kept ones only.
type reader struct {
	*Header
	b []byte
	// kept are the samples of a pixel that are decoded: the colour's, then alpha.
	kept []int
}

// rows calls use for every row of every segment with the row's samples as stored (of
// all bands, or of one plane), its place and how many of its pixels lie in the picture.
// Rows of JPEG and WebP segments are bytes of the kept samples' order, whichever they
// are.
func (r *reader) rows(use func(plane, x, y, width int, row []byte) error) error {
	columns, down := r.grid()
	for i := range r.segments() {
		plane, at := i/(columns*down), i%(columns*down)
		if r.planar && !r.keeps(plane) {
			continue
		}
		x, y := at%columns*r.across, at/columns*r.down
		width, height := min(r.across, r.Width-x), min(r.down, r.Height-y)
		err := r.segment(i, height, func(k int, row []byte) error { return use(plane, x, y+k, width, row) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) keeps(sample int) bool {
	for _, k := range r.kept {
		if k == sample {
			return true
		}
	}
	return false
}

// segment decodes the first rows of a strip or tile.
func (r *reader) segment(i, rows int, use func(k int, row []byte) error) error {
	raw, err := r.raw(i)
	if err != nil {
		return err
	}
	if raw == nil && r.offsets[i] == 0 { // a tile that takes no bytes: GDAL's sparse files
		return r.sparse(rows, use)
	}
	if codecs[r.compression].open == nil {
		return r.pictureRows(raw, rows, use)
	}
	in, err := codecs[r.compression].open(r.Header, raw, rows)
	if err != nil {
		return damaged("strip or tile %d: %w", i, err)
	}
	if c, ok := in.(io.Closer); ok {
		defer c.Close()
	}
	if r.photometric == ycbcr && r.subX*r.subY > 1 {
		return r.subsampled(in, rows, use)
	}
	row := make([]byte, r.rowBytes())
	for k := range rows {
		if err := readRow(in, row); err != nil {
			return err
		}
		r.undoPredictor(row)
		if err := use(k, row); err != nil {
			return err
		}
	}
	return nil
}

// raw is a segment's bytes as stored.
func (r *reader) raw(i int) ([]byte, error) {
	offset, count := r.offsets[i], r.counts[i]
	if offset == 0 && count == 0 {
		return nil, nil
	}
	if offset >= uint64(len(r.b)) {
		return nil, damaged("strip or tile %d lies beyond its end: it is cut", i)
	}
	raw := r.b[offset:]
	if count < uint64(len(raw)) {
		raw = raw[:count]
	} else if count > uint64(len(raw)) && count != math.MaxInt64 && r.compression != compressionNone && codecs[r.compression].open != nil {
		return nil, damaged("strip or tile %d reaches beyond its end: it is cut", i)
	}
	if r.reversed && !codecs[r.compression].keepOrder {
		raw = reverse(raw)
	}
	return raw, nil
}

func (r *reader) sparse(rows int, use func(k int, row []byte) error) error {
	row := make([]byte, r.rowBytes())
	for k := range rows {
		if err := use(k, row); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) undoPredictor(row []byte) {
	samples := r.samples
	if r.planar {
		samples = 1
	}
	switch r.predictor {
	case 2:
		difference(row, samples, r.bits/8, r.dir.order)
	case 3:
		floatDifference(row, samples, r.bits/8, r.dir.order)
	}
}

// subsampled reads rows of YCbCr whose colours are stored for several pixels together:
// for each block its lumas, row by row, then one Cb and one Cr. The colours are
// repeated, as libtiff does.
func (r *reader) subsampled(in io.Reader, rows int, use func(k int, row []byte) error) error {
	blocks := (r.across + r.subX - 1) / r.subX
	size := r.subX*r.subY + 2
	packed := make([]byte, blocks*size)
	row := make([]byte, 3*blocks*r.subX)
	for first := 0; first < rows; first += r.subY {
		if err := readRow(in, packed); err != nil {
			return err
		}
		for k := 0; k < r.subY && first+k < rows; k++ {
			for block := range blocks {
				p := packed[block*size:][:size]
				for dx := range r.subX {
					q := row[3*(block*r.subX+dx):][:3]
					q[0], q[1], q[2] = p[k*r.subX+dx], p[size-2], p[size-1]
				}
			}
			if err := use(first+k, row); err != nil {
				return err
			}
		}
	}
	return nil
}
