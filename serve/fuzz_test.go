package serve

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// tinyPNG is a photo of 3×2 pixels.
func tinyPNG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// formOf is a form with a photo and fields given as pairs.
func formOf(t testing.TB, photo []byte, fields ...string) (body []byte, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary("x"); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreateFormFile("image", "p.png")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(photo)
	for i := 0; i < len(fields); i += 2 {
		w.WriteField(fields[i], fields[i+1])
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// FuzzAsk: whatever a request says, in its body, its address and its type, it is read
// within the caps or refused as the client's fault.
func FuzzAsk(f *testing.F) {
	options, err := (&Options{ImageBytes: 4096, BodyBytes: 1 << 16, Images: 2, Labels: 4, ImagePixels: 10_000}).withDefaults()
	if err != nil {
		f.Fatal(err)
	}
	s := &Server{o: options, budget: newBudget(options.Bodies)}
	photo := tinyPNG(f)
	form, kind := formOf(f, photo, "labels", "cat, dog|puppy", "background", "0.5", "formats", "mask,rle", "result_side", "40", "quality", "fast")
	f.Add(kind, "", "", form)
	f.Add(kind, "", "image/png", form[:len(form)-3])
	f.Add("image/png", "labels=cat,sofa&formats=overlay&protocol=best&name=a.png", "image/png", photo)
	f.Add("application/octet-stream", "short_side=-1", "", photo)
	for _, text := range []string{
		`{"image":%q,"labels":["cat"],"background":0.3,"formats":["coco","planes"],"short_side":144}`,
		`{"images":[{"name":"a","data":%q},{"data":"AAAA"}],"labels":["cat","dog"],"background":"off","templates":"simple"}`,
		`{"image":%q,"labels":["a","b","c","d","e"],"background":[]}`, `{"text":"a","texts":["b"]} {%q`,
	} {
		f.Add("application/json; charset=utf-8", "", "", fmt.Appendf(nil, text, base64.StdEncoding.EncodeToString(photo)))
	}
	f.Fuzz(func(t *testing.T, kind, query, accept string, body []byte) {
		r := &http.Request{Method: "POST", URL: &url.URL{Path: "/v1/segment", RawQuery: query}, Header: http.Header{"Content-Type": {kind}, "Accept": {accept}}}
		r.Body = http.NoBody
		if len(body) > 0 {
			r.Body = httptest.NewRequest("POST", "/", bytes.NewReader(body)).Body
		}
		b := s.body(httptest.NewRecorder(), r)
		a, err := s.readAsk(r, b)
		var q *question
		if err == nil {
			q, err = a.question(r)
		}
		b.release()
		if s.budget.bytes() != 0 {
			t.Fatalf("%d bytes still count", s.budget.bytes())
		}
		if err != nil {
			if p := toProblem(err); p.Status < 400 || p.Status >= 500 || p.Detail == "" || p.Remedy == "" {
				t.Errorf("%v became %+v", err, p)
			}
			return
		}
		if len(a.Images) > options.Images || len(a.Labels) > options.Labels {
			t.Errorf("%d photos, %d labels", len(a.Images), len(a.Labels))
		}
		for _, im := range a.Images {
			if int64(len(im.Data)) > options.ImageBytes || im.Name == "" {
				t.Errorf("photo %q has %d bytes", im.Name, len(im.Data))
			}
		}
		if q.whole && (len(q.files) != 1 || len(a.Images) > 1) {
			t.Errorf("one picture as the answer to %d photos in %d formats", len(a.Images), len(q.files))
		}
	})
}
