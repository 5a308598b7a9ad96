package serve

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// studio fetches photographs of Label Studio's tasks, from the one address that
// the server was started with.
type studio struct {
	from   *url.URL // nil: nothing is fetched
	token  string
	client *http.Client
}

func newStudio(o Options) (*studio, error) {
	s := &studio{token: o.LabelStudioToken}
	if o.LabelStudio == "" {
		return s, nil
	}
	var err error
	if s.from, err = origin(o.LabelStudio); err != nil {
		return nil, err
	}
	s.client = &http.Client{
		Transport: &http.Transport{MaxConnsPerHost: o.Workers, DisableCompression: true},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			return errors.New("it points to another address, " + r.URL.Redacted())
		},
	}
	return s, nil
}

// photo returns the bytes that an address in a task stands for: a data: address
// holds them, any other must be on the server's Label Studio.
func (s *studio) photo(ctx context.Context, address string, most int64) ([]byte, error) {
	if rest, ok := strings.CutPrefix(address, "data:"); ok {
		_, text, ok := strings.Cut(rest, ";base64,")
		data, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return nil, kindPhoto.because("a data: address that is not base64")
		}
		return data, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, kindUpstream.because("address %.80q cannot be read", address)
	}
	if s.from == nil {
		return nil, kindUpstream.because("address %.80q: this server fetches nothing", address)
	}
	u = s.from.ResolveReference(u)
	if u.Scheme != s.from.Scheme || u.Host != s.from.Host || u.User != nil {
		return nil, kindUpstream.because("address %.80q is not on %s", address, s.from)
	}
	return s.fetch(ctx, u, most)
}

func (s *studio) fetch(ctx context.Context, u *url.URL, most int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, kindUpstream.because("%v", err)
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Token "+s.token)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, kindUpstream.because("%v", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, kindUpstream.because("%s answers %s", u.Redacted(), answer.Status)
	}
	return readUpTo(answer.Body, most, u.Path)
}
