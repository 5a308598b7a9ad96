package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"time"
)

// requestIDHeader names a request, in its answer and in the log. A client or a proxy may
// give it, else it is drawn.
const requestIDHeader = "X-Request-Id"

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,128}$`)

type requestIDKey struct{}

// withRequestID names a request, and its answer.
func withRequestID(w http.ResponseWriter, r *http.Request) *http.Request {
	id := r.Header.Get(requestIDHeader)
	if !goodRequestID.MatchString(id) {
		var b [8]byte
		rand.Read(b[:]) // never fails
		id = hex.EncodeToString(b[:])
	}
	w.Header().Set(requestIDHeader, id)
	return r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
}

// requestID is the name of the request that a context is of, "" outside of one.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// quietRoutes are asked by machines, again and again; only their failures are worth a
// line of the log at level info.
var quietRoutes = map[string]bool{"/healthz": true, "/readyz": true, "/health": true, "/metrics": true}

// logRequest writes a request's line: at level error what the server failed at, at warn
// what it refused for want of room or time, at info the others, at debug what is asked
// again and again.
func (s *Server) logRequest(t route, r *http.Request, w *watcher, took time.Duration, err error) {
	status := w.sent()
	level := slog.LevelInfo
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case quietRoutes[t.path]:
		level = slog.LevelDebug
	}
	if !s.o.Log.Enabled(r.Context(), level) {
		return
	}
	remote, _, splitErr := net.SplitHostPort(r.RemoteAddr)
	if splitErr != nil {
		remote = r.RemoteAddr
	}
	attributes := []slog.Attr{
		slog.String("id", requestID(r.Context())), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", status), slog.Float64("seconds", float64(took.Microseconds())/1e6),
		slog.Int64("bytes", w.bytes), slog.String("remote", remote),
	}
	if err != nil && status != statusLeft {
		reason := toProblem(err).Detail
		if status == http.StatusInternalServerError {
			reason = err.Error()
		}
		attributes = append(attributes, slog.String("error", reason))
	}
	s.o.Log.LogAttrs(r.Context(), level, "request", attributes...)
}

// panicked is the error of a handler that did; stack is where.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }
