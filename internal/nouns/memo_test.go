package nouns

import (
	"strings"
	"testing"
)

func TestMemo(t *testing.T) {
	count := 0
	f := Memo(finderFunc(func(s string) []string { count++; return strings.Fields(s) }), 2)
	for _, caption := range []string{"a b", "a b", "c", "d", "d", "a b"} {
		if got := strings.Join(f.Nouns(caption), " "); got != caption {
			t.Errorf("%q: got %q", caption, got)
		}
	}
	if count != 4 { // a b, c, and d twice, for which there was no room
		t.Errorf("asked %d times, want 4", count)
	}
}

type finderFunc func(string) []string

func (f finderFunc) Nouns(caption string) []string { return f(caption) }
