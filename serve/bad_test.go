package serve_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit/serve"
)

// TestProblems: what cannot be answered says so, with its kind, and nothing of it
// costs more than it should.
func TestProblems(t *testing.T) {
	h, _ := start(t, &serve.Options{ImageBytes: 20_000, ImagePixels: 100_000, Images: 2, Labels: 3, BodyBytes: 80_000})
	good := photo(t, 60, 40)
	// A PNG of 100 bytes whose header claims more pixels than may be.
	bomb := append(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), 0, 0, 0x40, 0, 0, 0, 0x40, 0, 8, 2, 0, 0, 0, 0x52, 0x2b, 0x4b, 0x3a), make([]byte, 60)...)
	multi := func(photos [][]byte, fields ...string) (io.Reader, string) { return form(t, photos, fields...) }
	text := func(s string) (io.Reader, string) { return strings.NewReader(s), "application/json" }
	for _, c := range []struct {
		name, path, kind string
		status           int
		limit            int64
		make             func() (io.Reader, string)
	}{
		{"no type", "/v1/segment", "unsupported-media-type", 415, 0, func() (io.Reader, string) { return strings.NewReader("x"), "" }},
		{"another type", "/v1/segment", "unsupported-media-type", 415, 0, func() (io.Reader, string) { return strings.NewReader("x"), "text/plain" }},
		{"broken JSON", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{"labels":`) }},
		{"an unknown key", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{"lables":["dog"]}`) }},
		{"more than an object", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{}{}`) }},
		{"a URL for a photo", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) {
			return text(`{"image":"http://127.0.0.1/cat.jpg","labels":["dog"]}`)
		}},
		{"a data: address that is not base64", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) {
			return text(`{"image":"data:image/png,%89PNG","labels":["dog"]}`)
		}},
		{"a number for a photo", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{"image":7,"labels":["dog"]}`) }},
		{"no photo", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{"labels":["dog"]}`) }},
		{"no photo, as JSON null", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return text(`null`) }},
		{"no photo", "/v1/images", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{}`) }},
		{"nothing to embed", "/v1/embed", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{}`) }},
		{"no boundary", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) {
			return strings.NewReader("--x\r\n\r\n"), "multipart/form-data"
		}},
		{"a form that ends early", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) {
			return strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"labels\"\r\n\r\ndo"), "multipart/form-data; boundary=x"
		}},
		{"a field given twice", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) {
			return multi([][]byte{good}, "labels", "dog", "quality", "best", "quality", "fast")
		}},
		{"fields beside a form's", "/v1/segment?fromats=mask", "bad-request", 400, 0, func() (io.Reader, string) { return multi([][]byte{good}, "labels", "dog") }},
		{"fields beside JSON's", "/v1/segment?labels=dog", "bad-request", 400, 0, func() (io.Reader, string) { return text(`{"labels":["dog"]}`) }},
		{"an unknown field", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return multi([][]byte{good}, "colour", "red") }},
		{"no labels", "/v1/segment", "bad-option", 422, 0, func() (io.Reader, string) { return multi([][]byte{good}) }},
		{"a label twice", "/v1/segment", "bad-option", 422, 0, func() (io.Reader, string) { return multi([][]byte{good}, "labels", "dog,dog") }},
		{"too many labels", "/v1/segment", "too-large", 413, 3, func() (io.Reader, string) { return multi([][]byte{good}, "labels", "a,b,c,d") }},
		{"too many photos", "/v1/segment", "too-large", 413, 2, func() (io.Reader, string) {
			return multi([][]byte{good, good, good}, "labels", "a")
		}},
		{"another protocol", "/v1/segment", "bad-option", 422, 0, func() (io.Reader, string) {
			return multi([][]byte{good}, "labels", "a", "protocol", "mine")
		}},
		{"a threshold of 2", "/v1/segment", "bad-option", 422, 0, func() (io.Reader, string) {
			return multi([][]byte{good}, "labels", "a", "background", "2")
		}},
		{"another format", "/v1/segment", "bad-option", 422, 0, func() (io.Reader, string) {
			return multi([][]byte{good}, "labels", "a", "formats", "gif")
		}},
		{"no number", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) {
			return multi([][]byte{good}, "labels", "a", "result_side", "big")
		}},
		{"a negative size", "/v1/segment", "bad-option", 422, 0, func() (io.Reader, string) {
			return multi([][]byte{good}, "labels", "a", "result_side", "-1")
		}},
		{"no picture", "/v1/segment", "unreadable-photo", 422, 0, func() (io.Reader, string) {
			return multi([][]byte{[]byte("hello")}, "labels", "a")
		}},
		{"half a picture", "/v1/segment", "unreadable-photo", 422, 0, func() (io.Reader, string) {
			return multi([][]byte{good[:len(good)/2]}, "labels", "a")
		}},
		{"a bomb", "/v1/segment", "unreadable-photo", 422, 0, func() (io.Reader, string) { return multi([][]byte{bomb}, "labels", "a") }},
		{"too many pixels", "/v1/segment", "too-large", 413, 100_000, func() (io.Reader, string) {
			return multi([][]byte{photo(t, 1001, 100)}, "labels", "a")
		}},
		{"too many bytes of a photo", "/v1/segment", "too-large", 413, 20_000, func() (io.Reader, string) {
			return multi([][]byte{make([]byte, 20_001)}, "labels", "a")
		}},
		{"too many bytes", "/v1/segment", "too-large", 413, 80_000, func() (io.Reader, string) {
			b, _ := json.Marshal(map[string]any{"image": make([]byte, 70_000)})
			return bytes.NewReader(b), "application/json"
		}},
		{"a long label", "/v1/segment", "too-large", 413, 1024, func() (io.Reader, string) {
			return multi([][]byte{good}, "labels", strings.Repeat("x", 70_000))
		}},
		{"deep JSON", "/v1/segment", "bad-request", 400, 0, func() (io.Reader, string) { return text(strings.Repeat("[", 60_000)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, kind := c.make()
			p := ask(t, "POST", h.URL+c.path, body, "Content-Type", kind).problem(t)
			if p.Type != "/problems/"+c.kind || p.Status != c.status || (c.limit > 0 && p.Limit != c.limit) {
				t.Errorf("%+v, want %s, %d, limit %d", p, c.kind, c.status, c.limit)
			}
		})
	}
	if p := ask(t, "GET", h.URL+"/v1/nothing", nil).problem(t); p.Status != 404 {
		t.Errorf("an address that is not there: %+v", p)
	}
	if a := ask(t, "PUT", h.URL+"/v1/models", nil); a.problem(t).Status != 405 || a.header.Get("Allow") != "GET" {
		t.Errorf("a method that is not there: %d, Allow %q", a.status, a.header.Get("Allow"))
	}
	body, kind := multi([][]byte{good}, "labels", "a")
	if p := ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind, "Content-Encoding", "gzip").problem(t); p.Status != 415 {
		t.Errorf("a compressed body: %+v", p)
	}
	if p := ask(t, "POST", h.URL+"/v1/segment", nil, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").problem(t); p.Status != 403 {
		t.Errorf("another site's page: %+v", p)
	}
}

// TestToken: without the token nothing is answered but what tells nothing.
func TestToken(t *testing.T) {
	h, _ := start(t, &serve.Options{Token: "sesame"})
	for _, path := range []string{"/", "/healthz", "/readyz", "/health", "/openapi.yaml"} {
		if a := ask(t, "GET", h.URL+path, nil); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	for _, path := range []string{"/v1/models", "/metrics", "/v1/images/x"} {
		if a := ask(t, "GET", h.URL+path, nil, "Authorization", "Bearer wrong"); a.problem(t).Status != 401 || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:sesame"))
	for _, given := range []string{"Bearer sesame", basic} {
		if a := ask(t, "GET", h.URL+"/v1/models", nil, "Authorization", given); a.status != 200 {
			t.Errorf("%s: %d", given, a.status)
		}
	}
}

// TestSlowClients: who sends nothing, or too slowly, is let go; others are answered
// meanwhile, and what they held is free again.
func TestSlowClients(t *testing.T) {
	h, _ := start(t, &serve.Options{Stall: 200 * time.Millisecond, Timeout: time.Second, Workers: 1, Queue: 1})
	address := h.Listener.Addr().String()
	const slow = 200
	ends := make(chan error, slow)
	for i := range slow {
		go func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				ends <- err
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "POST /v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n\x89PNG")
			if i%2 == 0 { // trickles, else stalls
				go func() {
					for range 100 {
						if _, err := c.Write([]byte{0}); err != nil {
							return
						}
						time.Sleep(50 * time.Millisecond)
					}
				}()
			}
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			b, err := io.ReadAll(c)
			if !bytes.Contains(b, []byte("408 Request Timeout")) {
				err = fmt.Errorf("answer %.100q, %v", b, err)
			} else {
				err = nil
			}
			ends <- err
		}()
	}
	time.Sleep(50 * time.Millisecond)
	body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", "dog")
	if a := ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind); a.status != 200 {
		t.Errorf("beside slow clients: %d %s", a.status, a.body)
	}
	for range slow {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	if a := ask(t, "GET", h.URL+"/metrics", nil); !bytes.Contains(a.body, []byte("groupvit_body_bytes 0\n")) {
		t.Error("bodies of clients that are gone still count")
	}
}

// TestHalfBodies: clients that leave in the middle leave nothing behind.
func TestHalfBodies(t *testing.T) {
	h, _ := start(t, nil)
	for range 50 {
		c, err := net.Dial("tcp", h.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"labels\":[\"a")
		c.Close()
	}
	for range 100 {
		a := ask(t, "GET", h.URL+"/metrics", nil)
		if bytes.Contains(a.body, []byte("groupvit_body_bytes 0\n")) && bytes.Contains(a.body, []byte(`groupvit_requests_total{route="/v1/segment",status="400"} 50`)) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("half-sent bodies are not gone")
}

// TestBodiesBudget: a body for which there is no memory waits until there is, as it
// arrives, not as it is announced; bodies that wait for each other are all answered.
func TestBodiesBudget(t *testing.T) {
	h, _ := start(t, &serve.Options{Bodies: 100_000, BodyBytes: 1 << 20})
	// half sends 60 kB of a body, which count 120, and returns what sends the rest and
	// gives the answer's status.
	half := func() func() int {
		pipe, w := io.Pipe()
		status := make(chan int)
		go func() {
			r, _ := http.NewRequest("POST", h.URL+"/v1/segment", pipe)
			r.Header.Set("Content-Type", "application/json")
			a, err := http.DefaultClient.Do(r)
			if err != nil {
				status <- 0
				return
			}
			a.Body.Close()
			status <- a.StatusCode
		}()
		go fmt.Fprintf(w, `{"labels":["%s"`, strings.Repeat("a", 60_000))
		time.Sleep(100 * time.Millisecond)
		return func() int {
			fmt.Fprint(w, `]}`)
			w.Close()
			return <-status
		}
	}
	first := half()
	var rest []func() int
	for range 4 {
		rest = append(rest, half())
	}
	answers := make(chan int, len(rest)+1)
	for _, r := range rest {
		go func() { answers <- r() }()
	}
	time.Sleep(100 * time.Millisecond)
	if len(answers) > 0 {
		t.Error("bodies beyond the memory did not wait")
	}
	go func() { answers <- first() }()
	for range len(rest) + 1 {
		if status := <-answers; status != 400 { // no photo
			t.Errorf("a body that waited: status %d", status)
		}
	}
}

// TestDraining: a server that ends says so and answers all the same.
func TestDraining(t *testing.T) {
	h, s := start(t, nil)
	s.Drain()
	if p := ask(t, "GET", h.URL+"/readyz", nil).problem(t); p.Status != 503 {
		t.Errorf("ready while it ends: %+v", p)
	}
	question := func() reply {
		body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", "dog")
		return ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind)
	}
	if a := question(); a.status != 200 {
		t.Errorf("a request while it ends: %d", a.status)
	}
	s.End()
	if a := question(); a.problem(t).Status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("a request at its end: %d", a.status)
	}
}
