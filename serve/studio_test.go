package serve_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/serve"
)

const labelling = `<View><Header value="Draw"/><Image name="img" value="$photo"/>
<BrushLabels name="brush" toName="img"><Label value="Dog" predicted_values="dog, puppy, hound"/><Label value="grass" predicted_values="Grass"/></BrushLabels>
<RectangleLabels name="box" toName="img"><Label value="dog"/></RectangleLabels>
<BitmaskLabels name="bits" toName="img"><Label value="dog"/></BitmaskLabels>
<PolygonLabels name="ring" toName="img"><Label value="grass"/></PolygonLabels></View>`

type predictions struct {
	Results []struct {
		Result []struct {
			From  string `json:"from_name"`
			To    string `json:"to_name"`
			Type  string `json:"type"`
			Width int    `json:"original_width"`
			Value map[string]any
		}
		Error string
	}
}

// TestLabelStudio: what Label Studio asks a backend, in its order.
func TestLabelStudio(t *testing.T) {
	picture := photo(t, 90, 60)
	studio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Token sesame":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/data/upload/1/disc.png":
			w.Write(picture)
		case r.URL.Path == "/away":
			http.Redirect(w, r, "http://192.0.2.1/secret", http.StatusFound)
		case r.URL.Path == "/huge":
			w.Write(make([]byte, 1<<20))
		default:
			http.NotFound(w, r)
		}
	}))
	defer studio.Close()
	h, _ := start(t, &serve.Options{LabelStudio: studio.URL, LabelStudioToken: "sesame", ImageBytes: 500_000})
	if a := ask(t, "GET", h.URL+"/health", nil); !bytes.Contains(a.body, []byte(`"status":"UP"`)) {
		t.Errorf("health: %s", a.body)
	}
	if a := askJSON(t, h.URL+"/setup", map[string]any{"project": "1.0", "schema": labelling, "hostname": studio.URL, "access_token": "x", "extra_params": nil}); !bytes.Contains(a.body, []byte("model_version")) {
		t.Errorf("setup: %d %s", a.status, a.body)
	}
	if p := askJSON(t, h.URL+"/setup", map[string]any{"schema": `<View><Text name="t" value="$t"/></View>`}).problem(t); p.Status != 422 {
		t.Errorf("setup of texts: %+v", p)
	}
	task := func(address string) map[string]any {
		return map[string]any{"id": 1, "data": map[string]any{"photo": address}}
	}
	inline := "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)
	var p predictions
	askJSON(t, h.URL+"/predict", map[string]any{
		"tasks":        []any{task("/data/upload/1/disc.png"), task(inline), task("/missing.png")},
		"label_config": labelling, "project": "1.0", "params": map[string]any{"context": nil},
	}).json(t, &p)
	if len(p.Results) != 3 || p.Results[2].Error == "" {
		t.Fatalf("%+v", p)
	}
	kinds := map[string]bool{}
	for _, task := range p.Results[:2] {
		for _, r := range task.Result {
			kinds[r.Type] = true
			labels, _ := r.Value[r.Type].([]any)
			if r.To != "img" || r.Width != 90 || len(labels) != 1 {
				t.Errorf("region %+v", r)
			}
			if rle, ok := r.Value["rle"].([]any); r.Type == "brushlabels" && (!ok || len(rle) < 8 || r.Value["format"] != "rle") {
				t.Errorf("brush %v", r.Value)
			}
			if s, ok := r.Value["imageDataURL"].(string); r.Type == "bitmasklabels" && (!ok || !strings.HasPrefix(s, "data:image/png;base64,")) {
				t.Errorf("bitmask %v", r.Value)
			}
			if w, ok := r.Value["width"].(float64); r.Type == "rectanglelabels" && (!ok || w <= 0 || w > 100) {
				t.Errorf("box %v", r.Value)
			}
		}
	}
	if !kinds["brushlabels"] {
		t.Errorf("regions of %v", kinds)
	}
	for _, bad := range []string{"/away", "/huge", "http://192.0.2.1/x.png", "http://user@" + strings.TrimPrefix(studio.URL, "http://") + "/data/upload/1/disc.png", "file:///etc/passwd", "//192.0.2.1/x"} {
		a := askJSON(t, h.URL+"/predict", map[string]any{"tasks": []any{task(bad)}, "label_config": labelling})
		if p := a.problem(t); p.Status != 422 && p.Status != 413 {
			t.Errorf("%s: %+v", bad, p)
		}
	}
	for _, path := range []string{"/webhook", "/validate", "/versions"} {
		if a := askJSON(t, h.URL+path, map[string]any{"action": "ANNOTATION_CREATED", "config": labelling}); a.status != 200 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// TestNothingFetched: without Label Studio's address, none is fetched.
func TestNothingFetched(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	h, _ := start(t, nil)
	a := askJSON(t, h.URL+"/predict", map[string]any{
		"tasks": []any{map[string]any{"data": map[string]any{"photo": other.URL + "/x.png"}}}, "label_config": labelling,
	})
	if p := a.problem(t); p.Type != "/problems/unreachable-photo" || asked {
		t.Errorf("%+v, fetched %v", p, asked)
	}
}

// TestClientLibrary: Label Studio's own Python package takes what this backend answers:
// its validation of predictions, and its reading of brushes.
// GROUPVIT_LABEL_STUDIO_PYTHON is a Python that has label-studio-sdk.
func TestClientLibrary(t *testing.T) {
	python := os.Getenv("GROUPVIT_LABEL_STUDIO_PYTHON")
	if python == "" {
		t.Skip("GROUPVIT_LABEL_STUDIO_PYTHON is not set: python -m venv DIR && DIR/bin/pip install label-studio-sdk")
	}
	const script = `
import json, sys, urllib.request
from label_studio_sdk.converter import brush
from label_studio_sdk.label_interface import LabelInterface
from label_studio_sdk.label_interface.objects import PredictionValue
given = json.load(sys.stdin)

def ask(path, body):
    request = urllib.request.Request(given["url"] + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))

interface = LabelInterface(given["config"])
interface.validate()
assert ask("/setup", {"project": "1.1", "schema": given["config"], "hostname": "", "access_token": ""})["model_version"]
assert ask("/predict", {"tasks": [], "label_config": given["config"]})["results"] == []
tasks = [{"id": 1, "data": {"photo": given["photo"]}}]
answer = ask("/predict", {"tasks": tasks, "label_config": given["config"], "project": "1.1", "params": {"context": None}})
kinds = set()
for p in answer["results"]:
    value = PredictionValue(**p)
    errors = interface.validate_prediction(value.model_dump(), return_errors=True)
    assert not errors, errors
    for r in p["result"]:
        kinds.add(r["type"])
        if r["type"] == "brushlabels":
            image = brush.decode_rle(r["value"]["rle"]).reshape(r["original_height"], r["original_width"], 4)
            assert (image[:, :, 3] > 127).any()
assert len(answer["results"]) == 1 and "brushlabels" in kinds, answer
print(",".join(sorted(kinds)))
`
	h, _ := start(t, nil)
	cmd := exec.Command(python, "-c", script)
	in, err := json.Marshal(map[string]any{"url": h.URL, "config": labelling, "photo": "data:image/png;base64," + base64.StdEncoding.EncodeToString(photo(t, 90, 60))})
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("it takes regions of the kinds %s", out)
}
