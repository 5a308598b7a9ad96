package bpe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Names of the tokenizer files of a Hugging Face directory.
const (
	TokenizerFile     = "tokenizer.json"
	VocabularyFile    = "vocab.json"
	MergesFile        = "merges.txt"
	ConfigFile        = "tokenizer_config.json"
	SpecialTokensFile = "special_tokens_map.json"
)

// ErrNoTokenizer says that there are no tokenizer files. It wraps
// [ErrTokenizer]; a caller may go on with [CLIP] or [Truncated].
var ErrNoTokenizer = fmt.Errorf("%w: neither %s nor %s with %s", ErrTokenizer, TokenizerFile, VocabularyFile, MergesFile)

// Load reads the tokenizer of a directory; see [FromFiles].
func Load(dir string) (*Tokenizer, error) {
	t, err := LoadFS(os.DirFS(dir), ".")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return t, nil
}

// LoadFS reads the tokenizer of a directory of a file system.
func LoadFS(fsys fs.FS, dir string) (*Tokenizer, error) {
	files := map[string][]byte{}
	for _, name := range []string{TokenizerFile, VocabularyFile, MergesFile} {
		b, err := readFile(fsys, path.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTokenizer, name, err)
		}
		files[name] = b
	}
	return FromFiles(files)
}

// FromFiles reads a tokenizer of the files of a Hugging Face directory by name:
// tokenizer.json alone, or else vocab.json with merges.txt. Other files are
// ignored. The vocabulary must be CLIP's kind: bytes, merges, "</w>" at the end
// of words, and the two special tokens; its size may differ.
//
// Errors wrap [ErrTokenizer] and name the file; [ErrNoTokenizer] when none is
// there.
func FromFiles(files map[string][]byte) (*Tokenizer, error) {
	for name, b := range files {
		if err := limits.Check("its size in bytes", name, int64(len(b)), limits.TokenizerBytes, "is it a tokenizer file?"); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
		}
	}
	if b, ok := files[TokenizerFile]; ok {
		t, err := parseTokenizer(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", TokenizerFile, err)
		}
		return t, nil
	}
	vocabulary, ok1 := files[VocabularyFile]
	merges, ok2 := files[MergesFile]
	switch {
	case !ok1 && !ok2:
		return nil, ErrNoTokenizer
	case !ok1 || !ok2:
		return nil, fmt.Errorf("%w: %s and %s go together; one is missing", ErrTokenizer, VocabularyFile, MergesFile)
	}
	t, err := parsePair(vocabulary, merges)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", VocabularyFile, MergesFile, err)
	}
	return t, nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limits.TokenizerBytes+1))
	if err != nil {
		return nil, err
	}
	return b, limits.Check("its size in bytes", name, int64(len(b)), limits.TokenizerBytes, "is it a tokenizer file?")
}

// parsePair reads vocab.json, an object from symbol to id, and merges.txt, a
// header line and one merge a line.
func parsePair(vocabulary, merges []byte) (*Tokenizer, error) {
	var ids map[string]int64
	if err := json.Unmarshal(vocabulary, &ids); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	tokens, err := inOrder(ids)
	if err != nil {
		return nil, err
	}
	var list [][2]string
	lines := bufio.NewScanner(bytes.NewReader(merges))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" || n == 1 && strings.Contains(line, "#version") {
			continue
		}
		m, err := parseMerge(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, m)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	return build(tokens, list)
}

func parseMerge(line string) ([2]string, error) {
	left, right, ok := strings.Cut(line, " ")
	if !ok || left == "" || right == "" || strings.Contains(right, " ") {
		return [2]string{}, fmt.Errorf("%w: the merge %.40q: it is two symbols with one space between", ErrTokenizer, line)
	}
	return [2]string{left, right}, nil
}

