package labelstudio

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// credentials say who asks Label Studio.
//
// A legacy token goes as it is ("Token …"). Since Label Studio 1.17 a person has a
// personal access token instead, a JSON Web Token for refreshing: it is exchanged at
// /api/token/refresh for one of some minutes, which goes as "Bearer …".
type credentials struct {
	token string
	kind  tokenKind
	// exchange asks Label Studio for an access token.
	exchange func(ctx context.Context, refresh string) (string, error)

	mu      sync.Mutex
	access  string
	expires time.Time
}

type tokenKind int

const (
	noToken tokenKind = iota
	legacyToken
	accessToken
	refreshToken
)

// claims are what is read of a JSON Web Token. Label Studio checks it; here it only
// says what it is for.
type claims struct {
	Kind    string  `json:"token_type"`
	Expires float64 `json:"exp"` // seconds since 1970
}

// parseJWT reads a token's claims; false is that it is no JSON Web Token.
func parseJWT(token string) (c claims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	for i, to := range []any{&struct{}{}, &c} {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "="))
		if err != nil || json.Unmarshal(b, to) != nil {
			return c, false
		}
	}
	return c, true
}

func (c claims) expires() time.Time {
	if c.Expires <= 0 || c.Expires > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(c.Expires), 0)
}

func newCredentials(token string) *credentials {
	c := &credentials{token: token, kind: noToken}
	if token == "" {
		return c
	}
	c.kind = legacyToken
	if claims, ok := parseJWT(token); ok {
		c.kind = refreshToken
		if claims.Kind == "access" {
			c.kind = accessToken
		}
	}
	return c
}

// early is how long before its end an access token is renewed, lifetime how long one
// lasts that does not say.
const (
	early    = 15 * time.Second
	lifetime = time.Minute
)

// header returns the Authorization header; again asks for a new access token, where the
// last one was refused.
func (c *credentials) header(ctx context.Context, again bool) (string, error) {
	switch c.kind {
	case noToken:
		return "", nil
	case legacyToken:
		return "Token " + c.token, nil
	case accessToken:
		return "Bearer " + c.token, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.access == "" || again || time.Now().After(c.expires.Add(-early)) {
		if claims, _ := parseJWT(c.token); !claims.expires().IsZero() && time.Now().After(claims.expires()) {
			return "", fmt.Errorf("%w: the personal access token for Label Studio expired on %s: make a new one", ErrFetch, claims.expires().UTC().Format(time.DateOnly))
		}
		access, err := c.exchange(ctx, c.token)
		if err != nil {
			return "", err
		}
		claims, _ := parseJWT(access)
		c.access, c.expires = access, claims.expires()
		if c.expires.IsZero() {
			c.expires = time.Now().Add(lifetime)
		}
	}
	return "Bearer " + c.access, nil
}

// renews reports whether a refused token can be renewed.
func (c *credentials) renews() bool { return c.kind == refreshToken }

// exchangeBytes is the longest answer to an exchange.
const exchangeBytes = 64 << 10

// exchange gets an access token for a personal one. Releases differ in the slash at the
// end of the address.
func (f *fetcher) exchange(ctx context.Context, refresh string) (string, error) {
	body, err := json.Marshal(map[string]string{"refresh": refresh})
	if err != nil {
		return "", err
	}
	status := ""
	for _, path := range []string{"/api/token/refresh/", "/api/token/refresh"} {
		u := f.at(path, "")
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrFetch, place(u), bare(err))
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := f.client.Transport.RoundTrip(r) // no redirects: they would lose the body
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrFetch, place(u), bare(err))
		}
		text, err := io.ReadAll(io.LimitReader(answer.Body, exchangeBytes))
		answer.Body.Close()
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrFetch, place(u), bare(err))
		}
		status = answer.Status
		if answer.StatusCode == http.StatusOK {
			var given struct {
				Access string `json:"access"`
			}
			if json.Unmarshal(text, &given) != nil || given.Access == "" {
				return "", fmt.Errorf("%w: %s gave no access token", ErrFetch, place(u))
			}
			return given.Access, nil
		}
	}
	return "", fmt.Errorf("%w: Label Studio does not take the personal access token (%s at /api/token/refresh): make a new one", ErrFetch, status)
}
