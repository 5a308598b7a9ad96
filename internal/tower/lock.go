package tower

import (
	"context"
	"sync"
)

// computeLock lets the computations of one model run one after the other: each uses
// all threads.
type computeLock struct {
	held   chan struct{} // holds one value while a computation runs
	closed chan struct{}
	once   *sync.Once
}

func newComputeLock() computeLock {
	return computeLock{held: make(chan struct{}, 1), closed: make(chan struct{}), once: &sync.Once{}}
}

// Err is [ErrClosed] once Close has been called.
func (l computeLock) Err() error {
	select {
	case <-l.closed:
		return ErrClosed
	default:
		return nil
	}
}

// Acquire waits for the lock. An error is [ErrClosed] or ctx's; without one, the
// caller must call Release.
func (l computeLock) Acquire(ctx context.Context) error {
	_, err := l.AcquireUnless(ctx, nil)
	return err
}

// AcquireUnless is Acquire for work that another holder may do meanwhile: once done
// is closed it may return false, and the caller does not hold the lock.
func (l computeLock) AcquireUnless(ctx context.Context, done <-chan struct{}) (bool, error) {
	select {
	case <-l.closed:
		return false, ErrClosed
	case <-ctx.Done():
		return false, ctx.Err()
	case <-done:
		return false, nil
	case l.held <- struct{}{}:
	}
	// Of several cases that are ready, select takes any.
	err := l.Err()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		l.Release()
	}
	return err == nil, err
}

// Release lets the next computation run.
func (l computeLock) Release() { <-l.held }

// Close lets no computation begin any more, and calls finalize when none runs.
func (l computeLock) Close(finalize func()) {
	l.once.Do(func() {
		close(l.closed)
		l.held <- struct{}{}
		finalize()
		l.Release()
	})
}
