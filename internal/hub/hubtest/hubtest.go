// Package hubtest is a stand-in for the Hugging Face Hub on this machine, for
// tests: the part of its API that fetching a model needs, with the faults that
// networks have.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Commit is the commit of the one model, nvidia/tiny.
const Commit = "0123456789abcdef0123456789abcdef01234567"

// Hub serves the list of files, and files in ranges, the large ones from another
// host. Its fields are to be set between requests.
type Hub struct {
	*httptest.Server
	// storage is the other host, where large files lie.
	storage *httptest.Server
	// Files of the model; Token, if set, is asked for.
	Files map[string][]byte
	Token string

	mutex sync.Mutex
	// Sent counts the answers that carried bytes of a file.
	Sent map[string]int
	// Ranges notes what was asked for with Range.
	Ranges []string
	// Cut ends each answer after so many bytes; 0 never does.
	Cut int
	// NoRanges ignores Range; Damage names a file of which a byte is changed.
	NoRanges bool
	Damage   string
	// Failing is how many answers have the status Status.
	Failing, Status int
	// Bare leaves sizes and hashes out of the list, NoCommit the commit. ETags are
	// "linked" (as the Hub's), "weak" (SHA-256), "other" (no hash) or "none".
	Bare, NoCommit bool
	ETags          string
	// Leaked tells that the other host was sent the token.
	Leaked bool
}

// large tells which files the Hub keeps elsewhere.
func large(name string) bool { return name == "model.safetensors" || name == "pytorch_model.bin" }

// New starts a Hub that ends with the test.
func New(t *testing.T) *Hub {
	h := &Hub{Sent: map[string]int{}, Files: map[string][]byte{
		"config.json":       []byte(`{"model_type": "groupvit"}`),
		"README.md":         []byte("---\nlicense: other\nlicense_name: nvidia-source\nlicense_link: https://example.org/license\n---\n# Model\n"),
		"vocab.json":        []byte(`{"a": 0}`),
		"eval.json":         []byte(`{}`),
		"model.safetensors": bytes.Repeat([]byte("0123456789"), 30_000),
		"tf_model.h5":       []byte("not wanted"),
		"code/evil.py":      []byte("not wanted either"),
	}}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	h.storage = httptest.NewServer(http.HandlerFunc(h.store))
	t.Cleanup(h.Server.Close)
	t.Cleanup(h.storage.Close)
	return h
}

func (h *Hub) serve(w http.ResponseWriter, r *http.Request) {
	h.mutex.Lock()
	failing := h.Failing > 0
	h.Failing--
	h.mutex.Unlock()
	switch {
	case failing:
		http.Error(w, `{"error": "not now"}`, h.Status)
	case h.Token != "" && r.Header.Get("Authorization") != "Bearer "+h.Token:
		w.Header().Set("X-Error-Message", "Invalid credentials")
		w.WriteHeader(http.StatusUnauthorized)
	case strings.HasPrefix(r.URL.Path, "/api/models/nvidia/tiny/revision/"):
		h.List(w)
	case strings.HasPrefix(r.URL.Path, "/nvidia/tiny/resolve/"+Commit+"/"), r.URL.Path == "/nvidia/tiny/resolve/main/config.json":
		name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if h.ETags == "linked" {
			h.tag(w, name)
		}
		if large(name) {
			http.Redirect(w, r, h.storage.URL+"/"+name, http.StatusFound)
			return
		}
		h.send(w, r, name)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// List answers with the model's files.
func (h *Hub) List(w http.ResponseWriter) {
	var siblings []map[string]any
	for name, b := range h.Files {
		s := map[string]any{"rfilename": name, "size": len(b)}
		git := sha1.Sum(append([]byte(fmt.Sprintf("blob %d\x00", len(b))), b...))
		s["blobId"] = hex.EncodeToString(git[:])
		if large(name) {
			sum := sha256.Sum256(b)
			s["lfs"] = map[string]any{"sha256": hex.EncodeToString(sum[:]), "size": len(b), "pointerSize": 134}
		}
		if h.Bare {
			s = map[string]any{"rfilename": name}
		}
		siblings = append(siblings, s)
	}
	list := map[string]any{"sha": Commit, "siblings": siblings}
	if h.NoCommit {
		delete(list, "sha")
	}
	json.NewEncoder(w).Encode(list)
}

// tag sets the headers that the Hub's answer for a file has.
func (h *Hub) tag(w http.ResponseWriter, name string) {
	b := h.Files[name]
	w.Header().Set("X-Repo-Commit", Commit)
	if large(name) {
		w.Header().Set("X-Linked-Etag", fmt.Sprintf(`"%x"`, sha256.Sum256(b)))
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(b)))
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha1.Sum(append([]byte(fmt.Sprintf("blob %d\x00", len(b))), b...))))
}

// store is the host of large files, which must never see the token.
func (h *Hub) store(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		h.mutex.Lock()
		h.Leaked = true
		h.mutex.Unlock()
	}
	h.send(w, r, strings.TrimPrefix(r.URL.Path, "/"))
}

func (h *Hub) send(w http.ResponseWriter, r *http.Request, name string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	b := bytes.Clone(h.Files[name])
	switch h.ETags {
	case "weak":
		w.Header().Set("ETag", fmt.Sprintf(`W/"%x"`, sha256.Sum256(b)))
	case "other":
		w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, len(b), len(b)))
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		return
	}
	h.Sent[name]++
	if h.Damage == name {
		b[len(b)/2] ^= 1
	}
	from := 0
	if ask := r.Header.Get("Range"); ask != "" {
		h.Ranges = append(h.Ranges, name+" "+ask)
		if !h.NoRanges {
			from, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(ask, "bytes="), "-"))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(b)-1, len(b)))
			w.Header().Set("Content-Length", strconv.Itoa(len(b)-from))
			w.WriteHeader(http.StatusPartialContent)
		}
	}
	if from == 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	}
	b = b[from:]
	if h.Cut > 0 && len(b) > h.Cut {
		w.Write(b[:h.Cut])
		panic(http.ErrAbortHandler)
	}
	w.Write(b)
}
