// Package apitest asks the server what its own description says that can be asked.
package apitest

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
	"github.com/groupvit/groupvit/serve"
)

// tiny is the paper's network in small, with drawn weights.
func tiny(t *testing.T) *groupvit.Model {
	t.Helper()
	m, err := groupvit.Open(t.Context(), weightstest.Tiny(t), &groupvit.Options{Engine: "go", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestDescription generates requests from every operation of /openapi.yaml, each of
// its media types and examples, sends them, and holds requests and answers to the
// description. Requests that break it must be refused.
func TestDescription(t *testing.T) {
	s, err := serve.New(tiny(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	get := httptest.NewRecorder()
	s.ServeHTTP(get, httptest.NewRequest("GET", "/openapi.yaml", nil))
	document, err := libopenapi.NewDocument(get.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	check, problems := validator.NewValidator(document)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if ok, problems := check.ValidateDocument(); !ok {
		for _, p := range problems {
			t.Errorf("the description: %s: %s", p.Message, p.Reason)
		}
		t.FailNow()
	}
	model, err := document.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	id := newImage(t, s)
	sent := 0
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			if method == "delete" {
				continue // afterwards: the others need what it forgets
			}
			for name, r := range requests(t, strings.ToUpper(method), fill(path, id, operation, item), operation) {
				t.Run(operation.OperationId+" "+name, func(t *testing.T) {
					sent++
					try(t, s, check, r)
				})
			}
		}
	}
	t.Run("deleteImage", func(t *testing.T) {
		try(t, s, check, func() *http.Request { return newRequest("DELETE", "/v1/images/"+id, "", nil) })
	})
	if sent < 20 {
		t.Errorf("%d requests were generated", sent)
	}
}

// newRequest is one to the server that the description names.
func newRequest(method, path, kind string, body []byte) *http.Request {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

// try sends a request twice as long as the description and the server agree about
// it.
func try(t *testing.T, s http.Handler, check validator.Validator, request func() *http.Request) {
	t.Helper()
	r := request()
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if ok, problems := check.ValidateHttpRequestSync(r); !ok {
			t.Errorf("the generated request breaks the description: %s: %s", problems[0].Message, problems[0].Reason)
		}
	}
	r = request()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code >= 300 {
		t.Fatalf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
	}
	r = request()
	if ok, problems := check.ValidateHttpResponse(r, w.Result()); !ok {
		for _, p := range problems {
			t.Errorf("%s %s: the answer breaks the description: %s: %s", r.Method, r.URL, p.Message, p.Reason)
			for _, e := range p.SchemaValidationErrors {
				t.Errorf("  %s at %s", e.Reason, e.FieldPath)
			}
		}
	}
}

// newImage encodes a photograph for the paths with {id}.
func newImage(t *testing.T, s http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, newRequest("POST", "/v1/images", "image/png", picture))
	var info struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &info); err != nil || info.ID == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return info.ID
}

// fill puts the parameters' examples into a path.
func fill(path, id string, o *v3.Operation, item *v3.PathItem) string {
	path = strings.ReplaceAll(path, "{id}", id)
	for _, p := range append(item.Parameters, o.Parameters...) {
		if p.Example != nil {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", p.Example.Value)
		}
	}
	return path
}

// requests are those that an operation's bodies describe, by media type.
func requests(t *testing.T, method, path string, o *v3.Operation) map[string]func() *http.Request {
	t.Helper()
	if o.RequestBody == nil {
		return map[string]func() *http.Request{"": func() *http.Request { return newRequest(method, path, "", nil) }}
	}
	all := map[string]func() *http.Request{}
	for kind, media := range o.RequestBody.Content.FromOldest() {
		var body []byte
		switch {
		case kind == "application/json":
			if media.Example == nil {
				t.Errorf("%s %s has no example", method, path)
				continue
			}
			var v any
			if err := media.Example.Decode(&v); err != nil {
				t.Fatal(err)
			}
			body, _ = json.Marshal(v)
		case strings.HasPrefix(kind, "multipart/"):
			body, kind = formOf(t, media)
		default:
			body = picture
		}
		all[kind] = func() *http.Request { return newRequest(method, path, kind, body) }
	}
	return all
}

// formOf fills a form with the examples of its fields.
func formOf(t *testing.T, media *v3.MediaType) ([]byte, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, p := range media.Schema.Schema().Properties.FromOldest() {
		schema := p.Schema()
		if schema.ContentMediaType != "" {
			part, err := w.CreateFormFile(name, "dot.png")
			if err != nil {
				t.Fatal(err)
			}
			part.Write(picture)
		} else if schema.Example != nil {
			w.WriteField(name, schema.Example.Value)
		}
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}
