package photos

import (
	"bytes"
	"testing"

	"github.com/groupvit/groupvit/mask"
)

// A label's colour does not depend on what else is in the frame: a mask's colours are
// those of the labels.
func TestVideoColours(t *testing.T) {
	m, err := mask.New(2, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.Labels[0] = 2
	alone, _ := maskFrame(nil, m, nil)
	m.Labels[1] = 7
	both, _ := maskFrame(nil, m, nil)
	if !bytes.Equal(alone[:3], both[:3]) || bytes.Equal(both[:3], both[3:]) || !bytes.Equal(alone[3:], []byte{0, 0, 0}) {
		t.Errorf("%v, %v", alone, both)
	}
}
