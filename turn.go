package groupvit

import (
	"context"
	"sync"
)

// turn lets the computations of one model run one after the other.
type turn struct {
	token  chan struct{} // holds one value while somebody computes
	closed chan struct{}
	once   sync.Once
}

func newTurn() *turn {
	return &turn{token: make(chan struct{}, 1), closed: make(chan struct{})}
}

// ended is [ErrClosed] once close has been called.
func (t *turn) ended() error {
	select {
	case <-t.closed:
		return ErrClosed
	default:
		return nil
	}
}

// take waits for the turn to compute. An error is [ErrClosed] or ctx's; without
// one, the caller must give the turn back.
func (t *turn) take(ctx context.Context) error {
	_, err := t.takeUnless(ctx, nil)
	return err
}

// takeUnless is take for work that somebody else may do meanwhile: once done is
// closed, it may return false, and the caller has no turn.
func (t *turn) takeUnless(ctx context.Context, done <-chan struct{}) (bool, error) {
	select {
	case <-t.closed:
		return false, ErrClosed
	case <-ctx.Done():
		return false, ctx.Err()
	case <-done:
		return false, nil
	case t.token <- struct{}{}:
	}
	// Of several that are ready, select takes any.
	err := t.ended()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		t.give()
	}
	return err == nil, err
}

func (t *turn) give() { <-t.token }

// close ends all turns, and calls finalize when nobody computes any more.
func (t *turn) close(finalize func()) {
	t.once.Do(func() {
		close(t.closed)
		t.token <- struct{}{}
		finalize()
		t.give()
	})
}
