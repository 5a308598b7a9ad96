package serve_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/serve"
)

// TestOrigins: pages of allowed origins use the API, others do not, and a browser is told
// so before it sends anything.
func TestOrigins(t *testing.T) {
	h, _ := start(t, &serve.Options{Origins: []string{"https://app.example", "http://localhost:*", "https://*.site.example"}})
	for origin, allowed := range map[string]bool{
		"https://app.example": true, "https://APP.example": true, "http://localhost:5173": true, "https://a.site.example": true,
		"https://other.example": false, "http://app.example": false, "https://app.example.evil.example": false, "https://a.b.site.example": false,
		"http://localhost": false, "null": false, "https://app.example:8443": false,
	} {
		pre := ask(t, "OPTIONS", h.URL+"/v1/segment", nil, "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type", "Access-Control-Request-Private-Network", "true")
		got := pre.header.Get("Access-Control-Allow-Origin")
		if allowed && (pre.status != 204 || got != origin || !strings.Contains(pre.header.Get("Access-Control-Allow-Headers"), "Content-Type") || pre.header.Get("Access-Control-Allow-Private-Network") != "true") {
			t.Errorf("%s before a request: %d, %v", origin, pre.status, pre.header)
		}
		body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", "dog")
		a := ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind, "Origin", origin, "Sec-Fetch-Site", "cross-site")
		if (a.status == 200) != allowed || (a.header.Get("Access-Control-Allow-Origin") == origin) != allowed || a.header.Get("Vary") != "Origin" {
			t.Errorf("%s: %d, %v", origin, a.status, a.header)
		}
		if !allowed && (got != "" || a.status != 403) {
			t.Errorf("%s is not allowed: %d, %q", origin, a.status, got)
		}
	}
	any, _ := start(t, &serve.Options{Origins: []string{"*"}})
	if a := ask(t, "GET", any.URL+"/v1/models", nil, "Origin", "https://x.example"); a.header.Get("Access-Control-Allow-Origin") != "https://x.example" {
		t.Errorf("any origin: %v", a.header)
	}
	none, _ := start(t, nil)
	if a := ask(t, "OPTIONS", none.URL+"/v1/segment", nil, "Origin", "https://x.example", "Access-Control-Request-Method", "POST"); a.status != 405 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("no origin: %d, %v", a.status, a.header)
	}
	for _, bad := range []string{"app.example", "https://app.example/", "https://", "https://user@app.example"} {
		if _, err := serve.New(tinyModel(t), &serve.Options{Origins: []string{bad}}); err == nil {
			t.Errorf("origin %q is taken", bad)
		}
	}
}

// TestHosts: a page whose name leads to this machine gets nothing (DNS rebinding), unless
// it has the token or its name is allowed.
func TestHosts(t *testing.T) {
	host := func(address, name, token string) int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", address+"/v1/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = name
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		return a.StatusCode
	}
	h, _ := start(t, &serve.Options{Hosts: []string{"photos.example"}})
	for name, want := range map[string]int{
		"localhost": 200, "localhost:1234": 200, "LOCALHOST.": 200, "app.localhost:80": 200, "127.0.0.1": 200, "127.1.2.3:80": 200, "[::1]:80": 200, "192.168.1.7:8080": 200,
		"photos.example": 200, "Photos.Example:8080": 200,
		"evil.example": 403, "evil.example:8080": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "notlocalhost": 403,
	} {
		if got := host(h.URL, name, ""); got != want {
			t.Errorf("host %s: %d, want %d", name, got, want)
		}
	}
	shut, _ := start(t, &serve.Options{Token: "sesame"})
	if a, b := host(shut.URL, "evil.example", ""), host(shut.URL, "photos.example", "sesame"); a != 401 || b != 200 {
		t.Errorf("where a token is needed: %d without, %d with", a, b)
	}
	any, _ := start(t, &serve.Options{Hosts: []string{"*"}})
	if got := host(any.URL, "any.example", ""); got != 200 {
		t.Errorf("any host: %d", got)
	}
}

// TestDataAddress: a photo may come as a data: address, as browsers make them.
func TestDataAddress(t *testing.T) {
	h, _ := start(t, nil)
	picture := photo(t, 60, 40)
	plain := base64.StdEncoding.EncodeToString(picture)
	var want results
	askJSON(t, h.URL+"/v1/segment", map[string]any{"image": plain, "labels": []string{"dog"}, "formats": []string{"mask"}}).json(t, &want)
	field, kind := form(t, nil, "image", "data:image/png;base64,"+plain, "labels", "dog", "formats", "mask")
	for name, a := range map[string]reply{
		"image":           askJSON(t, h.URL+"/v1/segment", map[string]any{"image": "data:image/png;base64," + plain, "labels": []string{"dog"}, "formats": []string{"mask"}}),
		"images":          askJSON(t, h.URL+"/v1/segment", map[string]any{"images": []any{map[string]any{"name": "image 1", "data": "data:image/png;base64," + plain}}, "labels": []string{"dog"}, "formats": []string{"mask"}}),
		"with parameters": askJSON(t, h.URL+"/v1/segment", map[string]any{"image": "DATA:image/png;name=x.png;base64," + plain, "labels": []string{"dog"}, "formats": []string{"mask"}}),
		"form":            ask(t, "POST", h.URL+"/v1/segment", field, "Content-Type", kind),
	} {
		var got results
		if a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
			continue
		}
		a.json(t, &got)
		if !bytes.Equal(got.Results[0].Formats["mask"], want.Results[0].Formats["mask"]) {
			t.Errorf("%s: another mask", name)
		}
	}
}

// TestLabelLists: labels of forms and addresses are read as the command line reads them.
func TestLabelLists(t *testing.T) {
	h, _ := start(t, nil)
	for _, c := range []struct{ field, want string }{
		{"dog, grass|lawn", "dog;grass"}, {`["dog","salt, pepper"]`, "dog;salt, pepper"}, {`"salt, pepper",dog`, "salt, pepper;dog"}, {"dog\ncat", "dog;cat"},
	} {
		body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", c.field)
		a := ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind)
		if a.status != 200 {
			t.Errorf("%s: %d %s", c.field, a.status, a.body)
			continue
		}
		var got results
		a.json(t, &got)
		if labels := strings.Join(got.Results[0].Labels, ";"); labels != c.want {
			t.Errorf("%s is read as %s, want %s", c.field, labels, c.want)
		}
	}
	body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", "dog", "labels", "cat")
	var got results
	ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind).json(t, &got)
	if len(got.Results[0].Labels) != 2 {
		t.Errorf("two fields give %v", got.Results[0].Labels)
	}
}
