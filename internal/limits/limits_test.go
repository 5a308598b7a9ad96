package limits

import (
	"errors"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		got  int64
		fits bool
	}{{0, true}, {9, true}, {10, true}, {11, false}, {1 << 62, false}, {-1, false}} {
		err := Check("number of pixels", "cat.jpg", c.got, 10, "make it smaller")
		if (err == nil) != c.fits {
			t.Errorf("%d of 10: %v", c.got, err)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v wraps no ErrTooLarge", err)
		}
		for _, want := range []string{"cat.jpg: ", "number of pixels", "the limit is 10", "make it smaller"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q lacks %q", err, want)
			}
		}
	}
}
