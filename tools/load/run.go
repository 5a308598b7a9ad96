package main

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

type settings struct {
	binary, photo, labels, quality, args, report string
	duration                                     time.Duration
	factor                                       float64
	connections, guests                          int
}

// run measures and judges. After ctx it ends the overload, and judges what there is.
func run(ctx context.Context, o settings) (*report, error) {
	p, err := start(o.binary, o.args)
	if err != nil {
		return nil, err
	}
	defer p.cmd.Process.Kill()
	target, err := question(p.address, o)
	if err != nil {
		return nil, err
	}
	r := newReport(o)
	r.Capacity = closed(ctx, target, 8, 10*time.Second)
	if r.Capacity == 0 {
		return nil, fmt.Errorf("the server answered nothing in 10 s (interrupted: %v)", ctx.Err() != nil)
	}
	r.tell("capacity: %.1f answers a second (8 clients that wait for their answers)", r.Capacity)
	alone := newOutcome()
	attack(ctx, target, r.Capacity*0.1, min(max(20*time.Second, seconds(200/(r.Capacity*0.1))), 2*time.Minute), alone)
	r.Alone = alone.summary()
	r.tell("a tenth of it: %v", r.Alone)
	if r.Alone.Refused > 0 || r.Alone.Failed > 0 {
		r.miss("without load %d were refused and %d failed", r.Alone.Refused, r.Alone.Failed)
	}
	if err := r.write(); err != nil {
		return nil, err
	}
	if err := r.overload(ctx, p, target); err != nil {
		return nil, err
	}
	if err := r.settle(p); err != nil {
		return nil, err
	}
	if r.Ending, err = ending(p, target); err != nil {
		r.miss("the server ended with %v", err)
	}
	r.tell("at its end: %v", r.Ending)
	if r.Ending.Lost > 0 {
		r.miss("%d requests were lost at the end: %s", r.Ending.Lost, r.Ending.Why)
	}
	r.Ended = time.Now().UTC().Truncate(time.Second)
	return r, r.write()
}

// overload asks for more than can be answered, beside silent connections and clients
// that misbehave, and judges what became of it.
func (r *report) overload(ctx context.Context, p *program, target vegeta.Target) error {
	beside, stop := context.WithCancel(context.Background())
	defer stop()
	crowd := hold(beside, p.address, r.o.connections)
	guests, err := invite(beside, p.address, r.o.guests)
	if err != nil {
		return err
	}
	r.Connections = crowd.wanted
	r.tell("%d of %d connections are open beside, and %d clients that misbehave", crowd.open.Load(), crowd.wanted, guests.count)

	full := newOutcome()
	watching, watched := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.watch(watching, p, full, crowd, guests) }()
	begin := time.Now()
	attack(ctx, target, r.Capacity*r.o.factor, r.o.duration, full)
	r.Lasted = time.Since(begin).Seconds()
	r.Interrupted = ctx.Err() != nil
	watched()
	if err := <-ended; err != nil {
		return err
	}
	stop()
	guests.wait()
	r.judge(full, crowd, guests)
	return nil
}

// judge holds the overload to its bars.
func (r *report) judge(full *outcome, crowd *crowd, guests *guests) {
	r.Full, r.Guests = full.summary(), guests.summary()
	r.tell("%g times it, for %v: %v", r.o.factor, seconds(r.Lasted).Round(time.Second), r.Full)
	for _, g := range r.Guests {
		r.tell("clients that %s: %d came, %d were treated otherwise than they should %s", g.Kind, g.Came, g.Wrong, g.Why)
		if g.Wrong > 0 {
			r.miss("of %d clients that %s, %d were treated otherwise than they should: %s", g.Came, g.Kind, g.Wrong, g.Why)
		}
	}
	if r.Full.P99 > 2*r.Alone.P99 {
		r.miss("99 of 100 answers took up to %.1f ms, more than twice the %.1f ms without load", r.Full.P99, r.Alone.P99)
	}
	if r.Full.Failed > 0 {
		r.miss("%d requests got neither an answer nor 429: %s", r.Full.Failed, r.Full.Why)
	}
	if r.Full.Answered == 0 {
		r.miss("nothing was answered under load")
	}
	if low := crowd.least.Load(); crowd.wanted > 0 && float64(low) < 0.95*float64(crowd.wanted) {
		r.miss("at one time only %d of %d connections were open", low, crowd.wanted)
	}
	r.Memory.judge(r)
}

// settle waits until the server holds nothing any more of those who have gone.
func (r *report) settle(p *program) error {
	const body, waiting = "groupvit_body_bytes", "groupvit_queue_waiting"
	var m map[string]float64
	for range 150 {
		var err error
		if m, err = p.metrics(); err != nil {
			return err
		}
		if m[body] == 0 && m[waiting] == 0 {
			r.tell("afterwards it holds no bodies, nobody waits, %.0f goroutines are left", m["go_goroutines"])
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.miss("15 s after the load it still holds %.0f bytes of bodies, and %.0f wait", m[body], m[waiting])
	return nil
}

// question is a request for a segmentation with a mask.
func question(address string, o settings) (vegeta.Target, error) {
	photo, err := os.ReadFile(o.photo)
	if err != nil {
		return vegeta.Target{}, err
	}
	body, kind, err := form(filepath.Base(o.photo), photo, "labels", o.labels, "formats", "mask", "quality", o.quality)
	return vegeta.Target{Method: "POST", URL: address + "/v1/segment", Body: body, Header: http.Header{"Content-Type": {kind}}}, err
}

// form is a form with a photo and fields given as pairs.
func form(name string, photo []byte, fields ...string) (body []byte, kind string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("image", name)
	if err != nil {
		return nil, "", err
	}
	part.Write(photo) // to memory
	for i := 0; i < len(fields); i += 2 {
		w.WriteField(fields[i], fields[i+1])
	}
	err = w.Close()
	return b.Bytes(), w.FormDataContentType(), err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func host(address string) string { return strings.TrimPrefix(address, "http://") }
