package serve

import (
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	waited   prometheus.Histogram
	refused  prometheus.Counter
	inFlight prometheus.Gauge
	photos   prometheus.Counter
	pixels   prometheus.Counter
	show     http.Handler
}

// durations are the buckets of times: 2 ms to 32 s.
var durations = prometheus.ExponentialBuckets(0.002, 2, 15)

func newMetrics(s *Server) (*metrics, error) {
	registry := s.o.Registry
	var list []prometheus.Collector
	if registry == nil {
		registry = prometheus.NewRegistry()
		list = append(list, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "groupvit_requests_total", Help: "Requests by route and status; 499 is a client that did not wait.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "groupvit_request_seconds", Help: "How long requests took, by route and what became of them: answered, wrong (4xx), refused (429 and 503), failed, left (the client did not wait).", Buckets: durations,
		}, []string{"route", "outcome"}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "groupvit_queue_seconds", Help: "How long requests that were worked on had waited for a worker.", Buckets: durations,
		}),
		refused:  prometheus.NewCounter(prometheus.CounterOpts{Name: "groupvit_queue_refused_total", Help: "Requests that the queue refused."}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "groupvit_requests_in_flight", Help: "Requests that have not been answered yet."}),
		photos:   prometheus.NewCounter(prometheus.CounterOpts{Name: "groupvit_photos_total", Help: "Photos decoded."}),
		pixels:   prometheus.NewCounter(prometheus.CounterOpts{Name: "groupvit_pixels_total", Help: "Pixels decoded."}),
		show:     promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}
	list = append(list, m.requests, m.seconds, m.waited, m.refused, m.inFlight, m.photos, m.pixels)
	list = append(list, gauges(s)...)
	for _, c := range list {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// gauges are those that ask the server.
func gauges(s *Server) []prometheus.Collector {
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	info := func(name, help string, labels prometheus.Labels) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return 1 })
	}
	model := s.model.Info()
	return []prometheus.Collector{
		gauge("groupvit_queue_waiting", "Requests that wait for a worker.", func() float64 { return float64(s.queue.waits()) }),
		gauge("groupvit_queue_limit", "Requests that may wait for a worker.", func() float64 { return float64(s.o.Queue) }),
		gauge("groupvit_workers", "Requests that may be worked on at a time.", func() float64 { return float64(s.o.Workers) }),
		gauge("groupvit_workers_busy", "Requests that are worked on.", func() float64 { return float64(s.queue.works()) }),
		gauge("groupvit_body_bytes", "Bytes of bodies and answers in memory.", func() float64 { return float64(s.budget.bytes()) }),
		gauge("groupvit_images", "Encoded photos kept.", func() float64 { n, _ := s.handles.size(); return float64(n) }),
		gauge("groupvit_images_bytes", "Memory of the encoded photos kept.", func() float64 { _, b := s.handles.size(); return float64(b) }),
		info("groupvit_model_info", "1, with the model in its labels.", prometheus.Labels{"name": model.Name, "sha256": model.SHA256, "engine": s.model.Engine()}),
		info("groupvit_build_info", "1, with the program in its labels.", buildLabels(s.o.Version)),
	}
}

// buildLabels name the program that runs.
func buildLabels(version string) prometheus.Labels {
	labels := prometheus.Labels{"version": version, "revision": "", "goversion": runtime.Version()}
	if build, ok := debug.ReadBuildInfo(); ok {
		if version == "" {
			labels["version"] = build.Main.Version
		}
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				labels["revision"] = s.Value
			}
		}
	}
	return labels
}

// begin counts a request that has come; leave must be called when it is gone.
func (m *metrics) begin() (leave func()) {
	m.inFlight.Inc()
	return m.inFlight.Dec
}

// end counts what became of a request.
func (m *metrics) end(t route, status int, took time.Duration) {
	m.requests.WithLabelValues(t.path, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(t.path, outcomeOf(status)).Observe(took.Seconds())
}

// outcomeOf is what became of a request.
func outcomeOf(status int) string {
	switch {
	case status == statusLeft:
		return "left"
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return "refused"
	case status >= http.StatusInternalServerError:
		return "failed"
	case status >= http.StatusBadRequest:
		return "wrong"
	}
	return "answered"
}

// enter waits for a worker, counted.
func (s *Server) enter(ctx context.Context) (leave func(), err error) {
	begin := time.Now()
	leave, err = s.queue.enter(ctx)
	if err == nil {
		s.metrics.waited.Observe(time.Since(begin).Seconds())
	} else {
		s.metrics.refused.Inc()
	}
	return leave, err
}

// room returns the refusal that a request would meet at the queue now, counted, or nil.
func (s *Server) room(ctx context.Context) error {
	err := s.queue.full(ctx)
	if err != nil {
		s.metrics.refused.Inc()
	}
	return err
}

func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) error {
	s.metrics.show.ServeHTTP(w, r)
	return nil
}
