package serve

import (
	"net/http"
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
	photos   prometheus.Counter
	pixels   prometheus.Counter
	show     http.Handler
}

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
			Name: "groupvit_request_seconds", Help: "How long requests that were answered well took.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14), // 2 ms to 16 s
		}, []string{"route"}),
		photos: prometheus.NewCounter(prometheus.CounterOpts{Name: "groupvit_photos_total", Help: "Photographs decoded."}),
		pixels: prometheus.NewCounter(prometheus.CounterOpts{Name: "groupvit_pixels_total", Help: "Pixels decoded."}),
		show:   promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	list = append(list, m.requests, m.seconds, m.photos, m.pixels,
		gauge("groupvit_queue_waiting", "Requests that wait for a worker.", func() float64 { return float64(s.queue.waits()) }),
		gauge("groupvit_body_bytes", "Bytes of bodies and answers in memory.", func() float64 { return float64(s.budget.bytes()) }),
		gauge("groupvit_images", "Encoded photographs kept.", func() float64 { n, _ := s.handles.size(); return float64(n) }),
		gauge("groupvit_images_bytes", "Memory of the encoded photographs kept.", func() float64 { _, b := s.handles.size(); return float64(b) }),
	)
	info := s.model.Info()
	list = append(list, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "groupvit_model_info", Help: "1, with the model in its labels.",
		ConstLabels: prometheus.Labels{"name": info.Name, "sha256": info.SHA256, "engine": s.model.Engine()},
	}, func() float64 { return 1 }))
	for _, c := range list {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// observe counts a request.
func (m *metrics) observe(t route, status int, took time.Duration) {
	if status == 0 {
		status = http.StatusOK
	}
	m.requests.WithLabelValues(t.path, strconv.Itoa(status)).Inc()
	if status < http.StatusBadRequest {
		m.seconds.WithLabelValues(t.path).Observe(took.Seconds())
	}
}

func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) error {
	s.metrics.show.ServeHTTP(w, r)
	return nil
}
