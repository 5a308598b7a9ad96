package tiff

import "encoding/binary"

// difference undoes predictor 2: a sample is stored less the one before it of its kind.
func difference(row []byte, samples, size int, order binary.ByteOrder) {
	step := samples * size
	switch size {
	case 1:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case 2:
		for i := step; i+1 < len(row); i += 2 {
			order.PutUint16(row[i:], order.Uint16(row[i:])+order.Uint16(row[i-step:]))
		}
	case 4:
		for i := step; i+3 < len(row); i += 4 {
			order.PutUint32(row[i:], order.Uint32(row[i:])+order.Uint32(row[i-step:]))
		}
	case 8:
		for i := step; i+7 < len(row); i += 8 {
			order.PutUint64(row[i:], order.Uint64(row[i:])+order.Uint64(row[i-step:]))
		}
	}
}

// floatDifference undoes predictor 3: the first bytes of all numbers of the row, then
// their second bytes and so on, highest first, each byte less the one before
// (Adobe Photoshop TIFF Technical Note 3).
func floatDifference(row []byte, samples, size int, order binary.ByteOrder) {
	for i := samples; i < len(row); i++ {
		row[i] += row[i-samples]
	}
	n := len(row) / size
	apart := append([]byte(nil), row[:n*size]...)
	for i := range n {
		for b := range size {
			to := i*size + b
			if order == binary.LittleEndian {
				to = i*size + size - 1 - b
			}
			row[to] = apart[b*n+i]
		}
	}
}
