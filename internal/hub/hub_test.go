package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/hub/hubtest"
	"github.com/groupvit/groupvit/internal/limits"
)

func TestParse(t *testing.T) {
	for _, s := range []string{"nvidia/groupvit-gcc-yfcc", "a/b@v1.0", "a/b@refs/pr/3", "A_b/c.d@" + hubtest.Commit} {
		r, err := Parse(s)
		if err != nil || r.String() != s {
			t.Errorf("%s: %v, %v", s, r, err)
		}
	}
	for _, s := range []string{"", "a", "a/b/c", "/b", "a/", "../b", "a/..", "a/b@", "a/b@../x", "a/b@x/", "a/b@x//y", "a--b/c", "a/b c", "-a/b", "a/b@\x00", strings.Repeat("a", 97) + "/b"} {
		if r, err := Parse(s); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v, %v", s, r, err)
		}
	}
}

func client(t *testing.T, h *hubtest.Hub) *Client {
	return &Client{Cache: Cache{Dir: t.TempDir()}, Endpoint: h.URL, Token: h.Token, Quiet: 2 * time.Second, Tries: 3, Pause: time.Millisecond}
}

func pull(t *testing.T, c *Client) (Model, error) {
	t.Helper()
	r, err := Parse("nvidia/tiny")
	if err != nil {
		t.Fatal(err)
	}
	return c.Pull(context.Background(), r)
}

