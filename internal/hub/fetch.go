package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

var hex64, hex40 = regexp.MustCompile(`^[0-9a-f]{64}$`), regexp.MustCompile(`^[0-9a-f]{40}$`)

// etag is the name of a file's blob: its SHA-256 for a large one, its Git hash
// for a small one, or a tag that is no hash.
func (f file) etag() (string, error) {
	if f.LFS != nil && hex64.MatchString(f.LFS.SHA256) {
		return f.LFS.SHA256, nil
	}
	if f.LFS == nil && hex40.MatchString(f.Blob) {
		return f.Blob, nil
	}
	if f.tag != "" {
		return f.tag, nil
	}
	return "", fmt.Errorf("%w: the list of files gives no hash for it, so it could not be checked", ErrRefused)
}

// hash is what the file's bytes go through to give its etag.
func (f file) hash() hash.Hash {
	if f.LFS != nil {
		return sha256.New()
	}
	h := sha1.New() // Git's, of small files; large ones have SHA-256
	fmt.Fprintf(h, "blob %d\x00", f.Size)
	return h
}

// fetch brings one file of a commit into the cache.
func (c *Client) fetch(ctx context.Context, r Ref, commit string, f file) error {
	etag, err := f.etag()
	if err != nil {
		return err
	}
	root := filepath.Join(c.Cache.Dir, r.folder())
	blob, link := filepath.Join(root, "blobs", etag), filepath.Join(root, "snapshots", commit, f.Name)
	for _, dir := range []string{filepath.Dir(blob), filepath.Dir(link)} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	if hasSize(link, f.size()) {
		return nil
	}
	unlock, err := c.Cache.lock(ctx, r, etag)
	if err != nil {
		return err
	}
	defer unlock()
	if hasSize(link, f.size()) { // another one did it
		return nil
	}
	if !hasSize(blob, f.size()) {
		if err := c.download(ctx, r, commit, f, blob); err != nil {
			return err
		}
	}
	return place(link, blob)
}

// hasSize tells whether a file is there with so many bytes: files get their
// names only when they are whole.
func hasSize(path string, size int64) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

// place puts a file into a snapshot: as a link to its blob, or, where links
// cannot be made (Windows), the blob itself.
func place(link, blob string) error {
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	target, err := filepath.Rel(filepath.Dir(link), blob)
	if err != nil {
		return err
	}
	if os.Symlink(target, link) == nil {
		return nil
	}
	return os.Rename(blob, link)
}

// download brings a blob, beginning where an earlier try was cut.
func (c *Client) download(ctx context.Context, r Ref, commit string, f file, blob string) error {
	part := blob + ".incomplete"
	out, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer out.Close()
	path := "/" + r.ID() + "/resolve/" + commit + "/" + url.PathEscape(f.Name)
	for try := 1; ; try++ {
		before, err := out.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if before > f.size() { // left by something else
			if err := restart(out); err != nil {
				return err
			}
			before = 0
		}
		if before == f.size() {
			break
		}
		if err = c.transfer(ctx, path, f, out, before); err == nil {
			break
		}
		if failed := (*writeError)(nil); errors.As(err, &failed) || !passes(err) {
			return err
		}
		if now, _ := out.Seek(0, io.SeekEnd); now > before {
			try = 0 // it went on: only tries without a byte count
		}
		if try >= c.Tries {
			return fmt.Errorf("%w (tried %d times; the same command goes on where it stopped)", err, try)
		}
		if err := c.wait(ctx, try+1); err != nil {
			return err
		}
	}
	if err := verify(out, f); err != nil {
		os.Remove(part)
		return err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return &writeError{err}
	}
	return os.Rename(part, blob)
}

// restart empties a file.
func restart(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// verify hashes what arrived; where there is no hash to compare with, it sees whether
// that is what its name says.
func verify(out *os.File, f file) error {
	if f.tag != "" {
		return plausible(out, f)
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h := f.hash()
	if _, err := io.Copy(h, out); err != nil {
		return err
	}
	want, err := f.etag()
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%w: its hash is %s, the Hub says %s; the file was thrown away: run the command again, or name another mirror (HF_ENDPOINT)", ErrHash, got, want)
	}
	return nil
}

// writeError is an error of this machine's disk: no further try mends it.
type writeError struct{ err error }

func (e *writeError) Unwrap() error { return e.err }
func (e *writeError) Error() string {
	return fmt.Sprintf("%v: free some room, or move the cache (HF_HOME); the same command goes on where it stopped", e.err)
}

// transfer reads one answer into out, which has the first from bytes.
func (c *Client) transfer(ctx context.Context, path string, f file, out *os.File, from int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, err := c.get(ctx, path, from)
	if err != nil {
		if r := (*refusal)(nil); errors.As(err, &r) && r.status == http.StatusRequestedRangeNotSatisfiable {
			return errors.Join(restart(out), io.ErrUnexpectedEOF)
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK && from > 0 || resp.StatusCode == http.StatusPartialContent && !continues(resp, from) {
		// The server knows no ranges: from the start, then.
		if resp.StatusCode == http.StatusPartialContent {
			return fmt.Errorf("%w: it sent other bytes than those from %d on", ErrRefused, from)
		}
		if err := restart(out); err != nil {
			return err
		}
		from = 0
	}
	// A connection over which nothing comes any more looks like a slow one.
	quiet := time.AfterFunc(c.Quiet, func() { cancel(fmt.Errorf("nothing arrived for %v", c.Quiet)) })
	defer quiet.Stop()
	body := io.LimitReader(resp.Body, f.size()-from+1)
	buffer := make([]byte, 1<<18)
	for done := from; ; {
		n, err := body.Read(buffer)
		if n > 0 {
			quiet.Reset(c.Quiet)
			if done += int64(n); done > f.size() {
				return errors.Join(restart(out), fmt.Errorf("%w: more than the %d bytes that the Hub announced", ErrHash, f.size()))
			}
			if _, err := out.Write(buffer[:n]); err != nil {
				return &writeError{err}
			}
			if c.Progress != nil {
				c.Progress(f.Name, done, f.size())
			}
		}
		switch {
		case err == io.EOF && done < f.size():
			return io.ErrUnexpectedEOF
		case err == io.EOF:
			return nil
		case err != nil && ctx.Err() != nil && context.Cause(ctx) != context.Canceled:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
	}
}

// continues tells whether a partial answer begins where it was asked to.
func continues(resp *http.Response, from int64) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from))
}

// lock waits until nobody else holds a lock of a model. The locks are files
// where the Hub's own clients keep theirs: one for each blob, named by it.
func (c Cache) lock(ctx context.Context, r Ref, name string) (unlock func(), err error) {
	dir := filepath.Join(c.Dir, ".locks", r.folder())
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, name+".lock"))
	if ok, err := l.TryLockContext(ctx, 100*time.Millisecond); !ok || err != nil {
		return nil, fmt.Errorf("%s: somebody else is fetching it: %w", r, err)
	}
	return func() { _ = l.Unlock() }, nil
}
