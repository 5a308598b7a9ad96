package main

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// idle are connections that ask nothing.
type idle []net.Conn

func (i idle) close() {
	for _, c := range i {
		c.Close()
	}
}

// hold opens as many connections as wanted, or as the limit on open files leaves
// room for.
func hold(address string, n int) idle {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
		n = min(n, int(limit.Cur)-3000)
	}
	var list idle
	host := strings.TrimPrefix(address, "http://")
	for range n {
		c, err := net.DialTimeout("tcp", host, 5*time.Second)
		if err != nil {
			break
		}
		list = append(list, c)
	}
	return list
}

// watch measures the server's memory once a second until stop.
func watch(p *program, stop chan struct{}) chan []float64 {
	out := make(chan []float64, 1)
	go func() {
		var list []float64
		for {
			select {
			case <-stop:
				out <- list
				return
			case <-time.After(time.Second):
				list = append(list, p.rss())
			}
		}
	}()
	return out
}

// flat compares the memory of the last quarter with that of the second.
func flat(rss []float64) []string {
	if len(rss) < 8 {
		return []string{"too short to say anything about memory"}
	}
	mean := func(part []float64) (m float64) {
		for _, v := range part {
			m += v / float64(len(part))
		}
		return m
	}
	n := len(rss) / 4
	second, last, peak := mean(rss[n:2*n]), mean(rss[3*n:]), 0.0
	for _, v := range rss {
		peak = max(peak, v)
	}
	fmt.Printf("memory: %.0f MiB in the second quarter, %.0f MiB in the last, %.0f MiB at the peak\n", second, last, peak)
	if last > 1.15*second+8 {
		return []string{fmt.Sprintf("memory grew from %.0f to %.0f MiB", second, last)}
	}
	return nil
}