// wantWhole checks the files of a model against the Hub's.
func wantWhole(t *testing.T, h *hubtest.Hub, m Model) {
	t.Helper()
	for _, name := range []string{"config.json", "README.md", "vocab.json", "eval.json", "model.safetensors"} {
		b, err := os.ReadFile(filepath.Join(m.Dir, name))
		if err != nil || !bytes.Equal(b, h.Files[name]) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	for _, name := range []string{"tf_model.h5", "code", "evil.py"} {
		if _, err := os.Stat(filepath.Join(m.Dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was fetched: %v", name, err)
		}
	}
}

func TestPull(t *testing.T) {
	h := hubtest.New(t)
	h.Token = "secret"
	c := client(t, h)
	var last int64
	c.Progress = func(file string, done, total int64) {
		if file == safetensorsFile {
			last = done
		}
	}
	m, err := pull(t, c)
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, h, m)
	if m.Commit != hubtest.Commit || m.License != "nvidia-source (https://example.org/license)" || last != 300_000 || m.Bytes < 300_000 {
		t.Errorf("%+v, progress %d", m, last)
	}
	if h.Leaked {
		t.Error("the token went to another host")
	}
	// A second pull asks for the list alone; offline none is asked.
	if _, err := pull(t, c); err != nil || h.Sent[safetensorsFile] != 1 {
		t.Errorf("%v, sent %v", err, h.Sent)
	}
	c.Offline = true
	h.Server.Close()
	if again, err := pull(t, c); err != nil || again.Dir != m.Dir {
		t.Errorf("offline: %q, %v, want %q", again.Dir, err, m.Dir)
	}
	list, err := c.Cache.List()
	if err != nil || len(list) != 1 || list[0].Ref.String() != "nvidia/tiny" {
		t.Errorf("the cache lists %v, %v, want nvidia/tiny", list, err)
	}
	freed, err := c.Cache.Remove(m.Ref)
	if err != nil || freed < 300_000 {
		t.Errorf("freed %d, %v", freed, err)
	}
	if _, err := c.Cache.Find(m.Ref); !errors.Is(err, ErrNotCached) {
		t.Error(err)
	}
	if _, err := pull(t, c); !errors.Is(err, ErrOffline) || !errors.Is(err, ErrNotCached) {
		t.Error(err)
	}
	if _, err := c.Cache.Remove(m.Ref); !errors.Is(err, ErrNotCached) {
		t.Error(err)
	}
}

// The cache is the one of huggingface_hub: names, links, refs.
func TestLayout(t *testing.T) {
	h := hubtest.New(t)
	c := client(t, h)
	if _, err := pull(t, c); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(c.Cache.Dir, "models--nvidia--tiny")
	if b, err := os.ReadFile(filepath.Join(root, "refs", "main")); err != nil || string(b) != hubtest.Commit {
		t.Errorf("refs/main: %q, %v", b, err)
	}
	target, err := os.Readlink(filepath.Join(root, "snapshots", hubtest.Commit, "model.safetensors"))
	if err != nil || !strings.HasPrefix(filepath.ToSlash(target), "../../blobs/") || len(filepath.Base(target)) != 64 {
		t.Errorf("%q, %v", target, err)
	}
	left, err := filepath.Glob(filepath.Join(root, "blobs", "*.incomplete"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A connection that is cut again and again costs no byte twice.
func TestCutConnections(t *testing.T) {
	h := hubtest.New(t)
	h.Cut = 70_000
	m, err := pull(t, client(t, h))
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, h, m)
	if len(h.Ranges) < 4 || !strings.HasPrefix(h.Ranges[0], "model.safetensors bytes=") {
		t.Errorf("asked for %v", h.Ranges)
	}
}

// What a killed run left is gone on with, by the next one.
func TestResume(t *testing.T) {
	h := hubtest.New(t)
	c := client(t, h)
	ctx, cancel := context.WithCancel(context.Background())
	c.Progress = func(file string, done, _ int64) {
		if file == safetensorsFile && done > 100_000 {
			cancel()
		}
	}
	h.Cut = 150_000
	r, _ := Parse("nvidia/tiny")
	if _, err := c.Pull(ctx, r); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := c.Cache.Find(r); !errors.Is(err, ErrNotCached) {
		t.Errorf("half a model counts: %v", err)
	}
	h.Cut, c.Progress = 0, nil
	m, err := pull(t, c)
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, h, m)
	if len(h.Ranges) != 1 {
		t.Errorf("asked for %v", h.Ranges)
	}
}

func TestNoRanges(t *testing.T) {
	h := hubtest.New(t)
	h.NoRanges = true
	c := client(t, h)
	part := filepath.Join(c.Cache.Dir, "models--nvidia--tiny", "blobs")
	if err := os.MkdirAll(part, 0o777); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(h.Files[safetensorsFile])
	f := file{LFS: &lfs{SHA256: hex.EncodeToString(digest[:])}}
	etag, _ := f.etag()
	if err := os.WriteFile(filepath.Join(part, etag+".incomplete"), []byte("something else"), 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := pull(t, c)
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, h, m)
}

func TestDamage(t *testing.T) {
	for _, name := range []string{"model.safetensors", "config.json"} {
		h := hubtest.New(t)
		h.Damage = name
		c := client(t, h)
		if _, err := pull(t, c); !errors.Is(err, ErrHash) {
			t.Errorf("%s: %v", name, err)
		}
		h.Damage = ""
		m, err := pull(t, c)
		if err != nil {
			t.Fatal(err)
		}
		wantWhole(t, h, m)
	}
}

func TestRefusals(t *testing.T) {
	h := hubtest.New(t)
	h.Token = "secret"
	c := client(t, h)
	c.Token = ""
	if _, err := pull(t, c); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "HF_TOKEN") || !strings.Contains(err.Error(), "Invalid credentials") {
		t.Error(err)
	}
	c.Token = "secret"
	other, _ := Parse("nvidia/other")
	if _, err := c.Pull(context.Background(), other); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "check the name") {
		t.Error(err)
	}
	// An overloaded Hub is asked again, and not for ever.
	h.Failing, h.Status = 2, http.StatusServiceUnavailable
	if _, err := pull(t, c); err != nil {
		t.Error(err)
	}
	h.Failing = 1000
	if _, err := pull(t, client(t, h)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "not now") {
		t.Error(err)
	}
}

