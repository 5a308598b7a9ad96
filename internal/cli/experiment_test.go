package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The real program draws scenes, trains, draws the figure, and writes its section; a
// second call of another experiment takes the model that is there.
func TestExperimentBinary(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	run := func(args ...string) string {
		t.Helper()
		c := exec.Command(program, append([]string{"experiment", "--scale", "tiny", "--threads", "1", "--output", filepath.Join(dir, "out"), "--write", page}, args...)...)
		var said strings.Builder
		c.Stderr = &said
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		return string(out)
	}
	out := run("table5")
	report := filepath.Join(dir, "out", "table5-tiny", "report.md")
	if !strings.Contains(out, "| zero-shot |") || !strings.HasSuffix(out, report+"\n") {
		t.Errorf("stdout %s", out)
	}
	var r struct {
		Name   string
		Groups []struct{ Share float64 }
	}
	if err := json.Unmarshal([]byte(run("transfer", "--json")), &r); err != nil || r.Name != "transfer" || len(r.Groups) == 0 {
		t.Errorf("%v, %+v", err, r)
	}
	written, err := os.ReadFile(page)
	if err != nil || strings.Count(string(written), "begin -->") != 2 || !strings.Contains(string(written), "images/experiment-transfer-tiny-transfer.png") {
		t.Errorf("page: %v\n%s", err, written)
	}
	if runs, _ := filepath.Glob(filepath.Join(dir, "out", "runs", "*")); len(runs) != 1 {
		t.Errorf("table5 and transfer share a model, there are %v", runs)
	}
}

func TestExperimentUsage(t *testing.T) {
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"no name", "experiment NAME", nil},
		{"unknown experiment", "table1", []string{"table9"}},
		{"unknown scale", "small, full", []string{"table1", "--scale", "huge"}},
		{"full without data", "CC12M", []string{"table1", "--scale", "full"}},
		{"parallel", "--parallel", []string{"table1", "--parallel", "-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"experiment", "--output", filepath.Join(t.TempDir(), "out")}, c.args...)
			if code, out, said := runTraining(args...); code != exitUsage || out != "" || !strings.Contains(said, c.want) {
				t.Errorf("code %d, stdout %q, stderr %s", code, out, said)
			}
		})
	}
	code, out, _ := runTraining("experiment", "list")
	if code != exitDone || !strings.Contains(out, "table4") || !strings.Contains(out, "K-means") {
		t.Errorf("list: code %d\n%s", code, out)
	}
	if code, out, _ = runTraining("experiment", "list", "--json"); code != exitDone || strings.Count(out, "\n") != 7 {
		t.Errorf("list --json: code %d\n%s", code, out)
	}
}
