package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// memory is the server's resident memory over the overload, in MiB.
type memory struct {
	Start float64 `json:"start_mib"`
	End   float64 `json:"end_mib"`
	Peak  float64 `json:"peak_mib"`
	// Second and Last are means over the second and the last quarter of the time.
	Second float64 `json:"second_quarter_mib"`
	Last   float64 `json:"last_quarter_mib"`
	// Slope is that of the line through all but the first quarter, in MiB an hour.
	Slope float64 `json:"slope_mib_per_hour"`

	series []float64 // once a second
}

func (m *memory) add(rss float64) {
	if len(m.series) == 0 {
		m.Start = rss
	}
	m.series = append(m.series, rss)
	m.End, m.Peak = rss, max(m.Peak, rss)
	n := len(m.series) / 4
	m.Second, m.Last = mean(m.series[n:2*n]), mean(m.series[3*n:])
	m.Slope = round(slope(m.series[n:])*3600, 0.1)
}

func mean(part []float64) (m float64) {
	for _, v := range part {
		m += v / float64(len(part))
	}
	return round(m, 0.1)
}

// slope is by how much values grow from one to the next, by least squares.
func slope(values []float64) float64 {
	n := float64(len(values))
	var above, below float64
	for i, v := range values {
		d := float64(i) - (n-1)/2
		above += d * v
		below += d * d
	}
	if below == 0 {
		return 0
	}
	return above / below
}

func (m *memory) String() string {
	return fmt.Sprintf("%.0f MiB at the start, %.0f in the second quarter, %.0f in the last, %.0f at the end, %.0f at the peak; %+.1f MiB an hour after the first quarter",
		m.Start, m.Second, m.Last, m.End, m.Peak, m.Slope)
}

// judge says whether memory is flat: the last quarter has as much as the second, but
// for what the garbage collector leaves or takes.
func (m *memory) judge(r *report) {
	if len(m.series) < 8 {
		r.miss("too short to say anything about memory")
		return
	}
	r.tell("memory: %v", m)
	if m.Last > 1.15*m.Second+8 {
		r.miss("memory grew from %.0f to %.0f MiB", m.Second, m.Last)
	}
}

// minute is what there was in one minute of the overload.
type minute struct {
	Minute int `json:"minute"`
	summary
	RSS         float64 `json:"rss_mib"`
	Connections int64   `json:"connections"`
}

// watch looks at the server once a second and writes the report once a minute, until
// ctx is done.
func (r *report) watch(ctx context.Context, p *program, full *outcome, crowd *crowd, guests *guests) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before, begin := 0, time.Now()
	for n := 0; ; n++ {
		open := crowd.look()
		r.Memory.add(p.rss())
		if n > 0 && n%60 == 0 {
			m := minute{Minute: n / 60, summary: full.lately(), RSS: r.Memory.End, Connections: open}
			before, m.Refused = m.Refused, m.Refused-before
			r.Minutes = append(r.Minutes, m)
			r.Full, r.Guests, r.Lasted = full.summary(), guests.summary(), time.Since(begin).Seconds()
			r.tell("minute %d: %d answered, %d refused, half within %.1f ms, 99 of 100 within %.1f; %.0f MiB, %d connections", m.Minute, m.Answered, m.Refused, m.P50, m.P99, m.RSS, open)
			if err := r.write(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func round(v, to float64) float64 { return math.Round(v/to) * to }
