package serve

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/groupvit/groupvit"
)

// origins are the pages of other sites that may use the API from a browser, as
// "https://app.example.com". One label of a host, or the port, may be "*"; "*" alone is
// every page.
type origins []string

// newOrigins checks them. Errors wrap [groupvit.ErrOption].
func newOrigins(list []string) (origins, error) {
	for _, o := range list {
		u, err := url.Parse(strings.ReplaceAll(o, ":*", ":1"))
		if o != "*" && o != "null" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil) {
			return nil, fmt.Errorf("%w: origin %q: give one like https://app.example.com, without a path", groupvit.ErrOption, o)
		}
	}
	return list, nil
}

// allow reports whether a page may use the API.
func (list origins) allow(origin string) bool {
	for _, o := range list {
		if o == "*" || strings.EqualFold(o, origin) || matches(strings.ToLower(o), strings.ToLower(origin)) {
			return true
		}
	}
	return false
}

// matches compares an origin with a pattern in which "*" stands for a part of the host,
// or for its port.
func matches(pattern, origin string) bool {
	a, b := strings.FieldsFunc(pattern, apart), strings.FieldsFunc(origin, apart)
	if len(a) != len(b) || !strings.Contains(pattern, "*") || strings.Count(pattern, ":") != strings.Count(origin, ":") {
		return false
	}
	for i := range a {
		if a[i] != "*" && a[i] != b[i] {
			return false
		}
	}
	return true
}

func apart(r rune) bool { return r == '.' || r == ':' || r == '/' }

// What pages of other origins may do, and read.
const (
	corsMethods = "GET, POST, DELETE"
	corsHeaders = "Authorization, Content-Type, Accept, X-Request-Id"
	corsExposed = "Location, Retry-After, X-Request-Id"
	corsSeconds = "600"
)

// cors lets the pages of allowed origins read an answer, and answers what a browser asks
// before it sends a request; done reports that this was all.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) (done bool) {
	if len(s.origins) == 0 {
		return false
	}
	h, origin := w.Header(), r.Header.Get("Origin")
	h.Add("Vary", "Origin")
	if origin == "" || !s.origins.allow(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", corsExposed)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsSeconds)
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// crossSite returns why a request that another site's page makes a browser send is
// refused, or nil.
func (s *Server) crossSite(r *http.Request) error {
	if origin := r.Header.Get("Origin"); origin != "" && s.origins.allow(origin) {
		return nil
	}
	if err := s.origin.Check(r); err != nil {
		return kindOrigin.because("%v", err)
	}
	return nil
}

// host returns why a request is refused that reaches this machine under another's name,
// or nil. A page can have its own name lead to 127.0.0.1 and then is, for a browser, of
// the same origin (DNS rebinding). Where a token is needed such a page has none.
func (s *Server) host(r *http.Request) error {
	if s.o.Token != "" || r.Host == "" || !onLoopback(r) {
		return nil
	}
	name := r.Host
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || isAddress(name) || name == s.hostname {
		return nil
	}
	for _, allowed := range s.o.Hosts {
		if allowed == "*" || strings.EqualFold(allowed, name) {
			return nil
		}
	}
	return kindHost.because("host %.80q is none of this machine's names", r.Host)
}

// onLoopback reports whether a request came to an address of this machine alone.
func onLoopback(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// isAddress reports whether a host is a number, which no name service is asked for.
func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil
}

// ownName is the machine's name, as others write it.
func ownName() string {
	name, _ := os.Hostname()
	return strings.ToLower(name)
}
