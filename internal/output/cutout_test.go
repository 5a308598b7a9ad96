package output

import (
	"slices"
	"strings"
	"testing"
)

// Names of files are safe on every system, and none is used twice.
func TestFileNames(t *testing.T) {
	long := strings.Repeat("ж", 100)
	got := fileNames([]string{"dog", "Dog", "traffic light", "../a/b:c", "草", "🐶", "dog-2", "...", long, long + "x", "a  --  b"})
	want := []string{"dog", "Dog-2", "traffic-light", "a-b-c", "草", "label6", "dog-2-2", "label8", got[8], got[8] + "-2", "a-b"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if n := len(got[8]); n > longestName || n < longestName-8 {
		t.Errorf("a long label has a name of %d bytes", n)
	}
}
