package serve

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// budget counts the bytes of bodies and answers that are in memory, and makes bodies
// wait while there is no room for them: their clients are not read from meanwhile.
//
// Bodies that have half arrived could wait for each other for ever. So one of them at a
// time may go beyond the limit, by what a body may have at most.
type budget struct {
	limit int64

	mu   sync.Mutex
	used int64
	// beyond is the body that may go beyond the limit; nil is none yet.
	beyond *body
	// freed is closed, and made anew, whenever bytes are given back.
	freed chan struct{}
}

func newBudget(limit int64) budget { return budget{limit: limit, freed: make(chan struct{})} }

// take counts n more bytes of a body, when they fit; the error is ctx's.
func (b *budget) take(ctx context.Context, of *body, n int64) error {
	for {
		b.mu.Lock()
		if b.used+n > b.limit && b.beyond == nil {
			b.beyond = of
		}
		if b.used+n <= b.limit || b.beyond == of {
			b.used += n
			b.mu.Unlock()
			return nil
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// keep counts n bytes whether they fit or not.
func (b *budget) keep(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += n
}

// give takes back what was counted for a body that is done with.
func (b *budget) give(of *body, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	if b.beyond == of {
		b.beyond = nil
	}
	close(b.freed)
	b.freed = make(chan struct{})
}

// bytes is how many are counted.
func (b *budget) bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// body reads a request's body: no more than a request may have, counted in the
// budget as it arrives, each part of it within the time that a client may send
// nothing, and all of it within the request's.
type body struct {
	ctx     context.Context
	from    io.ReadCloser
	budget  *budget
	control *http.ResponseController
	stall   time.Duration
	// held is what the budget counts for this request.
	held int64
}

func (s *Server) body(w http.ResponseWriter, r *http.Request) *body {
	return &body{
		ctx: r.Context(), from: http.MaxBytesReader(w, r.Body, s.o.BodyBytes), budget: &s.budget,
		control: http.NewResponseController(w), stall: s.o.Stall,
	}
}

// bodyShare: a body is in memory as it came and, at times, once more decoded.
const bodyShare = 2

func (b *body) Read(p []byte) (int, error) {
	deadline := time.Now().Add(b.stall)
	if until, ok := b.ctx.Deadline(); ok && until.Before(deadline) {
		deadline = until
	}
	b.control.SetReadDeadline(deadline) // not every connection has one
	n, err := b.from.Read(p)
	if n > 0 {
		if b.budget.take(b.ctx, b, bodyShare*int64(n)) != nil {
			p := kindBusy.because("the requests that arrive now fill the memory for them, %d bytes", b.budget.limit)
			p.retry, p.Limit = time.Second, b.budget.limit
			return 0, p
		}
		b.held += bodyShare * int64(n)
	}
	return n, err
}

// keep counts bytes of an answer until the request ends; they are there, whether
// they fit or not.
func (b *body) keep(n int) {
	b.budget.keep(int64(n))
	b.held += int64(n)
}

// arrived ends the time limits on reading: the connection is watched from now on
// only for its end.
func (b *body) arrived() { b.control.SetReadDeadline(time.Time{}) }

// release gives back what the budget counts.
func (b *body) release() {
	b.budget.give(b, b.held)
	b.held = 0
}
