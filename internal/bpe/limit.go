package bpe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// truncation tells Hugging Face's tokenizers to cut a text to context tokens, start and
// end included, as [Tokenizer.Encode] does.
func truncation(context int) object {
	return object{{"direction", "Right"}, {"max_length", context}, {"strategy", "LongestFirst"}, {"stride", 0}}
}

// WithContext returns a tokenizer's files so that whoever reads them cuts texts to
// context tokens: tokenizer.json, which is made of the others where it is missing, and
// tokenizer_config.json say so. Errors wrap [ErrTokenizer].
func WithContext(files map[string][]byte, context int) (map[string][]byte, error) {
	if _, ok := files[TokenizerFile]; !ok {
		t, err := FromFiles(files)
		if err != nil {
			return nil, err
		}
		made, err := t.Files(context)
		if err != nil {
			return nil, err
		}
		maps.Copy(made, files)
		files = made
	}
	out := maps.Clone(files)
	for name, change := range map[string]field{TokenizerFile: {"truncation", truncation(context)}, ConfigFile: {"model_max_length", context}} {
		b, ok := out[name]
		if !ok {
			continue
		}
		changed, err := setKey(b, change)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTokenizer, name, err)
		}
		out[name] = changed
	}
	return out, nil
}

// setKey sets a key of a JSON object and leaves the others as they are, in their order.
func setKey(b []byte, change field) ([]byte, error) {
	var out object
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("it is no JSON object (%w)", err)
	}
	set := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		f := field{key.(string), value} // a key is a string, or the decoder fails
		if f.key == change.key {
			f, set = change, true
		}
		out = append(out, f)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if !set {
		out = append(out, change)
	}
	text, err := out.MarshalJSON()
	return append(text, '\n'), err
}
