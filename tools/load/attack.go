package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// outcome is what became of requests.
type outcome struct {
	mu              sync.Mutex
	took            []time.Duration // of those that were answered
	minute          int             // how many of took were there when the last minute ended
	refused, failed int
	why             string
}

func newOutcome() *outcome { return &outcome{} }

func (o *outcome) add(r *vegeta.Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch r.Code {
	case http.StatusOK:
		o.took = append(o.took, r.Latency)
	case http.StatusTooManyRequests:
		o.refused++
	default:
		o.failed++
		o.why = fmt.Sprintf("%d %s", r.Code, r.Error)
	}
}

// summary is an outcome in figures; times are in milliseconds.
type summary struct {
	Answered int     `json:"answered"`
	Refused  int     `json:"refused"`
	Failed   int     `json:"failed"`
	P50      float64 `json:"p50_ms"`
	P95      float64 `json:"p95_ms"`
	P99      float64 `json:"p99_ms"`
	Most     float64 `json:"max_ms"`
	Why      string  `json:"why,omitempty"`
}

func (s summary) String() string {
	return fmt.Sprintf("%d answered, %d refused with 429, %d otherwise; half within %.1f ms, 95 of 100 within %.1f, 99 of 100 within %.1f",
		s.Answered, s.Refused, s.Failed, s.P50, s.P95, s.P99)
}

func (o *outcome) summary() summary {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := summary{Refused: o.refused, Failed: o.failed, Why: o.why}
	s.times(o.took)
	return s
}

// lately is the summary of the answers since it was last asked; refused and failed
// count from the beginning.
func (o *outcome) lately() summary {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := summary{Refused: o.refused, Failed: o.failed}
	s.times(o.took[o.minute:])
	o.minute = len(o.took)
	return s
}

func (s *summary) times(took []time.Duration) {
	if s.Answered = len(took); s.Answered == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(took))
	at := func(share float64) float64 {
		return round(sorted[min(int(share*float64(len(sorted))), len(sorted)-1)].Seconds()*1000, 0.1)
	}
	s.P50, s.P95, s.P99, s.Most = at(0.5), at(0.95), at(0.99), at(1)
}

// attack sends requests at a rate, whatever becomes of those before, until the time
// or ctx is over.
func attack(ctx context.Context, target vegeta.Target, perSecond float64, d time.Duration, o *outcome) {
	a := vegeta.NewAttacker(vegeta.Timeout(60*time.Second), vegeta.KeepAlive(true), vegeta.MaxBody(1<<20), vegeta.Connections(2000))
	defer context.AfterFunc(ctx, func() { a.Stop() })()
	rate := vegeta.Rate{Freq: max(1, int(perSecond*10)), Per: 10 * time.Second}
	for result := range a.Attack(vegeta.NewStaticTargeter(target), rate, d, "") {
		o.add(result)
	}
}

// closed asks with clients that wait for each answer, and comes again at once when
// refused; it returns answers a second.
func closed(ctx context.Context, target vegeta.Target, clients int, d time.Duration) float64 {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers, begin := 0, time.Now()
	for range clients {
		wg.Go(func() {
			for ctx.Err() == nil {
				if status, err := once(target); err == nil && status == http.StatusOK {
					mu.Lock()
					answers++
					mu.Unlock()
					continue
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	wg.Wait()
	return float64(answers) / time.Since(begin).Seconds()
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}

func once(target vegeta.Target) (int, error) {
	r, err := target.Request()
	if err != nil {
		return 0, err
	}
	a, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer a.Body.Close()
	_, err = io.Copy(io.Discard, a.Body)
	return a.StatusCode, err
}
