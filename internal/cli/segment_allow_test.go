package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAllowFailed: a run in which some photos fail, as many as are allowed, is done; one
// in which all fail never is.
func TestAllowFailed(t *testing.T) {
	dir := t.TempDir()
	photo, err := os.ReadFile(filepath.Join("..", "..", "examples", "photos", "cat.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"good.jpg": photo, "bad.jpg": []byte("no photo")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	list := func(names ...string) string {
		path := filepath.Join(t.TempDir(), "list.txt")
		var b strings.Builder
		for _, n := range names {
			b.WriteString(filepath.Join(dir, n) + "\n")
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	both, bad := list("good.jpg", "bad.jpg"), list("bad.jpg")
	for _, c := range []struct {
		manifest, allow string
		want            int
	}{
		{both, "", exitPartial}, {both, "0", exitPartial}, {both, "1", exitDone}, {both, "50%", exitDone}, {both, "49.9%", exitPartial},
		{bad, "100%", exitFailed}, {both, "some", exitUsage}, {both, "-1", exitUsage}, {both, "101%", exitUsage}, {both, "1.5", exitUsage},
	} {
		var stderr strings.Builder
		args := []string{"segment", "--manifest", c.manifest, "--labels", "cat", "--format", "mask", "--quality", "fast", "-o", t.TempDir()}
		if c.allow != "" {
			args = append(args, "--allow-failed="+c.allow)
		}
		if code := Main(t.Context(), args, strings.NewReader(""), &strings.Builder{}, &stderr); code != c.want {
			t.Errorf("--allow-failed %q: exit code %d, want %d: %s", c.allow, code, c.want, stderr.String())
		}
	}
}
