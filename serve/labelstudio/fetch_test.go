package labelstudio

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/groupvit/groupvit"
)

// jwt makes a JSON Web Token; nobody here checks its signature.
func jwt(kind string, expires time.Time) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{"token_type": kind, "exp": expires.Unix(), "jti": "x"}) + ".c2ln"
}

// studio stands for Label Studio: it gives photos to those with the right header, and
// access tokens for a personal one.
type studio struct {
	*httptest.Server
	storage   *httptest.Server
	header    string // what must be sent
	refresh   string // the personal access token
	exchanges atomic.Int32
	slash     bool // the exchange has a slash at its end
	leaked    atomic.Bool
}

func newStudio(t *testing.T, header string, slash bool) *studio {
	s := &studio{header: header, slash: slash}
	s.storage = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			s.leaked.Store(true)
		}
		if r.URL.Path == "/back" {
			http.Redirect(w, r, s.URL+"/whoami", http.StatusFound)
			return
		}
		fmt.Fprintf(w, "stored %s", r.URL.Path)
	}))
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	t.Cleanup(s.storage.Close)
	return s
}

func (s *studio) serve(w http.ResponseWriter, r *http.Request) {
	exchange := map[bool]string{true: "/api/token/refresh/", false: "/api/token/refresh"}[s.slash]
	if r.URL.Path == exchange && r.Method == http.MethodPost {
		var given struct{ Refresh string }
		json.NewDecoder(r.Body).Decode(&given)
		if given.Refresh != s.refresh {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.exchanges.Add(1)
		s.header = "Bearer " + jwt("access", time.Now().Add(5*time.Minute)) + fmt.Sprint(s.exchanges.Load())
		json.NewEncoder(w).Encode(map[string]string{"access": strings.TrimPrefix(s.header, "Bearer ")})
		return
	}
	if r.URL.Path == "/whoami" { // after a detour over the storage
		fmt.Fprintf(w, "sent %q", r.Header.Get("Authorization"))
		return
	}
	if r.Header.Get("Authorization") != s.header {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.URL.Path {
	case "/data/upload/1/cat.png", "/data/local-files/":
		fmt.Fprintf(w, "photo %s", r.URL)
	case "/moved":
		http.Redirect(w, r, "/data/upload/1/cat.png", http.StatusFound)
	case "/loop":
		http.Redirect(w, r, "/loop", http.StatusFound)
	case "/away":
		http.Redirect(w, r, s.storage.URL+"/secret", http.StatusFound)
	case "/storage-data/uploaded/":
		http.Redirect(w, r, s.storage.URL+"/"+r.URL.Query().Get("filepath")+"?X-Amz-Signature=abc", http.StatusFound)
	case "/tasks/7/presign/":
		uri, _ := base64.URLEncoding.DecodeString(r.URL.Query().Get("fileuri"))
		_, path, _ := strings.Cut(string(uri), "://")
		http.Redirect(w, r, s.storage.URL+"/"+path+"?X-Amz-Signature=abc", http.StatusSeeOther)
	case "/tasks/8/presign/":
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	case "/tasks/9/presign/":
		http.Redirect(w, r, s.storage.URL+"/back", http.StatusFound)
	default:
		http.NotFound(w, r)
	}
}

func (s *studio) backend(t *testing.T, token string) *Backend {
	t.Helper()
	b, err := New(Options{Address: s.URL + "/", Token: token, Connections: 2, PhotoBytes: 1000, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFetch: which addresses of a task are fetched, where from, and what is refused.
func TestFetch(t *testing.T) {
	s := newStudio(t, "Token sesame", true)
	b := s.backend(t, "sesame")
	for _, c := range []struct {
		address string
		task    any
		want    string // empty is a refusal
	}{
		{"/data/upload/1/cat.png", nil, "photo /data/upload/1/cat.png"},
		{"upload/1/cat.png", nil, "photo /data/upload/1/cat.png"},
		{s.URL + "/data/upload/1/cat.png", nil, "photo /data/upload/1/cat.png"},
		{"/data/local-files/?d=a/b.png", nil, "photo /data/local-files/?d=a/b.png"},
		{"/data/upload/2/dog.png", nil, "stored /upload/2/dog.png"}, // uploads kept in a cloud
		{"/moved", nil, "photo /data/upload/1/cat.png"},
		{"s3://bucket/a b/cat.png", 7.0, "stored /bucket/a b/cat.png"},
		{"gs://bucket/cat.png", "7", "stored /bucket/cat.png"},
		{"/tasks/7/presign/?fileuri=czM6Ly9iL2MucG5n", nil, "stored /b/c.png"},
		{"/tasks/9/presign/?fileuri=x", nil, `sent ""`},
		{"s3://bucket/cat.png", nil, ""},
		{"s3://bucket/cat.png", "7/../8", ""},
		{"s3://bucket/cat.png", 8.0, ""},
		{"/away", nil, ""},
		{"/loop", nil, ""},
		{"/none", nil, ""},
		{s.storage.URL + "/cat.png", nil, ""},
		{"//192.0.2.1/x", nil, ""},
		{"file:///etc/passwd", nil, ""},
		{"http://user@" + strings.TrimPrefix(s.URL, "http://") + "/data/upload/1/cat.png", nil, ""},
		{"\x7f", nil, ""},
	} {
		got, err := b.fetch.photo(t.Context(), c.address, c.task)
		if string(got) != c.want && err == nil || (err != nil) != (c.want == "") {
			t.Errorf("%s of task %v gives %q, %v; want %q", c.address, c.task, got, err, c.want)
		}
		if err != nil && !errors.Is(err, ErrFetch) {
			t.Errorf("%s: %v is no %v", c.address, err, ErrFetch)
		}
		if err != nil && strings.Contains(err.Error(), "Signature") {
			t.Errorf("%s: the error tells a signature: %v", c.address, err)
		}
	}
	if s.leaked.Load() {
		t.Error("the token went to the storage")
	}
}

// TestTokens: a legacy token goes as Token, an access token as Bearer, a personal one is
// exchanged, once as long as its access token is good.
func TestTokens(t *testing.T) {
	const address = "/data/upload/1/cat.png"
	access := jwt("access", time.Now().Add(time.Hour))
	for _, c := range []struct{ name, token, header string }{
		{"legacy", "0123456789abcdef", "Token 0123456789abcdef"}, {"access", access, "Bearer " + access}, {"none", "", ""},
	} {
		if _, err := newStudio(t, c.header, true).backend(t, c.token).fetch.photo(t.Context(), address, nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, slash := range []bool{true, false} {
		s := newStudio(t, "-", slash)
		s.refresh = jwt("refresh", time.Now().Add(time.Hour))
		b := s.backend(t, s.refresh)
		for range 3 {
			if _, err := b.fetch.photo(t.Context(), address, nil); err != nil {
				t.Fatalf("slash %v: %v", slash, err)
			}
		}
		if n := s.exchanges.Load(); n != 1 {
			t.Errorf("slash %v: %d exchanges for three photos", slash, n)
		}
		s.header = "Bearer another" // Label Studio was started again
		if _, err := b.fetch.photo(t.Context(), address, nil); err != nil || s.exchanges.Load() != 2 {
			t.Errorf("slash %v: after a refused token %v, %d exchanges", slash, err, s.exchanges.Load())
		}
		b.fetch.credentials.expires = time.Now().Add(time.Second)
		if _, err := b.fetch.photo(t.Context(), address, nil); err != nil || s.exchanges.Load() != 3 {
			t.Errorf("slash %v: near its end %v, %d exchanges", slash, err, s.exchanges.Load())
		}
	}
	for name, token := range map[string]string{"expired": jwt("refresh", time.Now().Add(-time.Hour)), "unknown": jwt("refresh", time.Now().Add(time.Hour))} {
		s := newStudio(t, "-", true)
		_, err := s.backend(t, token).fetch.photo(t.Context(), address, nil)
		if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "make a new one") || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPredict: a prediction a task, none for none, and an undefined key.
func TestPredict(t *testing.T) {
	b, err := New(Options{
		PhotoBytes: 1000, Log: slog.New(slog.DiscardHandler), Version: "v", Describe: func(err error) string { return err.Error() },
		Segment: func(_ context.Context, _ string, photo []byte, labels []string) (*groupvit.Segmentation, error) {
			if string(photo) != "photo" {
				return nil, io.ErrUnexpectedEOF
			}
			return &groupvit.Segmentation{Labels: labels}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	data := func(key, text string) Task {
		return Task{ID: 1, Data: map[string]any{key: "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(text))}}
	}
	config := brushes(`<Label value="Cat" predicted_values="cat"/>`)
	for _, c := range []struct {
		name  string
		tasks []Task
		want  string
	}{
		{"none", []Task{}, `{"results":[],"model_version":"v"}`},
		{"one", []Task{data("photo", "photo")}, `{"results":[{"result":[],"score":0,"model_version":"v"}],"model_version":"v"}`},
		{"imported before the labels", []Task{data("$undefined$", "photo")}, `{"results":[{"result":[],"score":0,"model_version":"v"}],"model_version":"v"}`},
		{"one of two bad", []Task{data("photo", "none"), data("photo", "photo")}, `{"results":[{"result":[],"score":0,"model_version":"v","error":"unexpected EOF"},{"result":[],"score":0,"model_version":"v"}],"model_version":"v"}`},
	} {
		out, err := b.Predict(t.Context(), Request{c.tasks, config})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got, _ := json.Marshal(out); string(got) != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	for want, tasks := range map[error][]Task{io.ErrUnexpectedEOF: {data("photo", "none")}, ErrTask: {data("other", "photo")}, ErrFetch: {{Data: map[string]any{"photo": "/x"}}}, ErrPhoto: {{Data: map[string]any{"photo": "data:x"}}}} {
		if _, err := b.Predict(t.Context(), Request{tasks, config}); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// FuzzTask: what Label Studio sends of a task is read or refused, and nothing is fetched
// without its address.
func FuzzTask(f *testing.F) {
	f.Add([]byte(`{"id":1,"data":{"image":"data:image/png;base64,AAAA"}}`))
	f.Add([]byte(`{"id":{"a":[1]},"data":{"image":"http://127.0.0.1/x.png"}}`))
	f.Add([]byte(`{"data":{"image":"data:;base64,===="}}`))
	f.Add([]byte(`{"id":3,"data":{"image":"s3://bucket/x.png"}}`))
	b, err := New(Options{PhotoBytes: 4096})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var task Task
		if json.Unmarshal(body, &task) != nil {
			return
		}
		address, _ := task.Data["image"].(string)
		data, err := b.fetch.photo(t.Context(), address, task.ID)
		if err == nil && !strings.HasPrefix(address, "data:") {
			t.Errorf("%q gave %d bytes", address, len(data))
		}
		if err != nil && !errors.Is(err, ErrFetch) && !errors.Is(err, ErrPhoto) {
			t.Error(err)
		}
	})
}
