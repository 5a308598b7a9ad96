package groupvit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
)

// A record says everything but the pixels, and of words that training hardly had
// that it hardly had them.
func TestRecord(t *testing.T) {
	m, err := groupvit.Open(t.Context(), groupvit.DefaultModel, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := m.Segment(t.Context(), imaging.New(64, 48), []string{"dog", "zeppelin"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(m.Record("x.jpg", 64, 48, s, 0.5))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"photo":"x.jpg"`, `"width":64`, `"height":48`, `"seconds":0.5`, `"labels":["dog","zeppelin"]`, `"segments":[`, `"model":{"name":"default"`,
		`"protocol":"best"`, `"background":"`, `"report":{`, `"rare_words":[{"label":"zeppelin","captions":0,"near":[`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is missing in %s", want, b)
		}
	}
}
