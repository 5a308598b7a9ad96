package video

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

func TestParseSize(t *testing.T) {
	if s, err := ParseSize("640x360"); err != nil || s != (Size{640, 360}) || s.Bytes() != 691200 {
		t.Error(s, err)
	}
	for _, bad := range []string{"", "640", "640x", "x2", "0x5", "-1x5", "640x360x3"} {
		if _, err := ParseSize(bad); !errors.Is(err, ErrFrame) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := ParseSize("30000x30000"); !errors.Is(err, mask.ErrTooLarge) {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	s := Size{2, 1}
	r := bytes.NewReader([]byte{1, 2, 3, 4, 5, 6, 7})
	frame, err := s.Read(r)
	if err != nil || !slices.Equal(frame.Pix, []byte{1, 2, 3, 4, 5, 6}) {
		t.Fatal(frame, err)
	}
	if _, err := s.Read(r); !errors.Is(err, ErrFrame) || !strings.Contains(err.Error(), "has 1 bytes") {
		t.Error(err)
	}
	if _, err := s.Read(r); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// A flash of one frame does not show; what stays does, after a while.
func TestSmoother(t *testing.T) {
	steady, flash := []float32{0.8, 0.2}, []float32{0.3, 0.7}
	one := func(label uint16) *mask.Map { return &mask.Map{Width: 1, Height: 1, Labels: []uint16{label}} }
	s := Smoother{Keep: 0.7}
	for i, step := range []struct {
		label  uint16
		scores []float32
		want   uint16
	}{
		{1, steady, 1}, {2, flash, 1}, {1, steady, 1},
		// 0.7·0.39 − 0.3·0.4 still prefers the first label, 0.7 of that less 0.12 no more.
		{2, flash, 1}, {2, flash, 2}, // stays
		{0, flash, 2}, {2, flash, 2}, // background flashes
		{0, flash, 2}, {0, flash, 0}, // stays
	} {
		if got := s.Add(one(step.label), step.scores).Labels[0]; got != step.want {
			t.Errorf("frame %d: %d, want %d", i, got, step.want)
		}
	}
	none := Smoother{}
	if got := none.Add(one(2), steady).Labels[0]; got != 2 {
		t.Errorf("without smoothing the answer itself shows: %d", got)
	}
}
