package serve

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/serve/labelstudio"
)

// Server is the http.Handler. It is safe for concurrent use.
type Server struct {
	model    *groupvit.Model
	o        Options
	mux      *http.ServeMux
	queue    *queue
	budget   budget
	pixels   *semaphore.Weighted
	handles  *handles
	metrics  *metrics
	origin   *http.CrossOriginProtection
	origins  origins
	hostname string
	studio   *labelstudio.Backend
	draining atomic.Bool
	ended    atomic.Bool
}

// New makes a server of a model, which stays the caller's to close, after the last
// request. Errors wrap [groupvit.ErrOption].
func New(model *groupvit.Model, o *Options) (*Server, error) {
	if model == nil {
		return nil, errors.New("serve: no model")
	}
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		model: model, o: options, mux: http.NewServeMux(),
		queue: newQueue(options.Workers, options.Queue, options.Wait), budget: newBudget(options.Bodies),
		pixels: semaphore.NewWeighted(options.DecodePixels), handles: newHandles(options.HandleBytes),
		origin: http.NewCrossOriginProtection(), hostname: ownName(),
	}
	if s.origins, err = newOrigins(options.Origins); err != nil {
		return nil, err
	}
	if s.studio, err = s.newStudio(); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, err
	}
	s.routes()
	return s, nil
}

// Drain makes /readyz answer 503 and asks clients to close their connections after
// the next answer; requests are answered as before. Call it some time before
// [http.Server.Shutdown], so that who balances load sends no new ones.
func (s *Server) Drain() { s.draining.Store(true) }

// End refuses every new question with status 503; those that came before are
// answered. Call it a moment before [http.Server.Shutdown]: a machine that computes
// no more accepts at once, so that no connection is cut while it waits for that.
func (s *Server) End() {
	s.draining.Store(true)
	s.ended.Store(true)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.o.Timeout)
	defer cancel()
	s.mux.ServeHTTP(w, r.WithContext(ctx))
}
