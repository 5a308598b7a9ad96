package serve_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDashboard: every metric that the dashboard shows is one that the server has.
func TestDashboard(t *testing.T) {
	b, err := os.ReadFile("../examples/monitoring/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	h, _ := start(t, nil)
	body, kind := form(t, [][]byte{photo(t, 60, 40)}, "labels", "dog")
	ask(t, "POST", h.URL+"/v1/segment", body, "Content-Type", kind)
	metrics := string(ask(t, "GET", h.URL+"/metrics", nil).body)
	name := regexp.MustCompile(`\b(groupvit|process|go)_[a-z_]+`)
	found := 0
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			for _, m := range name.FindAllString(target.Expr, -1) {
				found++
				if !strings.Contains(metrics, "\n"+m+"{") && !strings.Contains(metrics, "\n"+m+" ") {
					t.Errorf("panel %q shows %s, which the server does not have", p.Title, m)
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("%d metrics in the dashboard", found)
	}
}
