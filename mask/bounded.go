package mask

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/groupvit/groupvit/internal/limits"
)

// boundedReader fails beyond the largest file of masks, where io.LimitReader would
// silently end.
type boundedReader struct {
	r    io.Reader
	read int64
}

func bounded(r io.Reader) io.Reader { return &boundedReader{r: r} }

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.read += int64(n)
	if tooLarge := limits.Check("size in bytes", "mask", b.read, limits.MaskFileBytes, "split it"); tooLarge != nil {
		return 0, tooLarge
	}
	return n, err
}

// readJSON reads one JSON value of bounded size. Errors wrap ErrFormat or ErrTooLarge.
func readJSON(r io.Reader, what string, into any) error {
	if err := json.NewDecoder(bounded(r)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w: %w", what, ErrFormat, err)
	}
	return nil
}
