package modelfile

import (
	"fmt"
	"testing"
)

func TestWordCounts(t *testing.T) {
	var c WordCounts
	for _, caption := range []string{"A dog, a DOG.", "the dog's ball", "a ball"} {
		c.Add(caption)
	}
	counts, least := c.Most(100)
	if c.Captions != 3 || least != 1 || counts["dog"] != 1 || counts["dog's"] != 1 || counts["a"] != 2 || counts["ball"] != 2 {
		t.Errorf("%v of %d captions, least %d", counts, c.Captions, least)
	}
	if counts, least = c.Most(2); len(counts) != 2 || least != 2 || counts["ball"] != 2 {
		t.Errorf("the two most frequent: %v, least %d", counts, least)
	}
}

// A counter that is full forgets the rarest words and says so; what was written goes
// on alike.
func TestWordCountsBounded(t *testing.T) {
	c := WordCounts{Limit: 8}
	for i := range 400 {
		c.Add(fmt.Sprintf("dog word%d", i))
		if i == 100 {
			b, err := c.JSON(8, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ReadWordCounts(b)
			if err != nil {
				t.Fatal(err)
			}
			again.Limit = c.Limit
			c = *again
		}
	}
	counts, least := c.Most(8)
	if c.Captions != 400 || counts["dog"] != 400 || len(counts) > 8 || least < 2 {
		t.Errorf("%v of %d captions, least %d", counts, c.Captions, least)
	}
	b, err := c.JSON(8, 60)
	if err != nil || len(b) > 60 {
		t.Errorf("%s, %v", b, err)
	}
	for _, bad := range []string{"", "[]", `{"captions": -1}`, `{"counts": {"a": "b"}}`} {
		if _, err := ReadWordCounts([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
