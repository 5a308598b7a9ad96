package vocab

import "testing"

func TestWordCounter(t *testing.T) {
	var c WordCounter
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
