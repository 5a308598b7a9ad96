package tower

import "testing"

func TestTextCache(t *testing.T) {
	c := newTextCache(2)
	c.put("a", []float32{1})
	c.put("b", []float32{2})
	c.put("b", []float32{9}) // known already
	if c.get("a") == nil {   // now the latest used
		t.Fatal("a is gone")
	}
	c.put("c", []float32{3})
	if c.get("b") != nil || c.get("a") == nil || c.get("c") == nil || c.order.Len() != 2 || len(c.byKey) != 2 {
		t.Errorf("it holds %d texts, a %v, b %v, c %v", len(c.byKey), c.get("a"), c.get("b"), c.get("c"))
	}
}
