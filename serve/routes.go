package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// handler answers a request, or says why not; nothing has been written then.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is an address and who answers it.
type route struct {
	method, path string
	handle       handler
	// open needs no token.
	open bool
}

// table is every address there is, but for the page's files.
func (s *Server) table() []route {
	return []route{
		{"POST", "/v1/segment", s.segment, false},
		{"POST", "/v1/classify", s.classify, false},
		{"POST", "/v1/embed", s.embed, false},
		{"POST", "/v1/groups", s.groups, false},
		{"POST", "/v1/images", s.createImage, false},
		{"GET", "/v1/images/{id}", s.showImage, false},
		{"DELETE", "/v1/images/{id}", s.deleteImage, false},
		{"POST", "/v1/images/{id}/segment", s.segmentImage, false},
		{"POST", "/v1/images/{id}/groups", s.groupsImage, false},
		{"GET", "/v1/models", s.models, false},
		{"GET", "/healthz", s.alive, true},
		{"GET", "/readyz", s.ready, true},
		{"GET", "/metrics", s.showMetrics, false},
		{"GET", "/openapi.yaml", showDescription, true},
		{"GET", "/problems/{kind}", explain, true},
		// Label Studio's.
		{"GET", "/health", s.studioHealth, true},
		{"POST", "/setup", s.studioSetup, false},
		{"POST", "/predict", s.studioPredict, false},
		{"POST", "/webhook", s.studioWebhook, false},
		{"POST", "/validate", s.studioValidate, false},
		{"GET", "/versions", s.studioVersions, false},
		{"POST", "/versions", s.studioVersions, false},
	}
}

func (s *Server) routes() {
	for _, r := range append(s.table(), pageRoutes()...) {
		s.mux.Handle(r.method+" "+r.path, s.wrap(r))
	}
	s.mux.Handle("/", s.wrap(route{handle: s.nothing, open: true, path: "other"}))
}

// wrap does for every route what is not its own: it names, watches, guards, reports and
// counts requests.
func (s *Server) wrap(t route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin, watch := time.Now(), &watcher{ResponseWriter: w}
		r = withRequestID(w, r)
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		defer s.metrics.begin()()
		err := s.answer(t, watch, r)
		if err != nil {
			s.fail(watch, r, err)
		}
		took := time.Since(begin)
		s.metrics.end(t, watch.sent(), took)
		s.logRequest(t, r, watch, took, err)
	})
}

// answer guards and handles a request. A handler that panics has failed.
func (s *Server) answer(t route, w *watcher, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err = &panicked{v, debug.Stack()}
		}
	}()
	if s.cors(w, r) {
		return nil
	}
	if err := s.guard(t, r); err != nil {
		return err
	}
	return t.handle(w, r)
}

// guard refuses requests without the token, those that another site's page makes a
// browser send, and those for another host.
func (s *Server) guard(t route, r *http.Request) error {
	if err := s.host(r); err != nil {
		return err
	}
	if err := s.crossSite(r); err != nil {
		return err
	}
	if s.ended.Load() && !t.open {
		return kindEnded.because("the server is shutting down")
	}
	if t.open || s.o.Token == "" {
		return nil
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		_, given, _ = r.BasicAuth() // Label Studio knows nothing else
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.o.Token))
	if subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		return kindToken.because("the request has no token, or a wrong one")
	}
	return nil
}

// fail answers with an error, unless an answer has begun.
func (s *Server) fail(w *watcher, r *http.Request, err error) {
	p := toProblem(err)
	if r.Context().Err() != nil && p.Status >= http.StatusInternalServerError && s.left(r) {
		w.status = statusLeft
		return // nobody listens
	}
	if w.status == 0 {
		p.write(w)
	}
}

// statusLeft is what metrics call requests whose client did not wait, as nginx
// does.
const statusLeft = 499

// left reports whether the client is gone, and not only its time.
func (s *Server) left(r *http.Request) bool {
	deadline, ok := r.Context().Deadline()
	return !ok || time.Now().Before(deadline)
}

// watcher notes the status and the size of an answer.
type watcher struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *watcher) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// sent is the status of the answer.
func (w *watcher) sent() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// Unwrap lets http.ResponseController find the connection.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// nothing answers for addresses that do not exist, and for methods that one which does
// has not.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request) error {
	var allowed []string
	for _, m := range []string{"GET", "POST", "DELETE"} {
		other := *r
		other.Method = m
		if _, pattern := s.mux.Handler(&other); pattern != "/" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		return kindNotFound.because("%s", strconv.Quote(r.URL.Path))
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return kindMethod.because("%s is not allowed here; use %s", r.Method, strings.Join(allowed, " or "))
}