func TestSilence(t *testing.T) {
	stop := make(chan struct{})
	h := hubtest.New(t)
	h.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.List(w)
			return
		}
		w.Header().Set("Content-Length", "26")
		w.Write([]byte("{"))
		w.(http.Flusher).Flush()
		<-stop
	})
	defer close(stop)
	c := client(t, h)
	c.Quiet, c.Tries = 100*time.Millisecond, 2
	delete(h.Files, "README.md")
	if _, err := pull(t, c); err == nil || !strings.Contains(err.Error(), "nothing arrived") {
		t.Error(err)
	}
}

func TestTwoPulls(t *testing.T) {
	h := hubtest.New(t)
	c := client(t, h)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			m, err := pull(t, &Client{Cache: c.Cache, Endpoint: c.Endpoint, Quiet: c.Quiet, Tries: c.Tries, Pause: c.Pause})
			if err != nil {
				t.Error(err)
				return
			}
			wantWhole(t, h, m)
		})
	}
	all.Wait()
	for name, n := range h.Sent {
		if n != 1 {
			t.Errorf("%s was sent %d times", name, n)
		}
	}
}

// A mirror may leave out hashes, sizes and the commit: the files' own answers have
// them, or the model comes unchecked and says so.
func TestMirrors(t *testing.T) {
	for _, c := range []struct {
		name          string
		bare, noList  bool // no hash and no size; no commit
		etags         string
		wantUnchecked int
	}{
		{"as the Hub", false, false, "", 0},
		{"no hashes, the Hub's ETags", true, false, "linked", 0},
		{"no hashes, no commit", true, true, "linked", 0},
		{"SHA-256 as weak ETags", true, false, "weak", 0},
		{"ETags of another kind", true, false, "other", 5},
		{"no ETags", true, false, "none", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hubtest.New(t)
			h.Token, h.Bare, h.NoCommit, h.ETags = "secret", c.bare, c.noList, c.etags
			h.Files[safetensorsFile] = append([]byte{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, h.Files[safetensorsFile]...)
			m, err := pull(t, client(t, h))
			if err != nil {
				t.Fatal(err)
			}
			wantWhole(t, h, m)
			if m.Commit != hubtest.Commit || len(m.Unchecked) != c.wantUnchecked {
				t.Errorf("commit %s, unchecked %v, want %d", m.Commit, m.Unchecked, c.wantUnchecked)
			}
			if h.Leaked {
				t.Error("the token went to another host")
			}
			h = hubtest.New(t)
			h.Bare, h.ETags, h.Damage = c.bare, c.etags, "config.json"
			if _, err := pull(t, client(t, h)); c.wantUnchecked == 0 && !errors.Is(err, ErrHash) {
				t.Errorf("damaged: %v", err)
			}
		})
	}
	h := hubtest.New(t)
	h.Bare, h.ETags = true, "none"
	h.Files[safetensorsFile] = []byte("<!doctype html><title>Sign in</title>")
	if _, err := pull(t, client(t, h)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("a page in the place of the weights: %v", err)
	}
}

