package bpe

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// object keeps the order of a JSON object's keys.
type object []field

type field struct {
	key   string
	value any
}

// MarshalJSON writes the fields in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := marshal(f.key)
		if err != nil {
			return nil, err
		}
		value, err := marshal(f.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal is json.Marshal without escaping "<", ">" and "&".
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Files returns the tokenizer's files of a Hugging Face directory, by name, for a
// network that reads context tokens: who reads them cuts longer texts.
func (t *Tokenizer) Files(context int) (map[string][]byte, error) {
	vocabulary := make(object, len(t.tokens))
	for i, token := range t.tokens {
		vocabulary[i] = field{token, i}
	}
	var merges bytes.Buffer
	merges.WriteString("#version: 0.2\n")
	lines := make([]string, len(t.merges))
	for i, m := range t.merges {
		lines[i] = m[0] + " " + m[1]
		merges.WriteString(lines[i] + "\n")
	}
	files := map[string][]byte{MergesFile: merges.Bytes()}
	for name, value := range map[string]any{
		VocabularyFile: vocabulary,
		TokenizerFile:  t.tokenizerJSON(vocabulary, lines, context),
		ConfigFile: object{
			{"add_prefix_space", false},
			{"bos_token", startToken},
			{"clean_up_tokenization_spaces", false},
			{"do_lower_case", true},
			{"eos_token", endToken},
			{"errors", "replace"},
			{"model_max_length", context},
			{"pad_token", endToken},
			{"tokenizer_class", "CLIPTokenizer"},
			{"unk_token", endToken},
		},
		SpecialTokensFile: object{
			{"bos_token", startToken},
			{"eos_token", endToken},
			{"pad_token", endToken},
			{"unk_token", endToken},
		},
	} {
		b, err := marshal(value)
		if err != nil {
			return nil, fmt.Errorf("save tokenizer: %s: %w", name, err)
		}
		files[name] = append(b, '\n')
	}
	return files, nil
}

// splitPattern is CLIP's pattern without the special tokens, which the library
// takes out of a text before.
const splitPattern = `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`

// tokenizerJSON describes the tokenizer for Hugging Face's tokenizers library,
// as transformers does for CLIP.
func (t *Tokenizer) tokenizerJSON(vocabulary object, merges []string, context int) object {
	special := func(content string, id int32) object {
		return object{
			{"id", id}, {"content", content}, {"single_word", false}, {"lstrip", false},
			{"rstrip", false}, {"normalized", false}, {"special", true},
		}
	}
	regex := func(pattern string) object { return object{{"Regex", pattern}} }
	return object{
		{"version", "1.0"},
		{"truncation", truncation(context)},
		{"padding", nil},
		{"added_tokens", []object{special(startToken, t.start), special(endToken, t.end)}},
		{"normalizer", object{
			{"type", "Sequence"},
			{"normalizers", []object{
				{{"type", "NFC"}},
				{{"type", "Replace"}, {"pattern", regex(`\s+`)}, {"content", " "}},
				{{"type", "Lowercase"}},
			}},
		}},
		{"pre_tokenizer", object{
			{"type", "Sequence"},
			{"pretokenizers", []object{
				{{"type", "Split"}, {"pattern", regex(splitPattern)}, {"behavior", "Removed"}, {"invert", true}},
				{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}},
			}},
		}},
		{"post_processor", object{
			{"type", "RobertaProcessing"},
			{"sep", []any{endToken, t.end}},
			{"cls", []any{startToken, t.start}},
			{"trim_offsets", false},
			{"add_prefix_space", false},
		}},
		{"decoder", object{
			{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true},
		}},
		{"model", object{
			{"type", "BPE"}, {"dropout", nil}, {"unk_token", endToken},
			{"continuing_subword_prefix", ""}, {"end_of_word_suffix", wordEnd},
			{"fuse_unk", false}, {"byte_fallback", false}, {"ignore_merges", false},
			{"vocab", vocabulary}, {"merges", merges},
		}},
	}
}
