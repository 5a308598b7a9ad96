package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// serving starts the command and returns its address, and what ends it and returns
// its exit code and what it said.
func serving(t *testing.T, args ...string) (address string, end func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- Main(ctx, append([]string{"serve", "--listen", "127.0.0.1:0", "--drain", "200ms"}, args...), strings.NewReader(""), io.Discard, w)
		w.Close()
	}()
	said, lines := "", bufio.NewScanner(r)
	for address == "" && lines.Scan() {
		said += lines.Text() + "\n"
		_, address, _ = strings.Cut(lines.Text(), "open ")
	}
	if address == "" {
		t.Fatalf("it does not serve: %s", said)
	}
	rest := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(r)
		rest <- string(b)
	}()
	return address, func() (int, string) {
		cancel()
		return <-code, said + <-rest
	}
}

// TestServe: it answers, and when it ends every request that it took is answered.
func TestServe(t *testing.T) {
	address, end := serving(t)
	photo, err := os.ReadFile(filepath.Join("..", "..", "examples", "photos", "cat.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (int, error) {
		a, err := http.Post(address+"/v1/segment?labels=cat,sofa&quality=fast", "image/jpeg", strings.NewReader(string(photo)))
		if err != nil {
			return 0, err
		}
		defer a.Body.Close()
		_, err = io.ReadAll(a.Body)
		return a.StatusCode, err
	}
	if status, err := ask(); status != http.StatusOK {
		t.Fatal(status, err)
	}
	var wg sync.WaitGroup
	answers := make(chan string, 1000)
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				status, err := ask()
				switch {
				case err != nil && strings.Contains(err.Error(), "refused"):
					return // nobody listens any more
				case err != nil:
					answers <- err.Error()
				default:
					answers <- fmt.Sprint(status)
				}
				if status != http.StatusOK {
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	code, said := end()
	close(stop)
	wg.Wait()
	close(answers)
	good := 0
	for a := range answers {
		switch a {
		case "200":
			good++
		case "429", "503":
		default:
			t.Errorf("a request at the end: %s", a)
		}
	}
	if code != exitDone || good == 0 {
		t.Errorf("exit code %d, %d answers: %s", code, good, said)
	}
}

// TestServeBurst: an idle server with its standard settings answers as many requests
// at once as its queue is long.
func TestServeBurst(t *testing.T) {
	address, end := serving(t)
	photo, err := os.ReadFile(filepath.Join("..", "..", "examples", "photos", "cat.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 20, 60, 100} {
		answers := make(chan string, n)
		for range n {
			go func() {
				a, err := http.Post(address+"/v1/segment?labels=cat,sofa&quality=fast", "image/jpeg", bytes.NewReader(photo))
				if err != nil {
					answers <- err.Error()
					return
				}
				io.Copy(io.Discard, a.Body)
				a.Body.Close()
				answers <- a.Status
			}()
		}
		for range n {
			if a := <-answers; a != "200 OK" {
				t.Errorf("one of %d requests at once: %s", n, a)
			}
		}
		time.Sleep(300 * time.Millisecond) // idle again
	}
	if code, said := end(); code != exitDone {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestServeToken: the token comes from a file or the environment, never from the
// command line.
func TestServeToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address, end := serving(t, "--token-file", file)
	for token, want := range map[string]int{"": 401, "Bearer sesame": 200} {
		r, _ := http.NewRequest("GET", address+"/v1/models", nil)
		r.Header.Set("Authorization", token)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != want {
			t.Errorf("token %q: status %d, want %d", token, a.StatusCode, want)
		}
	}
	if code, said := end(); code != exitDone {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestServeHeaders: headers beyond the limit are refused, and the server goes on.
func TestServeHeaders(t *testing.T) {
	address, end := serving(t)
	for header, want := range map[int]int{8 << 10: 200, 64 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		r, _ := http.NewRequest("GET", address+"/healthz", nil)
		r.Header.Set("X-Large", strings.Repeat("x", header))
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != want {
			t.Errorf("a header of %d bytes: status %d, want %d", header, a.StatusCode, want)
		}
	}
	if code, said := end(); code != exitDone {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestServeBad: what cannot be served is said before anything is loaded for long.
func TestServeBad(t *testing.T) {
	for _, args := range [][]string{
		{"--queue", "-1"}, {"--log-level", "loud"}, {"--log-format", "xml"}, {"--allow-origin", "example.com"}, {"--max-image-pixels", "60000000"}, {"--label-studio", "localhost"}, {"--token-file", "nowhere"}, {"photo.jpg"},
	} {
		var stderr strings.Builder
		if code := Main(t.Context(), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), io.Discard, &stderr); code != exitUsage {
			t.Errorf("%v: exit code %d: %s", args, code, stderr.String())
		}
	}
}

// TestServeEnvironment: flags come from the environment too, but for those on the command
// line; what is wrong there is said by its name.
func TestServeEnvironment(t *testing.T) {
	t.Setenv("GROUPVIT_MAX_IMAGES", "3")
	t.Setenv("GROUPVIT_MAX_LABELS", "7")
	t.Setenv("GROUPVIT_ALLOW_ORIGIN", "https://a.example,https://b.example")
	t.Setenv("GROUPVIT_LOG_FORMAT", "json")
	address, end := serving(t, "--max-labels", "9")
	r, _ := http.NewRequest("GET", address+"/v1/models", nil)
	r.Header.Set("Origin", "https://b.example")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(a.Body)
	a.Body.Close()
	if err != nil || !strings.Contains(string(b), `"images":3,`) || !strings.Contains(string(b), `"labels":9,`) || a.Header.Get("Access-Control-Allow-Origin") != "https://b.example" {
		t.Errorf("%v, %v, %s", err, a.Header, b)
	}
	code, said := end()
	if id := a.Header.Get("X-Request-Id"); code != exitDone || !strings.Contains(said, `"path":"/v1/models","status":200`) || !strings.Contains(said, id) {
		t.Errorf("exit code %d, request %s: %s", code, id, said)
	}
	t.Setenv("GROUPVIT_QUEUE", "many")
	var stderr strings.Builder
	if code := Main(t.Context(), []string{"serve", "--listen", "127.0.0.1:0"}, strings.NewReader(""), io.Discard, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "$GROUPVIT_QUEUE") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
