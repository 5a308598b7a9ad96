package groupvit

import (
	"errors"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/tower"
	"github.com/groupvit/groupvit/internal/vocab"
)

var (
	// ErrLabels is wrapped by every error about labels: none, an empty one, a
	// duplicate, one that is too long.
	ErrLabels = vocab.ErrLabels
	// ErrTooLarge is wrapped by errors about input beyond a cap.
	ErrTooLarge = limits.ErrTooLarge
	// ErrModel is wrapped by errors about a model that cannot be opened or
	// cannot do what is asked of it.
	ErrModel = tower.ErrModel
	// ErrOption is wrapped by errors about options.
	ErrOption = errors.New("bad option")
	// ErrClosed is returned by the methods of a closed Model.
	ErrClosed = tower.ErrClosed
)
