package serve

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"

	"github.com/groupvit/groupvit/examples/photos"
)

// pageFiles are the page: plain HTML, CSS and modules, nothing from elsewhere. It
// works without a server too, beside groupvit.wasm (cmd/groupvit-wasm).
//
//go:embed page
var pageFiles embed.FS

// pagePolicy lets the page do what it does and nothing else: no script, style or
// connection but to this server.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageRoutes are the page's files: index.html at the root, the others where it
// looks for them.
func pageRoutes() []route {
	list := []route{{"GET", "/{$}", pageFile("index.html"), true}}
	entries, err := fs.ReadDir(pageFiles, "page")
	if err != nil {
		panic(err) // it is compiled in
	}
	for _, e := range entries {
		if name := e.Name(); name != "index.html" && name != "worker.js" {
			list = append(list, route{"GET", "/page/" + name, pageFile(name), true})
		}
	}
	return append(list, sampleRoutes()...)
}

// sampleRoutes are the photos that the page offers to begin with.
func sampleRoutes() (list []route) {
	entries, err := fs.ReadDir(photos.Files, ".")
	if err != nil {
		panic(err) // it is compiled in
	}
	for _, e := range entries {
		data, err := photos.Files.ReadFile(e.Name())
		if err != nil {
			panic(err) // it is compiled in
		}
		list = append(list, route{"GET", "/page/samples/" + e.Name(), fileOf(data, "image/jpeg"), true})
	}
	return list
}

// pageKinds are the types of the page's files; the machine's own tables may say others,
// which browsers would not take.
var pageKinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// pageFile answers with a file of the page.
func pageFile(name string) handler {
	data, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is compiled in
	}
	return fileOf(data, pageKinds[path.Ext(name)])
}

// fileOf answers with a file; a browser that has it already is told so.
func fileOf(data []byte, kind string) handler {
	sum := sha256.Sum256(data)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		_, err := w.Write(data)
		return err
	}
}
