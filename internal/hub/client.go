package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/groupvit/groupvit/internal/limits"
)

// Endpoint is the Hub.
const Endpoint = "https://huggingface.co"

// Client downloads models from a Hub into a cache.
type Client struct {
	// Cache is where models land.
	Cache Cache
	// Endpoint is the Hub's address, a mirror's, or a test's.
	Endpoint string
	// Token opens private models; it is sent to the Endpoint alone.
	Token string
	// Offline forbids every request.
	Offline bool
	// Progress, if set, is told of a file's bytes as they arrive.
	Progress func(file string, done, total int64)
	// Quiet is how long nothing may arrive before a connection counts as cut.
	Quiet time.Duration
	// Tries is how often a file is begun or continued without a byte arriving
	// in between.
	Tries int
	// Pause is waited before the second try, doubled before each further one.
	Pause time.Duration

	transport http.RoundTripper
}

// FromEnvironment returns a client as the Hub's own ones are set up:
// HF_ENDPOINT, HF_TOKEN (else the file at HF_TOKEN_PATH, else HF_HOME/token),
// HF_HUB_OFFLINE, and the cache of [DefaultCache].
func FromEnvironment() (*Client, error) {
	cache, err := DefaultCache()
	if err != nil {
		return nil, err
	}
	c := &Client{Cache: cache, Endpoint: Endpoint, Offline: truth(os.Getenv("HF_HUB_OFFLINE")),
		Quiet: 30 * time.Second, Tries: 5, Pause: time.Second}
	if e := os.Getenv("HF_ENDPOINT"); e != "" {
		u, err := url.Parse(e)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, fmt.Errorf("HF_ENDPOINT is %q: give an address such as %s", e, Endpoint)
		}
		c.Endpoint = strings.TrimRight(e, "/")
	}
	c.Token, err = token()
	return c, err
}

// truth reads an environment variable as huggingface_hub does.
func truth(s string) bool {
	switch strings.ToUpper(s) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// token is the user's token, "" without one.
func token() (string, error) {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if t := strings.TrimSpace(os.Getenv(name)); t != "" {
			return t, nil
		}
	}
	path := expand(os.Getenv("HF_TOKEN_PATH"))
	if path == "" {
		dir, err := home()
		if err != nil {
			return "", nil // no folder, no token
		}
		path = filepath.Join(dir, "token")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", nil // most people have none
	}
	if len(b) > 4096 {
		return "", fmt.Errorf("%s is no token: it has %d bytes", path, len(b))
	}
	return strings.TrimSpace(string(b)), nil
}

// httpClient makes requests that end when nothing arrives, and sends the token
// on to no other host when it is redirected.
func (c *Client) httpClient() *http.Client {
	if c.transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = c.Quiet
		t.DialContext = (&net.Dialer{Timeout: c.Quiet}).DialContext
		c.transport = t
	}
	return &http.Client{Transport: c.transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return fmt.Errorf("%w: it redirected %d times", ErrRefused, len(via))
		}
		if req.URL.Host != via[0].URL.Host {
			req.Header.Del("Authorization")
		}
		return nil
	}}
}

// get asks for a path of the Hub; from > 0 asks for the bytes from there on.
// Answers other than 200 and 206 are errors that wrap [ErrRefused].
func (c *Client) get(ctx context.Context, path string, from int64) (*http.Response, error) {
	req, err := c.request(ctx, http.MethodGet, path)
	if err != nil {
		return nil, err
	}
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	return c.do(c.httpClient(), req, http.StatusOK, http.StatusPartialContent)
}

// head asks for the headers of a path; a redirect that follow stops at is an answer.
func (c *Client) head(ctx context.Context, path string, follow func(*http.Request, []*http.Request) error) (*http.Response, error) {
	req, err := c.request(ctx, http.MethodHead, path)
	if err != nil {
		return nil, err
	}
	client := c.httpClient()
	client.CheckRedirect = follow
	return c.do(client, req, http.StatusOK, http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect)
}

func (c *Client) request(ctx context.Context, method, path string) (*http.Request, error) {
	if c.Offline {
		return nil, fmt.Errorf("%w: unset it to fetch models", ErrOffline)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Endpoint+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "groupvit")
	req.Header.Set("Accept-Encoding", "identity") // lengths and ranges count bytes of the file
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return req, nil
}

