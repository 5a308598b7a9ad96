package imaging

import (
	"errors"

	"github.com/groupvit/groupvit/internal/limits"
)

var (
	// ErrFormat is wrapped by errors for bytes that are no photo in a
	// known format, or a damaged or truncated one.
	ErrFormat = errors.New("not a readable photo")
	// ErrTooLarge is wrapped by errors for photos beyond a cap of package
	// limits. It is [limits.ErrTooLarge].
	ErrTooLarge = limits.ErrTooLarge
	// ErrSize is wrapped by errors for sizes asked for that cannot be: a side
	// below one pixel, a crop outside the image.
	ErrSize = errors.New("impossible size")
)
