package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

type settings struct {
	binary, photo, labels, quality, args string
	duration                             time.Duration
	factor                               float64
	connections                          int
}

// run measures and returns the bars that were missed.
func run(o settings) (missed []string, err error) {
	p, err := start(o.binary, o.args)
	if err != nil {
		return nil, err
	}
	defer p.cmd.Process.Kill()
	target, err := question(p.address, o)
	if err != nil {
		return nil, err
	}
	capacity := closed(target, 8, 10*time.Second)
	fmt.Printf("capacity: %.1f answers a second (8 clients that wait for their answers)\n", capacity)
	alone := attack(target, rate(capacity*0.1), max(20*time.Second, time.Duration(200/(capacity*0.1))*time.Second))
	alone.print("a tenth of it")
	if alone.refused > 0 || alone.failed > 0 {
		missed = append(missed, fmt.Sprintf("without load %d were refused and %d failed", alone.refused, alone.failed))
	}

	idle := hold(p.address, o.connections)
	defer idle.close()
	fmt.Printf("%d idle connections are open beside\n", len(idle))
	stop := make(chan struct{})
	memory := watch(p, stop)
	full := attack(target, rate(capacity*o.factor), o.duration)
	close(stop)
	full.print(fmt.Sprintf("%g times it, %v", o.factor, o.duration))
	if full.p99() > 2*alone.p99() {
		missed = append(missed, fmt.Sprintf("99 of 100 answers took up to %v, more than twice the %v without load", full.p99(), alone.p99()))
	}
	if full.failed > 0 {
		missed = append(missed, fmt.Sprintf("%d requests got neither an answer nor 429: %s", full.failed, full.why))
	}
	if len(full.took) == 0 {
		missed = append(missed, "nothing was answered under load")
	}
	missed = append(missed, flat(<-memory)...)

	lost, err := ending(p, target)
	if err != nil {
		return missed, err
	}
	return append(missed, lost...), nil
}

// question is a request for a segmentation with a mask.
func question(address string, o settings) (vegeta.Target, error) {
	photo, err := os.ReadFile(o.photo)
	if err != nil {
		return vegeta.Target{}, err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("image", filepath.Base(o.photo))
	if err != nil {
		return vegeta.Target{}, err
	}
	part.Write(photo)
	w.WriteField("labels", o.labels)
	w.WriteField("formats", "mask")
	w.WriteField("quality", o.quality)
	w.Close()
	return vegeta.Target{
		Method: "POST", URL: address + "/v1/segment", Body: b.Bytes(), Header: http.Header{"Content-Type": {w.FormDataContentType()}},
	}, nil
}

// outcome is what became of requests.
type outcome struct {
	took            []time.Duration // of those that were answered, sorted
	refused, failed int
	why             string
}

func (o *outcome) add(r *vegeta.Result) {
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

func (o *outcome) at(share float64) time.Duration {
	if len(o.took) == 0 {
		return 0
	}
	return o.took[min(int(share*float64(len(o.took))), len(o.took)-1)].Round(100 * time.Microsecond)
}

func (o *outcome) p99() time.Duration { return o.at(0.99) }

func (o *outcome) print(name string) {
	fmt.Printf("%s: %d answered, %d refused with 429, %d otherwise; half in %v, 95 of 100 in %v, 99 of 100 in %v\n",
		name, len(o.took), o.refused, o.failed, o.at(0.5), o.at(0.95), o.p99())
}

func rate(perSecond float64) vegeta.Rate {
	return vegeta.Rate{Freq: max(1, int(perSecond*10)), Per: 10 * time.Second}
}

// attack sends requests at a rate, whatever becomes of those before.
func attack(target vegeta.Target, r vegeta.Rate, d time.Duration) *outcome {
	a := vegeta.NewAttacker(vegeta.Timeout(60*time.Second), vegeta.KeepAlive(true), vegeta.MaxBody(1<<20), vegeta.Connections(2000))
	o := &outcome{}
	for result := range a.Attack(vegeta.NewStaticTargeter(target), r, d, "") {
		o.add(result)
	}
	slices.Sort(o.took)
	return o
}

// closed asks with clients that wait for each answer, and comes again at once when
// refused; it returns answers a second.
func closed(target vegeta.Target, clients int, d time.Duration) float64 {
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers, until := 0, time.Now().Add(d)
	for range clients {
		wg.Go(func() {
			for time.Now().Before(until) {
				status, err := once(target)
				switch {
				case err == nil && status == http.StatusOK:
					mu.Lock()
					answers++
					mu.Unlock()
				default:
					time.Sleep(2 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	return float64(answers) / d.Seconds()
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

// ending tells the server to end under load; every request that it took must be
// answered, and only connecting may fail afterwards.
func ending(p *program, target vegeta.Target) ([]string, error) {
	var mu sync.Mutex
	var answered, refused, unconnected int
	var lost []string
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
				switch {
				case err != nil && errors.Is(err, syscall.ECONNREFUSED):
					unconnected++
				case err != nil:
					lost = append(lost, err.Error())
				case status == http.StatusOK:
					answered++
				case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
					refused++
				default:
					lost = append(lost, fmt.Sprint("status ", status))
				}
				mu.Unlock()
				if err != nil || status != http.StatusOK {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(2 * time.Second)
	err := p.end()
	time.Sleep(200 * time.Millisecond)
	close(stop)
	wg.Wait()
	fmt.Printf("at its end: %d answered, %d refused with 429 or 503, %d found nobody listening any more, %d lost\n", answered, refused, unconnected, len(lost))
	if err != nil {
		return []string{fmt.Sprintf("the server ended with %v", err)}, nil
	}
	if len(lost) > 0 {
		return []string{fmt.Sprintf("%d requests were lost at the end: %s", len(lost), lost[0])}, nil
	}
	return nil, nil
}
