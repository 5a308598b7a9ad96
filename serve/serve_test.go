package serve_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/weights/weightstest"
	"github.com/groupvit/groupvit/serve"
)

// tinyModel is the paper's network in small, with drawn weights.
func tinyModel(t testing.TB) *groupvit.Model {
	t.Helper()
	m, err := groupvit.Open(t.Context(), weightstest.Tiny(t), &groupvit.Options{Engine: "go", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// start serves the tiny model on a free port of this machine.
func start(t testing.TB, o *serve.Options) (*httptest.Server, *serve.Server) {
	t.Helper()
	s, err := serve.New(tinyModel(t), o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h, s
}

// photo is the PNG of a disc before a gradient.
func photo(t testing.TB, w, h int) []byte {
	t.Helper()
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), 80, 255}
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < h*h/9 {
				c = color.RGBA{250, 240, 20, 255}
			}
			im.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// json reads an answer's body.
func (r reply) json(t testing.TB, to any) {
	t.Helper()
	if err := json.Unmarshal(r.body, to); err != nil {
		t.Fatalf("%v in %.200s", err, r.body)
	}
}

// problem is an answer that must be a complete problem.
func (r reply) problem(t testing.TB) (p struct {
	Type, Title, Detail, Remedy string
	Status                      int
	Limit                       int64
}) {
	t.Helper()
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("status %d, type %q: %.200s", r.status, got, r.body)
	}
	r.json(t, &p)
	if p.Status != r.status || p.Title == "" || p.Detail == "" || p.Remedy == "" || !strings.HasPrefix(p.Type, "/problems/") {
		t.Errorf("a problem that says too little: %s", r.body)
	}
	return p
}

// ask sends a request with headers given as pairs.
func ask(t testing.TB, method, address string, body io.Reader, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{a.StatusCode, a.Header, b}
}

func askJSON(t testing.TB, address string, v any, headers ...string) reply {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return ask(t, "POST", address, bytes.NewReader(b), append(headers, "Content-Type", "application/json")...)
}

// form makes a multipart body of photos and fields given as pairs.
func form(t testing.TB, photos [][]byte, fields ...string) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range photos {
		part, err := w.CreateFormFile("image", "disc.png")
		if err != nil {
			t.Fatal(err)
		}
		part.Write(p)
	}
	for i := 0; i < len(fields); i += 2 {
		w.WriteField(fields[i], fields[i+1])
	}
	w.Close()
	return &b, w.FormDataContentType()
}

type results struct {
	Results []struct {
		Photo         string
		Width, Height int
		Protocol      string
		Background    string
		Labels        []string
		Segments      []struct {
			ID     int
			Label  string
			Pixels int
		}
		Formats map[string]json.RawMessage
	}
}

// TestSegmentRequests: the same question as a form, as JSON and as the photo
// itself has the same answer.
func TestSegmentRequests(t *testing.T) {
	h, _ := start(t, nil)
	picture := photo(t, 90, 60)
	body, kind := form(t, [][]byte{picture}, "labels", "dog, grass|lawn", "formats", "mask,rle", "background", "0.3")
	answers := map[string]reply{
		"form": ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind),
		"JSON": askJSON(t, h.URL+"/v1/segment", map[string]any{
			"images": []any{map[string]any{"name": "disc.png", "data": picture}}, "labels": []string{"dog", "grass|lawn"},
			"formats": []string{"mask", "rle"}, "background": 0.3,
		}),
		"photo": ask(t, "POST", h.URL+"/v1/segment?labels=dog,grass|lawn&formats=mask,rle&background=0.3&name=disc.png", bytes.NewReader(picture), "Content-Type", "image/png"),
	}
	var first *results
	for name, a := range answers {
		if a.status != 200 {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		var r results
		a.json(t, &r)
		if len(r.Results) != 1 || r.Results[0].Width != 90 || r.Results[0].Height != 60 || r.Results[0].Photo != "disc.png" {
			t.Fatalf("%s: %.300s", name, a.body)
		}
		pixels := 0
		for _, s := range r.Results[0].Segments {
			pixels += s.Pixels
		}
		if pixels == 0 || len(r.Results[0].Labels) != 2 {
			t.Errorf("%s: nothing found: %.300s", name, a.body)
		}
		if first == nil {
			first = &r
			continue
		}
		for _, f := range []string{"mask", "rle"} {
			if string(first.Results[0].Formats[f]) != string(r.Results[0].Formats[f]) {
				t.Errorf("%s: another %s than in another type of request", name, f)
			}
		}
	}
}

// TestPictureAnswer: with Accept: image/png the picture itself comes.
func TestPictureAnswer(t *testing.T) {
	h, _ := start(t, nil)
	for _, format := range []string{"overlay", "mask"} {
		body, kind := form(t, [][]byte{photo(t, 90, 60)}, "labels", "dog", "formats", format)
		a := ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind, "Accept", "image/png")
		im, err := png.Decode(bytes.NewReader(a.body))
		if a.status != 200 || a.header.Get("Content-Type") != "image/png" || err != nil || im.Bounds().Dx() < 90 {
			t.Errorf("%s: %d, %v", format, a.status, err)
		}
	}
	body, kind := form(t, [][]byte{photo(t, 90, 60)}, "labels", "dog", "formats", "mask,overlay")
	if p := ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind, "Accept", "image/png").problem(t); p.Status != 422 {
		t.Errorf("two pictures in one: %+v", p)
	}
}

