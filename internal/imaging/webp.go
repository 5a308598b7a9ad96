package imaging

import (
	"bytes"

	"golang.org/x/image/webp"
)

func decodeWebP(b []byte, _ func(string)) (*Image, error) {
	src, err := webp.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return convert(src, true), nil
}
