package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// guest is a kind of client that misbehaves, and how it must be treated.
type guest struct {
	kind string
	// pause is between two visits of one.
	pause time.Duration
	// visit comes once.
	visit func(ctx context.Context, c net.Conn) error
}

// guests are those that come during the load.
type guests struct {
	kinds []guest
	mu    sync.Mutex
	done  []visits
	count int
	group sync.WaitGroup
}

// visits is what became of one kind.
type visits struct {
	Kind  string `json:"kind"`
	Came  int    `json:"came"`
	Wrong int    `json:"wrong"`
	Why   string `json:"why,omitempty"`
}

// The server's limits, with room for a machine that is busy.
const (
	stallLimit = (10 + 5) * time.Second
	askLimit   = (30 + 10) * time.Second
)

// invite lets n of each kind come until ctx is done.
func invite(ctx context.Context, address string, n int) (*guests, error) {
	bomb, kind, err := form("bomb.png", bomb(30_000, 30_000), "labels", "cat")
	if err != nil {
		return nil, err
	}
	g := &guests{kinds: []guest{
		{"send half a header", time.Second, func(ctx context.Context, c net.Conn) error {
			return sent(ctx, c, "POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nContent-", []int{http.StatusBadRequest}, stallLimit)
		}},
		{"send half a body and wait", time.Second, func(ctx context.Context, c net.Conn) error {
			return sent(ctx, c, half("/v1/images"), []int{http.StatusRequestTimeout}, stallLimit)
		}},
		{"send a byte now and then", time.Second, func(ctx context.Context, c net.Conn) error {
			stop := make(chan struct{})
			defer close(stop)
			go trickle(c, stop)
			return sent(ctx, c, half("/v1/images"), []int{http.StatusRequestTimeout}, askLimit)
		}},
		{"send half a body and leave", 200 * time.Millisecond, func(_ context.Context, c net.Conn) error {
			_, err := io.WriteString(c, half("/v1/segment"))
			return err
		}},
		{"send a photo that claims 900 million pixels", 500 * time.Millisecond, func(ctx context.Context, c net.Conn) error {
			head := fmt.Sprintf("POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", kind, len(bomb))
			return sent(ctx, c, head+string(bomb), []int{http.StatusRequestEntityTooLarge}, stallLimit)
		}},
	}}
	for i, k := range g.kinds {
		g.done = append(g.done, visits{Kind: k.kind})
		for j := range n {
			g.count++
			g.group.Go(func() {
				wait(ctx, time.Duration(j)*k.pause/time.Duration(n))
				for ctx.Err() == nil {
					g.come(ctx, address, i)
					wait(ctx, k.pause)
				}
			})
		}
	}
	return g, nil
}

// come is one visit of the i-th kind.
func (g *guests) come(ctx context.Context, address string, i int) {
	conn, err := net.DialTimeout("tcp", host(address), 5*time.Second)
	if err == nil {
		end := context.AfterFunc(ctx, func() { conn.Close() })
		err = g.kinds[i].visit(ctx, conn)
		end()
		conn.Close()
	}
	if ctx.Err() != nil { // it was cut by us
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done[i].Came++
	if err != nil {
		g.done[i].Wrong++
		g.done[i].Why = err.Error()
	}
}

func (g *guests) wait() { g.group.Wait() }

func (g *guests) summary() []visits {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count == 0 {
		return nil
	}
	return slices.Clone(g.done)
}

// sent sends what a client says and reads how it is treated: within the time it must
// get one of the statuses, or be refused as everybody may be under load.
func sent(ctx context.Context, c net.Conn, text string, want []int, limit time.Duration) error {
	c.SetDeadline(time.Now().Add(limit))
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("no answer within %v: %w", limit, err)
	}
	a.Body.Close()
	switch {
	case a.StatusCode == http.StatusTooManyRequests, a.StatusCode == http.StatusRequestTimeout, slices.Contains(want, a.StatusCode):
		return nil
	}
	return fmt.Errorf("status %d", a.StatusCode)
}

// half is the first part of a request whose body is longer.
func half(path string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n\x89PNG\r\n\x1a\n"
}

// trickle sends a byte every half second.
func trickle(c net.Conn, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(500 * time.Millisecond):
			if _, err := c.Write([]byte{0}); err != nil {
				return
			}
		}
	}
}

// bomb is a small PNG whose header claims many pixels.
func bomb(width, height uint32) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	head = append(binary.BigEndian.AppendUint32(head, height), 8, 2, 0, 0, 0) // 8 bits, RGB
	binary.Write(&b, binary.BigEndian, uint32(len(head)-4))
	b.Write(head)
	binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(head))
	b.Write(make([]byte, 200))
	return b.Bytes()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
