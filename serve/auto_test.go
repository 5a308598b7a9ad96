package serve_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
)

// TestAutoLabels: labels auto leaves the words to the model, for a photo that comes with
// the request and for one that is kept; top and least go with it alone.
func TestAutoLabels(t *testing.T) {
	h, _ := start(t, nil)
	data := photo(t, 40, 30)
	var kept struct{ ID string }
	ask(t, "POST", h.URL+"/v1/images", strings.NewReader(string(data)), "Content-Type", "image/png").json(t, &kept)
	for name, a := range map[string]reply{
		"photo": askJSON(t, h.URL+"/v1/segment", map[string]any{"image": data, "labels": []string{"auto"}, "top": 2, "least": 0.001}),
		"kept":  askJSON(t, h.URL+"/v1/images/"+kept.ID+"/segment", map[string]any{"labels": []string{"auto"}, "top": 2, "least": 0.001}),
		"query": ask(t, "POST", h.URL+"/v1/segment?labels=auto&top=2&least=0.001", strings.NewReader(string(data)), "Content-Type", "image/png"),
	} {
		var found struct{ Results []groupvit.Record }
		a.json(t, &found)
		if a.status != http.StatusOK || len(found.Results) != 1 || len(found.Results[0].Proposed) != 2 || len(found.Results[0].Labels) != 2 {
			t.Errorf("%s: status %d, %.300s", name, a.status, a.body)
		}
	}
	for want, body := range map[string]map[string]any{
		"labels as auto": {"image": data, "labels": []string{"cat"}, "top": 2},
		"1 to 100 words": {"image": data, "labels": []string{"auto"}, "top": 101},
		"0 to 1":         {"image": data, "labels": []string{"auto"}, "least": 2},
	} {
		if p := askJSON(t, h.URL+"/v1/segment", body).problem(t); p.Status != http.StatusBadRequest && p.Status != http.StatusUnprocessableEntity || !strings.Contains(p.Detail, want) {
			t.Errorf("%v: %+v, want %q", body["labels"], p, want)
		}
	}
}
