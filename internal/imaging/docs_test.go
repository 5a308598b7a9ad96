package imaging

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// docs/formats.md has a line for each format that is read, and for each that is named,
// with all their extensions.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, f := range formats {
		if line := fmt.Sprintf("\n| %s | %s |", f.name, strings.Join(f.extensions, " ")); !strings.Contains(text, line) {
			t.Errorf("docs/formats.md has no line %q", line)
		}
	}
	for _, k := range unread {
		if k.name == "HEIC" || k.name == "AVIF" { // read by those who register them
			continue
		}
		if line := fmt.Sprintf("\n| %s | %s | %s |", k.name, strings.Join(k.extensions, " "), k.mend); !strings.Contains(text, line) {
			t.Errorf("docs/formats.md has no line %q", line)
		}
	}
}
