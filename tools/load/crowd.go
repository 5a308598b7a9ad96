package main

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// crowd are connections that were answered once and then say nothing, as browsers
// and proxies keep them. The server closes them after a while; they come again.
type crowd struct {
	wanted int
	open   atomic.Int64
	// least is how few were open at a time once all were.
	least  atomic.Int64
	opened atomic.Int64
}

// hold opens as many connections as wanted, or as the limit on open files leaves
// room for, and returns when they are open or do not get more.
func hold(ctx context.Context, address string, n int) *crowd {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
		n = min(n, int(min(limit.Cur, 1<<30))-3000)
	}
	c := &crowd{wanted: max(n, 0)}
	opening := make(chan struct{}, 64) // at a time
	for range c.wanted {
		go func() {
			for ctx.Err() == nil {
				c.sit(ctx, address, opening)
				time.Sleep(rand.N(100 * time.Millisecond))
			}
		}()
	}
	for range 300 {
		before := c.opened.Load()
		time.Sleep(100 * time.Millisecond)
		if c.open.Load() == int64(c.wanted) || before == c.opened.Load() {
			break
		}
	}
	c.least.Store(c.open.Load())
	return c
}

// sit is one connection from its opening to its end.
func (c *crowd) sit(ctx context.Context, address string, opening chan struct{}) {
	opening <- struct{}{}
	conn, err := net.DialTimeout("tcp", host(address), 5*time.Second)
	if err != nil {
		<-opening
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if err == nil {
		err = answered(conn)
	}
	<-opening
	if err != nil {
		return
	}
	c.opened.Add(1)
	c.open.Add(1)
	defer c.open.Add(-1)
	conn.SetDeadline(time.Time{})
	io.Copy(io.Discard, conn) // until the server ends it
}

// answered reads one answer.
func answered(conn net.Conn) error {
	a, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	_, err = io.Copy(io.Discard, a.Body)
	return err
}

// look notes how many are open now.
func (c *crowd) look() int64 {
	n := c.open.Load()
	c.least.Store(min(c.least.Load(), n))
	return n
}