// inOrder lists symbols by id and checks that the ids are 0, 1, 2, …
func inOrder(ids map[string]int64) ([]string, error) {
	tokens := make([]string, len(ids))
	seen := make([]bool, len(ids))
	for token, id := range ids {
		if id < 0 || id >= int64(len(ids)) {
			return nil, fmt.Errorf("%w: the symbol %.40q has id %d, of %d symbols: ids must run from 0 without a gap", ErrTokenizer, token, id, len(ids))
		}
		if seen[id] {
			return nil, fmt.Errorf("%w: the id %d belongs to %.40q and to %.40q", ErrTokenizer, id, tokens[id], token)
		}
		tokens[id], seen[id] = token, true
	}
	return tokens, nil
}

// tokenizerJSON is what matters of a tokenizer.json.
type tokenizerJSON struct {
	AddedTokens []struct {
		ID      int64  `json:"id"`
		Content string `json:"content"`
	} `json:"added_tokens"`
	Model struct {
		Type                    string            `json:"type"`
		ContinuingSubwordPrefix *string           `json:"continuing_subword_prefix"`
		EndOfWordSuffix         *string           `json:"end_of_word_suffix"`
		Vocab                   map[string]int64  `json:"vocab"`
		Merges                  []json.RawMessage `json:"merges"`
	} `json:"model"`
}

func parseTokenizer(b []byte) (*Tokenizer, error) {
	var file tokenizerJSON
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	m := file.Model
	switch {
	case m.Type != "BPE" && m.Type != "": // old files have no type
		return nil, fmt.Errorf("%w: its model is %.40q: only BPE is read", ErrTokenizer, m.Type)
	case m.EndOfWordSuffix == nil || *m.EndOfWordSuffix != wordEnd:
		return nil, fmt.Errorf("%w: its model does not mark the end of words with %q, as CLIP's does", ErrTokenizer, wordEnd)
	case m.ContinuingSubwordPrefix != nil && *m.ContinuingSubwordPrefix != "":
		return nil, fmt.Errorf("%w: its model marks continued words with %.40q, which CLIP's does not", ErrTokenizer, *m.ContinuingSubwordPrefix)
	}
	ids := m.Vocab
	for _, added := range file.AddedTokens {
		if id, ok := ids[added.Content]; ok && id != added.ID {
			return nil, fmt.Errorf("%w: the added token %.40q has the ids %d and %d", ErrTokenizer, added.Content, added.ID, id)
		}
		if ids == nil {
			ids = map[string]int64{}
		}
		ids[added.Content] = added.ID
	}
	tokens, err := inOrder(ids)
	if err != nil {
		return nil, err
	}
	merges := make([][2]string, len(m.Merges))
	for i, raw := range m.Merges {
		// A merge is "left right" in older files, ["left", "right"] in newer.
		var line string
		var both []string
		switch {
		case json.Unmarshal(raw, &line) == nil:
			if merges[i], err = parseMerge(line); err != nil {
				return nil, fmt.Errorf("merge %d: %w", i+1, err)
			}
		case json.Unmarshal(raw, &both) == nil && len(both) == 2:
			merges[i] = [2]string{both[0], both[1]}
		default:
			return nil, fmt.Errorf("%w: merge %d is %.40s: it is two symbols", ErrTokenizer, i+1, raw)
		}
	}
	return build(tokens, merges)
}

// Save writes the tokenizer to a directory, in the five files from which
// Hugging Face's transformers makes its CLIP tokenizer.
func (t *Tokenizer) Save(dir string) error {
	files, err := t.Files(ClipContext)
	if err != nil {
		return err
	}
	for name, b := range files {
		target := filepath.Join(dir, name)
		partial := target + ".partial"
		if err := os.WriteFile(partial, b, 0o644); err != nil {
			return fmt.Errorf("save tokenizer: %w", err)
		}
		if err := os.Rename(partial, target); err != nil {
			return fmt.Errorf("save tokenizer: %w", err)
		}
	}
	return nil
}
