package serve

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// budget counts the bytes of bodies and answers that are in memory.
type budget struct {
	used  atomic.Int64
	limit int64
}

// take counts n more bytes; false is that they do not fit.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// body reads a request's body: no more than a request may have, counted in the
// budget as it arrives, each part of it within the time that a client may send
// nothing, and all of it within the request's.
type body struct {
	from    io.ReadCloser
	budget  *budget
	control *http.ResponseController
	stall   time.Duration
	until   time.Time
	// held is what the budget counts for this request.
	held int64
}

func (s *Server) body(w http.ResponseWriter, r *http.Request) *body {
	until, _ := r.Context().Deadline()
	return &body{
		from: http.MaxBytesReader(w, r.Body, s.o.BodyBytes), budget: &s.budget,
		control: http.NewResponseController(w), stall: s.o.Stall, until: until,
	}
}

// bodyShare: a body is in memory as it came and, at times, once more decoded.
const bodyShare = 2

func (b *body) Read(p []byte) (int, error) {
	deadline := time.Now().Add(b.stall)
	if b.until.Before(deadline) {
		deadline = b.until
	}
	b.control.SetReadDeadline(deadline) // not every connection has one
	n, err := b.from.Read(p)
	if n > 0 {
		if !b.budget.take(bodyShare * int64(n)) {
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
	b.budget.used.Add(int64(n))
	b.held += int64(n)
}

// arrived ends the time limits on reading: the connection is watched from now on
// only for its end.
func (b *body) arrived() { b.control.SetReadDeadline(time.Time{}) }

// release gives back what the budget counts.
func (b *body) release() {
	b.budget.give(b.held)
	b.held = 0
}
