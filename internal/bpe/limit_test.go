package bpe

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// Files say how many tokens the network reads, also those of others, whose further
// keys stay.
func TestWithContext(t *testing.T) {
	made, err := small(t).Files(48)
	if err != nil {
		t.Fatal(err)
	}
	checkContext(t, made, 48)
	changed, err := WithContext(made, 20)
	if err != nil {
		t.Fatal(err)
	}
	checkContext(t, changed, 20)
	checkContext(t, made, 48) // as it was
	if want := bytes.Replace(made[TokenizerFile], []byte(`"max_length":48`), []byte(`"max_length":20`), 1); !bytes.Equal(changed[TokenizerFile], want) {
		t.Error("more than the length changed")
	}
	// Of two files a third is made.
	changed, err = WithContext(map[string][]byte{VocabularyFile: made[VocabularyFile], MergesFile: made[MergesFile]}, 30)
	if err != nil {
		t.Fatal(err)
	}
	checkContext(t, changed, 30)
	// Of an older file that has no such key.
	changed, err = WithContext(map[string][]byte{TokenizerFile: []byte(`{"model": {"vocab": {"é": 1}}}`), ConfigFile: []byte(`{"x": [1, {"y": 2}]}`)}, 7)
	if err != nil {
		t.Fatal(err)
	}
	checkContext(t, changed, 7)
	if !bytes.Contains(changed[ConfigFile], []byte(`"x":[1,{"y":2}]`)) || !bytes.Contains(changed[TokenizerFile], []byte("é")) {
		t.Errorf("%s %s", changed[ConfigFile], changed[TokenizerFile])
	}
	if _, err := WithContext(map[string][]byte{ConfigFile: []byte("{}")}, 7); !errors.Is(err, ErrNoTokenizer) {
		t.Errorf("no tokenizer: %v", err)
	}
	for _, bad := range []string{"", "[1]", `{"a": 1`, `{"a"}`, "null"} {
		if _, err := WithContext(map[string][]byte{TokenizerFile: []byte(bad)}, 7); !errors.Is(err, ErrTokenizer) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func checkContext(t *testing.T, files map[string][]byte, want int) {
	t.Helper()
	var tokenizer struct {
		Truncation struct {
			MaxLength int `json:"max_length"`
		}
	}
	var config struct {
		MaxLength int `json:"model_max_length"`
	}
	if err := json.Unmarshal(files[TokenizerFile], &tokenizer); err != nil || tokenizer.Truncation.MaxLength != want {
		t.Errorf("%s cuts at %d tokens, want %d; %v", TokenizerFile, tokenizer.Truncation.MaxLength, want, err)
	}
	if err := json.Unmarshal(files[ConfigFile], &config); err != nil || config.MaxLength != want {
		t.Errorf("%s has a length of %d, want %d; %v", ConfigFile, config.MaxLength, want, err)
	}
}
