package main

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// ends is what became of requests while the server ended.
type ends struct {
	Answered int `json:"answered"`
	Refused  int `json:"refused"`
	// Unconnected found nobody who listened any more.
	Unconnected int    `json:"unconnected"`
	Lost        int    `json:"lost"`
	Why         string `json:"why,omitempty"`
}

func (e ends) String() string {
	return fmt.Sprintf("%d answered, %d refused with 429 or 503, %d found nobody listening any more, %d lost", e.Answered, e.Refused, e.Unconnected, e.Lost)
}

func (e *ends) add(status int, err error) {
	switch {
	case err != nil && errors.Is(err, syscall.ECONNREFUSED):
		e.Unconnected++
	case err != nil:
		e.Lost, e.Why = e.Lost+1, err.Error()
	case status == http.StatusOK:
		e.Answered++
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		e.Refused++
	default:
		e.Lost, e.Why = e.Lost+1, fmt.Sprint("status ", status)
	}
}

// ending tells the server to end under load; every request that it took must be
// answered, and only connecting may fail afterwards. The error is how it ended.
func ending(p *program, target vegeta.Target) (e ends, err error) {
	var mu sync.Mutex
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				status, err := once(target)
				mu.Lock()
				e.add(status, err)
				mu.Unlock()
				if err != nil || status != http.StatusOK {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(2 * time.Second)
	err = p.end()
	time.Sleep(200 * time.Millisecond)
	close(stop)
	wg.Wait()
	return e, err
}