// do sends a request; an answer of any other status is an error.
func (c *Client) do(client *http.Client, req *http.Request, good ...int) (*http.Response, error) {
	resp, err := client.Do(req)
	if err != nil || slices.Contains(good, resp.StatusCode) {
		return resp, err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return nil, &refusal{status: resp.StatusCode, path: req.URL.Path, said: refusalText(resp, said), token: c.Token != ""}
}

// refusal is an answer that is none.
type refusal struct {
	status     int
	path, said string
	token      bool
}

func (r *refusal) Unwrap() error { return ErrRefused }

func (r *refusal) Error() string {
	s := fmt.Sprintf("%v: %s: %d %s", ErrRefused, r.path, r.status, http.StatusText(r.status))
	if r.said != "" {
		s += ": " + r.said
	}
	switch {
	case (r.status == http.StatusUnauthorized || r.status == http.StatusNotFound) && !r.token:
		s += "; check the name; a private model needs a token (HF_TOKEN)"
	case r.status == http.StatusForbidden || r.status == http.StatusUnauthorized:
		s += "; the token (HF_TOKEN) gives no access: accept the model's terms on its page, or use another token"
	case r.status == http.StatusNotFound:
		s += "; check the name and the revision"
	}
	return s
}

// passing tells whether the same request may succeed a little later.
func (r *refusal) passing() bool {
	return r.status == http.StatusTooManyRequests || r.status == http.StatusRequestTimeout || r.status >= 500
}

// refusalText is what the Hub says of an error: a header, else JSON.
func refusalText(resp *http.Response, body []byte) string {
	if s := resp.Header.Get("X-Error-Message"); s != "" {
		return printable(s)
	}
	var e struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &e) == nil {
		return printable(e.Error)
	}
	return ""
}

// info is what the Hub says of a model at a revision.
type info struct {
	Commit string `json:"sha"`
	Files  []file `json:"siblings"`
	Card   struct {
		License any    `json:"license"`
		Name    string `json:"license_name"`
		Link    string `json:"license_link"`
	} `json:"cardData"`
}

// file is one file of a model.
type file struct {
	Name string `json:"rfilename"`
	Size int64  `json:"size"`
	// Blob is the Git hash of a small file.
	Blob string `json:"blobId"`
	// LFS tells of a large one.
	LFS *lfs `json:"lfs"`

	// tag names the blob of a file of which nobody gives a hash.
	tag string
}

// lfs is what the Hub says of a large file.
type lfs struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// infoBytes is the longest answer that is read.
const infoBytes = 16 << 20

// info asks what a model has.
func (c *Client) info(ctx context.Context, r Ref) (*info, error) {
	resp, err := c.again(ctx, func() (*http.Response, error) {
		return c.get(ctx, "/api/models/"+r.ID()+"/revision/"+url.PathEscape(r.Revision)+"?blobs=true", 0)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, infoBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r, err)
	}
	if err := limits.Check("the list of files in bytes", r.String(), int64(len(b)), infoBytes, "it is no GroupViT"); err != nil {
		return nil, err
	}
	in, err := parseInfo(r, b)
	if errors.Is(err, errNoCommit) {
		return c.commitOf(ctx, r, in, err)
	}
	return in, err
}

// errNoCommit is wrapped where a list of files does not say of which commit it is.
var errNoCommit = errors.New("the list of files names no commit")

// commitOf asks the answer of a file which commit it is of, for a list that does not
// say it.
func (c *Client) commitOf(ctx context.Context, r Ref, in *info, missing error) (*info, error) {
	d, err := c.describe(ctx, "/"+r.ID()+"/resolve/"+url.PathEscape(r.Revision)+"/config.json")
	if err != nil || !isCommit(d.commit) {
		return nil, missing
	}
	in.Commit = d.commit
	return in, nil
}

// parseInfo reads what the Hub says of a model.
func parseInfo(r Ref, b []byte) (*info, error) {
	in := new(info)
	if err := json.Unmarshal(b, in); err != nil {
		return nil, fmt.Errorf("%s: %w: its list of files: %w", r, ErrRefused, err)
	}
	if !isCommit(in.Commit) {
		return in, fmt.Errorf("%s: %w: %w", r, ErrRefused, errNoCommit)
	}
	return in, nil
}

// again repeats a request that failed for reasons that pass.
func (c *Client) again(ctx context.Context, ask func() (*http.Response, error)) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := ask()
		if err == nil || !passes(err) || try >= c.Tries {
			return resp, err
		}
		if err := c.wait(ctx, try); err != nil {
			return nil, err
		}
	}
}

// wait pauses before a further try.
func (c *Client) wait(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(c.Pause << min(try-1, 5)):
		return nil
	}
}

// passes tells whether an error may be gone a little later.
func passes(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrOffline) {
		return false
	}
	if r := (*refusal)(nil); errors.As(err, &r) {
		return r.passing()
	}
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return false
	}
	return true
}