// TestImages: a photo is encoded once and asked often; asking a forgotten one
// is a problem of its own.
func TestImages(t *testing.T) {
	h, _ := start(t, &serve.Options{HandleBytes: 200_000})
	create := func() string {
		a := ask(t, "POST", h.URL+"/v1/images?name=disc.png", bytes.NewReader(photo(t, 90, 60)), "Content-Type", "image/png")
		var info struct {
			ID            string
			Width, Height int
			Bytes         int64
		}
		a.json(t, &info)
		if a.status != 201 || a.header.Get("Location") != "/v1/images/"+info.ID || info.Width != 90 || info.Bytes < 1000 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return info.ID
	}
	id := create()
	body, kind := form(t, [][]byte{photo(t, 90, 60)}, "labels", "dog,grass", "formats", "mask,overlay")
	var want, got results
	ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind).json(t, &want)
	askJSON(t, h.URL+"/v1/images/"+id+"/segment", map[string]any{"labels": []string{"dog", "grass"}, "formats": []string{"mask", "overlay"}}).json(t, &got)
	for _, f := range []string{"mask", "overlay"} {
		if string(want.Results[0].Formats[f]) != string(got.Results[0].Formats[f]) || got.Results[0].Formats[f] == nil {
			t.Errorf("%s of the encoded photo is another", f)
		}
	}
	small := askJSON(t, h.URL+"/v1/images/"+id+"/segment", map[string]any{"labels": []string{"dog"}, "result_side": 30, "formats": []string{"coco"}})
	if small.json(t, &got); !strings.Contains(string(got.Results[0].Formats["coco"]), `"width":30,"height":20`) {
		t.Errorf("a smaller result: %.300s", small.body)
	}
	if a := ask(t, "GET", h.URL+"/v1/images/"+id, nil); a.status != 200 {
		t.Errorf("showing it: %d", a.status)
	}
	if a := ask(t, "POST", h.URL+"/v1/images/"+id+"/groups", nil); a.status != 200 || !bytes.Contains(a.body, []byte(`"groups":6`)) {
		t.Errorf("its groups: %d %.200s", a.status, a.body)
	}
	if a := ask(t, "DELETE", h.URL+"/v1/images/"+id, nil); a.status != 204 {
		t.Errorf("forgetting it: %d", a.status)
	}
	if p := ask(t, "GET", h.URL+"/v1/images/"+id, nil).problem(t); p.Type != "/problems/unknown-image" {
		t.Errorf("afterwards: %+v", p)
	}
	id = create()
	for range 20 { // more than there is room for
		create()
	}
	if p := askJSON(t, h.URL+"/v1/images/"+id+"/segment", map[string]any{"labels": []string{"dog"}}).problem(t); p.Status != 404 {
		t.Errorf("the first of many: %+v", p)
	}
}

// TestOtherAnswers: vectors, words and groups.
func TestOtherAnswers(t *testing.T) {
	h, _ := start(t, nil)
	picture := base64.StdEncoding.EncodeToString(photo(t, 50, 40))
	var vectors struct{ Images, Texts [][]float64 }
	askJSON(t, h.URL+"/v1/embed", map[string]any{"image": picture, "texts": []string{"a dog", "a cat"}}).json(t, &vectors)
	if len(vectors.Images) != 1 || len(vectors.Texts) != 2 || len(vectors.Images[0]) != 16 {
		t.Errorf("vectors: %v", vectors)
	}
	for _, v := range append(vectors.Images, vectors.Texts...) {
		var sum float64
		for _, x := range v {
			sum += x * x
		}
		if sum < 0.999 || sum > 1.001 {
			t.Errorf("a vector of length² %g", sum)
		}
	}
	var classes struct {
		Results []struct{ Classes []groupvit.Classification }
	}
	askJSON(t, h.URL+"/v1/classify", map[string]any{"images": []any{map[string]any{"data": picture}, map[string]any{"data": picture}}, "labels": []string{"dog", "cat"}}).json(t, &classes)
	if len(classes.Results) != 2 || len(classes.Results[1].Classes) != 2 || classes.Results[0].Classes[0].Score < classes.Results[0].Classes[1].Score {
		t.Errorf("classes: %v", classes)
	}
	var groups struct {
		Results []struct {
			Width  int
			Stages []struct {
				Groups, Used int
				Mask         []byte
			}
		}
	}
	askJSON(t, h.URL+"/v1/groups", map[string]any{"image": picture}).json(t, &groups)
	if len(groups.Results) != 1 || len(groups.Results[0].Stages) != 2 || groups.Results[0].Stages[0].Groups != 6 || groups.Results[0].Stages[1].Used < 1 {
		t.Errorf("groups: %+v", groups)
	}
	for path, want := range map[string]string{
		"/v1/models": `"groups":[6,3]`, "/healthz": "ok", "/readyz": "ok", "/metrics": "groupvit_photos_total 4",
		"/openapi.yaml": "openapi: 3.1", "/problems/busy": "Retry-After", "/": "<title>groupvit</title>", "/page/main.js": "import", "/page/samples/cat.jpg": "JFIF",
	} {
		if a := ask(t, "GET", h.URL+path, nil); a.status != 200 || !bytes.Contains(a.body, []byte(want)) {
			t.Errorf("%s: %d %.200s", path, a.status, a.body)
		}
	}
}
