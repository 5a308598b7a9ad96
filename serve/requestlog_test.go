package serve_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/groupvit/groupvit/serve"
)

// lines collects a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) all(t *testing.T) (list []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		list = append(list, m)
	}
	return list
}

// TestRequestLog: a line a request, with its level, its name and what became of it; the
// answer has the same name.
func TestRequestLog(t *testing.T) {
	log := &lines{}
	h, s := start(t, &serve.Options{Log: slog.New(slog.NewJSONHandler(log, nil))})
	ask(t, "GET", h.URL+"/healthz", nil) // not worth a line
	body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", "dog")
	good := ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind, "X-Request-Id", "mine-7")
	bad := ask(t, "POST", h.URL+"/v1/segment?labels=x", strings.NewReader("hello"), "Content-Type", "image/png", "X-Request-Id", "not\tmine "+strings.Repeat("x", 200))
	s.End()
	ended := ask(t, "GET", h.URL+"/v1/models", nil)
	for i, want := range []struct {
		answer        reply
		level, detail string
	}{{good, "INFO", ""}, {bad, "INFO", "image"}, {ended, "WARN", "shutting down"}} {
		all := log.all(t)
		if len(all) != 3 {
			t.Fatalf("%d lines: %v", len(all), all)
		}
		got := all[i]
		detail, _ := got["error"].(string)
		if got["level"] != want.level || got["status"] != float64(want.answer.status) || got["id"] != want.answer.header.Get("X-Request-Id") || (want.detail == "") != (detail == "") || !strings.Contains(detail, want.detail) {
			t.Errorf("line %d: %v, want level %s, status %d, error with %q", i, got, want.level, want.answer.status, want.detail)
		}
		if got["bytes"] != float64(len(want.answer.body)) || got["seconds"].(float64) <= 0 || got["remote"] != "127.0.0.1" {
			t.Errorf("line %d: %v, the answer has %d bytes", i, got, len(want.answer.body))
		}
	}
	if id := good.header.Get("X-Request-Id"); id != "mine-7" {
		t.Errorf("a request's own name became %q", id)
	}
	if id := bad.header.Get("X-Request-Id"); !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) {
		t.Errorf("a name that is none became %q", id)
	}
}

// TestMetrics: what the metrics say after some requests.
func TestMetrics(t *testing.T) {
	h, _ := start(t, &serve.Options{Version: "v1.2.3", Workers: 3, Queue: 7})
	body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", "dog")
	ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind)
	ask(t, "POST", h.URL+"/v1/segment", nil, "Content-Type", "text/plain")
	all := string(ask(t, "GET", h.URL+"/metrics", nil).body)
	for _, want := range []string{
		`groupvit_build_info{goversion="go`, `version="v1.2.3"} 1`, "groupvit_requests_in_flight 1\n", "groupvit_queue_waiting 0\n", "groupvit_queue_limit 7\n", "groupvit_workers 3\n",
		"groupvit_workers_busy 0\n", "groupvit_queue_refused_total 0\n", "groupvit_queue_seconds_count 1\n",
		`groupvit_request_seconds_count{outcome="answered",route="/v1/segment"} 1`, `groupvit_request_seconds_count{outcome="wrong",route="/v1/segment"} 1`,
		`groupvit_requests_total{route="/v1/segment",status="415"} 1`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s", want)
		}
	}
}