// Weights in several files are fetched by their index.
func TestPullParts(t *testing.T) {
	h := hubtest.New(t)
	delete(h.Files, safetensorsFile)
	h.Files["model.safetensors.index.json"] = []byte(`{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}`)
	h.Files["model-00001-of-00002.safetensors"] = []byte("first")
	if _, err := pull(t, client(t, h)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "all of its parts") {
		t.Errorf("a part is missing: %v", err)
	}
	h.Files["model-00002-of-00002.safetensors"] = []byte("second")
	m, err := pull(t, client(t, h))
	if err != nil {
		t.Fatal(err)
	}
	for name := range h.Files {
		b, err := os.ReadFile(filepath.Join(m.Dir, name))
		if strings.HasPrefix(name, "model") && (err != nil || string(b) != string(h.Files[name])) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// A snapshot is found without refs where no name is left to tell it by, by the
// beginning of its commit, and in a folder that is named as a path.
func TestSnapshotsWithoutRefs(t *testing.T) {
	h := hubtest.New(t)
	c := client(t, h)
	if _, err := pull(t, c); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(c.Cache.Dir, "models--nvidia--tiny")
	if err := os.RemoveAll(filepath.Join(root, "refs")); err != nil {
		t.Fatal(err)
	}
	snapshot := filepath.Join(root, "snapshots", hubtest.Commit)
	for _, name := range []string{"nvidia/tiny", "nvidia/tiny@" + hubtest.Commit[:7], "nvidia/tiny@" + hubtest.Commit} {
		r, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := c.Cache.Find(r); err != nil || m.Dir != snapshot {
			t.Errorf("%s: %q, %v", name, m.Dir, err)
		}
	}
	if got, err := Locate(root); err != nil || got != snapshot {
		t.Errorf("the folder: %q, %v", got, err)
	}
	if got, err := Locate(snapshot); err != nil || got != snapshot {
		t.Errorf("the snapshot: %q, %v", got, err)
	}
	// Two, and nothing that says which is main.
	second := filepath.Join(root, "snapshots", strings.Repeat("ab", 20))
	if err := os.CopyFS(second, os.DirFS(snapshot)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Cache.Find(Ref{Owner: "nvidia", Name: "tiny", Revision: Main})
	if !errors.Is(err, ErrNotCached) || !strings.Contains(err.Error(), "nvidia/tiny@"+strings.Repeat("ab", 20)) {
		t.Errorf("two snapshots: %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "refs"), nil, 0o644); err != nil { // no folder
		t.Fatal(err)
	}
	if _, err := c.Cache.Find(Ref{Owner: "nvidia", Name: "tiny", Revision: "v2"}); err == nil {
		t.Error("a revision that is not there was found")
	}
	// One of the links leads nowhere.
	if err := errors.Join(os.Remove(filepath.Join(root, "refs")), os.RemoveAll(second), os.RemoveAll(filepath.Join(root, "blobs"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Locate(root); !errors.Is(err, ErrNotCached) {
		t.Errorf("a snapshot of dead links: %v", err)
	}
}

func TestHostileLists(t *testing.T) {
	for name, answer := range map[string]string{
		"no JSON": "<html>", "no commit": `{"sha": "main", "siblings": []}`, "no files": `{"sha": "` + hubtest.Commit + `"}`,
		"no hash":  `{"sha": "` + hubtest.Commit + `", "siblings": [{"rfilename": "config.json", "size": 3, "blobId": "../../x"}, {"rfilename": "pytorch_model.bin"}]}`,
		"endless":  `{"sha": "` + hubtest.Commit + `", "siblings": [{"rfilename": "config.json", "size": 3, "blobId": "` + hubtest.Commit + `"}, {"rfilename": "model.safetensors", "lfs": {"size": 99999999999999}}]}`,
		"negative": `{"sha": "` + hubtest.Commit + `", "siblings": [{"rfilename": "config.json", "size": -3, "blobId": "` + hubtest.Commit + `"}, {"rfilename": "model.safetensors"}]}`,
	} {
		h := hubtest.New(t)
		h.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(answer)) })
		_, err := pull(t, client(t, h))
		if !errors.Is(err, ErrRefused) && !errors.Is(err, limits.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", dir)
	t.Setenv("USERPROFILE", dir)
	want := func(cache, endpoint, token string, offline bool) {
		t.Helper()
		c, err := FromEnvironment()
		if err != nil {
			t.Error(err)
			return
		}
		got, want := []any{c.Cache.Dir, c.Endpoint, c.Token, c.Offline}, []any{cache, endpoint, token, offline}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("cache, endpoint, token, offline (-want +got)\n%s", d)
		}
	}
	want(filepath.Join(dir, ".cache", "huggingface", "hub"), Endpoint, "", false)
	t.Setenv("XDG_CACHE_HOME", "~/x")
	want(filepath.Join(dir, "x", "huggingface", "hub"), Endpoint, "", false)
	t.Setenv("HF_HOME", filepath.Join(dir, "h"))
	if err := os.MkdirAll(filepath.Join(dir, "h"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "h", "token"), []byte("hf_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HF_ENDPOINT", "http://mirror.example/")
	want(filepath.Join(dir, "h", "hub"), "http://mirror.example", "hf_file", false)
	t.Setenv("HF_TOKEN", "hf_env")
	t.Setenv("HF_HUB_CACHE", filepath.Join(dir, "c"))
	t.Setenv("HF_HUB_OFFLINE", "true")
	want(filepath.Join(dir, "c"), "http://mirror.example", "hf_env", true)
	t.Setenv("HF_ENDPOINT", "mirror")
	if _, err := FromEnvironment(); err == nil {
		t.Error("a mirror without a scheme")
	}
}

func TestLicense(t *testing.T) {
	for card, want := range map[string]string{
		"---\nlicense: mit\n---\n":                              "mit",
		"---\r\nlicense: [mit, apache-2.0]\r\n---\r\n":          "mit, apache-2.0",
		"---\nlicense: other\nlicense_name: x\n---\n":           "x",
		"# no front matter\nlicense: mit\n":                     "",
		"---\nlicense: mit\n":                                   "",
		"---\nlicense: {a: 1}\n---\n":                           "",
		"---\nlicense: \"a\\e[2Jb\"\n---\n":                     "a[2Jb",
		"---\nlicense: mit\nlicense_link: http://x.y\n---\n":    "mit (http://x.y)",
		"---\nlicense: " + strings.Repeat("é", 400) + "\n---\n": strings.Repeat("é", 150),
	} {
		if got := parseLicense([]byte(card)); got != want {
			t.Errorf("%q: %q, want %q", card, got, want)
		}
	}
}

func FuzzCard(f *testing.F) {
	f.Add([]byte("---\nlicense: mit\n---\n"))
	f.Add([]byte("---\na: &a [*a]\n---\n"))
	f.Fuzz(func(t *testing.T, card []byte) {
		if got := parseLicense(card); len(got) > 300 || strings.ContainsAny(got, "\n\x1b") {
			t.Errorf("%q", got)
		}
	})
}

// FuzzInfo: whatever a Hub says of a model, only files of known names and sizes are
// fetched, into places below the cache, under a hash.
func FuzzInfo(f *testing.F) {
	const sha, sha256 = "0123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	f.Add([]byte(`{"sha":"` + sha + `","siblings":[{"rfilename":"config.json","size":9,"blobId":"` + sha + `"},{"rfilename":"../x.json","size":1,"blobId":"` + sha + `"},
		{"rfilename":"eval.json","size":1,"blobId":"x"},{"rfilename":"model.safetensors","size":9,"lfs":{"sha256":"` + sha256 + `","size":99}}],
		"cardData":{"license":"other","license_name":"x","license_link":"y"}}`))
	f.Add([]byte(`{"sha":"` + sha + `","siblings":[{"rfilename":"config.json","size":-1},{"rfilename":"pytorch_model.bin","size":1e18}],"cardData":{"license":["mit",1]}}`))
	f.Add([]byte(`{"sha":"main","siblings":null}`))
	r := Ref{Owner: "a", Name: "b", Revision: "main"}
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := parseInfo(r, b)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if text := licenseText(in.Card.License, in.Card.Name, in.Card.Link); strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("licence %q", text)
		}
		files, err := choose(r, in.Files)
		if err != nil {
			if !errors.Is(err, ErrRefused) && !errors.Is(err, limits.ErrTooLarge) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if len(files) > len(small)+maxFurther+1 {
			t.Errorf("%d files", len(files))
		}
		for _, file := range files {
			if filepath.Base(file.Name) != file.Name || !filepath.IsLocal(file.Name) || file.size() < 0 || file.size() > limits.WeightsBytes {
				t.Errorf("%q has %d bytes", file.Name, file.size())
			}
			if tag, err := file.etag(); err == nil && !hex64.MatchString(tag) && !hex40.MatchString(tag) {
				t.Errorf("%q has the hash %q", file.Name, tag)
			}
		}
	})
}
