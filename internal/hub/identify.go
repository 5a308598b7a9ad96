package hub

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// identify completes what a list of files leaves out: mirrors may give neither hash nor
// size there. The file's own answer has them: as X-Linked-Etag and X-Linked-Size of a
// large file, which the Hub keeps elsewhere, else as ETag and Content-Length. An ETag
// that is no hash names the file and checks nothing.
func (c *Client) identify(ctx context.Context, r Ref, commit string, f file) (file, error) {
	if _, err := f.etag(); err == nil {
		return f, nil
	}
	h, err := c.describe(ctx, "/"+r.ID()+"/resolve/"+commit+"/"+url.PathEscape(f.Name))
	if err != nil {
		return f, err
	}
	if h.size < 0 && f.size() <= 0 {
		return f, fmt.Errorf("%w: neither the list of files nor the file's own answer says how long it is: use another mirror (HF_ENDPOINT)", ErrRefused)
	}
	if h.size >= 0 {
		f.Size, f.LFS = h.size, nil
	}
	switch tag := strings.Trim(strings.TrimPrefix(h.etag, "W/"), `"`); {
	case hex64.MatchString(tag):
		f.LFS = &lfs{SHA256: tag, Size: f.Size}
	case hex40.MatchString(tag):
		f.Blob = tag
	case blobName.MatchString(tag):
		f.tag = tag
	default: // none, or one that is no file name
		sum := sha256.Sum256([]byte(commit + "/" + f.Name + "/" + tag))
		f.tag = "unchecked-" + hex.EncodeToString(sum[:])
	}
	return f, nil
}

// blobName is a tag that may be the name of a file.
var blobName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// description is what the headers of a file's answer say: size is −1 where they do not.
type description struct {
	etag, commit string
	size         int64
}

// describe asks for the headers of a path of the Hub. A redirect to where the Hub keeps
// large files has headers of its own, which count first; what they leave out the file's
// answer says, wherever it is.
func (c *Client) describe(ctx context.Context, path string) (description, error) {
	d := description{size: -1}
	for _, follow := range []func(*http.Request, []*http.Request) error{elsewhere, c.httpClient().CheckRedirect} {
		resp, err := c.again(ctx, func() (*http.Response, error) { return c.head(ctx, path, follow) })
		if err != nil {
			return d, err
		}
		resp.Body.Close()
		d.etag, d.commit = cmp.Or(d.etag, resp.Header.Get("X-Linked-Etag")), cmp.Or(d.commit, resp.Header.Get("X-Repo-Commit"))
		if n, err := strconv.ParseInt(resp.Header.Get("X-Linked-Size"), 10, 64); err == nil && n >= 0 {
			d.size = n
		}
		if resp.StatusCode == http.StatusOK {
			if d.size < 0 {
				d.size = resp.ContentLength
			}
			d.etag = cmp.Or(d.etag, resp.Header.Get("ETag"))
			break
		}
		if d.size >= 0 && d.etag != "" {
			break
		}
	}
	return d, nil
}

// elsewhere is the answer to a redirect to another host: it is kept, not followed.
func elsewhere(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return fmt.Errorf("%w: it redirected %d times", ErrRefused, len(via))
	}
	if req.URL.Host != via[0].URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// plausible sees whether a file that nothing can be compared with begins as one of its
// name does: a page in its place, of a sign-in or an error, is not kept.
func plausible(r io.ReaderAt, f file) error {
	b := make([]byte, min(f.size(), limits.ConfigBytes))
	if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
		return err
	}
	good := true
	switch {
	case strings.HasSuffix(f.Name, ".safetensors"):
		good = len(b) > 9 && b[8] == '{' && binary.LittleEndian.Uint64(b) <= uint64(f.size()-8)
	case strings.HasSuffix(f.Name, ".bin"):
		good = bytes.HasPrefix(b, []byte("PK"))
	case f.Name == "config.json":
		good = isGroupViT(bytes.NewReader(b))
	case strings.HasSuffix(f.Name, ".json"):
		good = f.size() > int64(len(b)) || json.Valid(b)
	}
	if !good {
		return fmt.Errorf("%w: what came is no such file (it begins with %.60q), and there is no hash to check it by: use another mirror (HF_ENDPOINT)", ErrRefused, b[:min(len(b), 60)])
	}
	return nil
}
