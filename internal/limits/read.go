package limits

import (
	"fmt"
	"io"
)

// ReadAll reads a file that must not be longer than limit, in bytes; one that is
// has an error that wraps [ErrTooLarge].
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("more than %d bytes: %w", limit, ErrTooLarge)
	}
	return b, err
}
