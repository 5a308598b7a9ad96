package labelstudio

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/limits"
)

var (
	// ErrFetch is wrapped by errors about photos that cannot be fetched.
	ErrFetch = errors.New("the photo cannot be fetched")
	// ErrPhoto is wrapped by errors about addresses that should hold a photo and do
	// not.
	ErrPhoto = errors.New("the address holds no photo")
)

// fetcher gets photos of tasks, from the one Label Studio that it was made for and from
// the storage that this one sends it to.
type fetcher struct {
	from        *url.URL // nil: nothing is fetched
	credentials *credentials
	client      *http.Client
	most        int64
}

// Origin reads the address of a server: a scheme, a host and perhaps a path. Errors wrap
// [groupvit.ErrOption].
func Origin(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("%w: address %q of Label Studio: give one like http://localhost:8080", groupvit.ErrOption, address)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}, nil
}

func newFetcher(o Options) (*fetcher, error) {
	f := &fetcher{credentials: newCredentials(o.Token), most: o.PhotoBytes}
	f.credentials.exchange = f.exchange
	if o.Address == "" {
		return f, nil
	}
	var err error
	if f.from, err = Origin(o.Address); err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: refuseMetadata}
	f.client = &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxConnsPerHost: o.Connections, DisableCompression: true},
		CheckRedirect: f.redirect,
	}
	return f, nil
}

// refuseMetadata refuses link-local addresses, where clouds tell machines their secrets.
func refuseMetadata(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err == nil && at.Addr().Unmap().IsLinkLocalUnicast() {
		return fmt.Errorf("%s is a link-local address", at.Addr())
	}
	return err
}

// photo returns the bytes that an address in a task stands for: a data: address holds
// them, any other must be Label Studio's.
func (f *fetcher) photo(ctx context.Context, address string, task any) ([]byte, error) {
	if strings.HasPrefix(address, "data:") {
		return dataAddress(address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: address %.80q cannot be read", ErrFetch, address)
	}
	if f.from == nil {
		return nil, fmt.Errorf("%w: address %s: this server fetches nothing", ErrFetch, place(u))
	}
	to, other, err := f.resolve(u, address, task)
	if err != nil {
		return nil, err
	}
	data, status, err := f.get(ctx, to)
	if other != nil && (status == http.StatusNotFound || status == http.StatusUnauthorized) {
		data, _, err = f.get(ctx, other)
	}
	return data, err
}

// dataAddress decodes a photo that stands in the address itself, in base64.
func dataAddress(address string) ([]byte, error) {
	_, text, ok := strings.Cut(address, ";base64,")
	data, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		return nil, fmt.Errorf("%w: a data: address that is not base64", ErrPhoto)
	}
	return data, nil
}

// resolve returns where to ask Label Studio for an address of a task, and where else if
// it is not there.
func (f *fetcher) resolve(u *url.URL, address string, task any) (to, other *url.URL, err error) {
	switch u.Scheme {
	case "s3", "gs", "azure-blob":
		number, ok := taskNumber(task)
		if !ok {
			return nil, nil, fmt.Errorf("%w: address %s: its task has no number to ask Label Studio with", ErrFetch, place(u))
		}
		query := url.Values{"fileuri": {base64.URLEncoding.EncodeToString([]byte(address))}}
		return f.at("/tasks/"+number+"/presign/", query.Encode()), nil, nil
	case "":
		if u.Host != "" {
			break // //host/path
		}
		path := "/" + strings.TrimPrefix(u.Path, "/")
		if strings.HasPrefix(path, "/upload/") {
			path = "/data" + path
		}
		if rest, ok := strings.CutPrefix(path, "/data/upload/"); ok {
			other = f.at("/storage-data/uploaded/", url.Values{"filepath": {"upload/" + rest}}.Encode())
		}
		if f.from.Path != "" && strings.HasPrefix(path, f.from.Path+"/") {
			path = strings.TrimPrefix(path, f.from.Path)
		}
		return f.at(path, u.RawQuery), other, nil
	}
	u = f.from.ResolveReference(u)
	if !f.ours(u) || u.User != nil {
		return nil, nil, fmt.Errorf("%w: address %s is not on %s", ErrFetch, place(u), f.from)
	}
	return u, nil, nil
}

// taskNumber is a task's number as it stands in addresses.
func taskNumber(task any) (string, bool) {
	switch n := task.(type) {
	case float64:
		if n >= 0 && n == float64(int64(n)) {
			return fmt.Sprintf("%d", int64(n)), true
		}
	case string:
		if digits.MatchString(n) {
			return n, true
		}
	}
	return "", false
}

var digits = regexp.MustCompile(`^[0-9]{1,18}$`)

// at is an address of Label Studio's.
func (f *fetcher) at(path, query string) *url.URL {
	return &url.URL{Scheme: f.from.Scheme, Host: f.from.Host, Path: f.from.Path + path, RawQuery: query}
}

// ours reports whether an address is on Label Studio's host.
func (f *fetcher) ours(u *url.URL) bool { return u.Scheme == f.from.Scheme && u.Host == f.from.Host }

// storage are Label Studio's addresses that send on to the storage that it signs
// addresses of.
var storage = regexp.MustCompile(`^/((tasks|projects)/\d+/(presign|resolve)|storage-data/uploaded|api/storages/.*presign|api/projects/\d+/file-proxy)/?$`)

// maxRedirects is how often a photo may be elsewhere.
const maxRedirects = 5

// redirect lets Label Studio send us on within its own host, and to a storage where that
// is what its address is for. The token does not go there.
func (f *fetcher) redirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("it is elsewhere again and again")
	}
	last := via[len(via)-1].URL
	switch {
	case f.ours(r.URL):
		if !f.ours(last) {
			r.Header.Del("Authorization") // not for whoever sends us back
		}
		return nil
	case f.ours(last) && storage.MatchString(strings.TrimPrefix(last.Path, f.from.Path)) && (r.URL.Scheme == "http" || r.URL.Scheme == "https") && r.URL.User == nil:
		r.Header.Del("Authorization")
		return nil
	}
	return fmt.Errorf("it points to another address, %s", place(r.URL))
}

// get fetches one address; the status is 0 where there was no answer.
func (f *fetcher) get(ctx context.Context, u *url.URL) (data []byte, status int, err error) {
	for again := false; ; again = true {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %s: %w", ErrFetch, place(u), bare(err))
		}
		header, err := f.credentials.header(ctx, again)
		if err != nil {
			return nil, 0, err
		}
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		answer, err := f.client.Do(r)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %s: %w", ErrFetch, place(u), bare(err))
		}
		if answer.StatusCode == http.StatusUnauthorized && !again && f.credentials.renews() {
			answer.Body.Close()
			continue
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, answer.StatusCode, fmt.Errorf("%w: %s answers %s", ErrFetch, place(answer.Request.URL), answer.Status)
		}
		data, err = io.ReadAll(io.LimitReader(answer.Body, f.most+1))
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %s: %w", ErrFetch, place(u), bare(err))
		}
		return data, answer.StatusCode, limits.Check("size in bytes", u.Path, int64(len(data)), f.most, "make it smaller")
	}
}

// place is an address for people: without what is secret in it, a password or a signed
// query.
func place(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if s := shown.String(); len(s) <= 200 {
		return s
	} else {
		return s[:200] + "…"
	}
}

// bare is an error without the address that net/http puts before it, whose query may be
// signed.
func bare(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
