package vocab

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// labelsFileBytes caps a list of labels and a labels file: every label with as many
// bytes as allowed, and comments.
const labelsFileBytes = 2 * limits.Labels * limits.LabelBytes

// ParseLabels reads labels as the command line and the server take them: "dog,grass",
// with synonyms after a bar: "dog|puppy,grass". Several lists add up. A name in quotes
// may hold commas, as in CSV: `"salt, pepper",grass`, where "" is one quote; a quote
// within a name means itself. A new line separates labels too, and a list may be JSON:
// ["dog","grass"], with synonyms as "dog|puppy" or as a list of their own.
//
// Space around a label is dropped. At most [limits.Labels] labels of at most
// [limits.LabelBytes] bytes; no label, an empty one and a duplicate are errors, which
// wrap [ErrLabels] or [limits.ErrTooLarge]. What may have been meant otherwise is told
// by [LabelNotes].
func ParseLabels(lists ...string) ([]Class, error) {
	var labels []Class
	for _, list := range lists {
		if err := checkListSize(list, "labels", "name fewer"); err != nil {
			return nil, err
		}
		more, err := parseList(list)
		if err != nil {
			return nil, err
		}
		labels = append(labels, more...)
	}
	return CheckLabels(labels)
}

// ReadLabels reads a labels file: one label a line, its synonyms after it, separated
// by commas, quoted as [ParseLabels] has it; empty lines and lines that start with "#"
// are skipped. A file that is one JSON list is read as that. The rules are those of
// [ParseLabels].
func ReadLabels(r io.Reader) ([]Class, error) {
	data, err := io.ReadAll(io.LimitReader(r, labelsFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("labels file: %w", err)
	}
	text := strings.TrimPrefix(string(data), "\uFEFF")
	if err := checkListSize(text, "labels file", "it holds one label a line"); err != nil {
		return nil, err
	}
	if isJSONList(text) {
		labels, err := parseJSONList(text)
		if err != nil {
			return nil, err
		}
		return CheckLabels(labels)
	}
	var labels []Class
	for line := range strings.Lines(lineEnds.Replace(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		names, rest, err := parseNames(line, ",|")
		if err == nil && rest != "" {
			err = wrongLabels("%s does not end after its names", quote(line))
		}
		if err != nil {
			return nil, err
		}
		labels = append(labels, Class{Name: names[0], Synonyms: names[1:]})
	}
	return CheckLabels(labels)
}

// lineEnds makes every end of a line "\n": those of Windows, and of old Macs.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func checkListSize(text, what, remedy string) error {
	return limits.Check("the size in bytes", what, int64(len(text)), labelsFileBytes, remedy)
}

// parseList reads one list; an empty one has no labels.
func parseList(list string) ([]Class, error) {
	if isJSONList(list) {
		return parseJSONList(list)
	}
	list = strings.TrimSpace(lineEnds.Replace(list))
	var labels []Class
	for list != "" && len(labels) <= limits.Labels { // one too many is refused by its number
		names, rest, err := parseNames(list, "|")
		if err != nil {
			return nil, err
		}
		newLine := strings.HasPrefix(rest, "\n")
		if blank := len(names) == 1 && names[0] == ""; !blank || !newLine { // an empty line is no label
			labels = append(labels, Class{Name: names[0], Synonyms: names[1:]})
		}
		if rest == "" {
			break
		}
		list = rest[1:]
		if list == "" && !newLine { // "dog,": one label too few
			labels = append(labels, Class{})
		}
	}
	return labels, nil
}

// parseNames reads the names of one label, which any of the separators part, up to a
// comma or a new line that is no separator; rest begins with it, or is empty.
func parseNames(s, separators string) (names []string, rest string, err error) {
	for len(names) <= maxLabelWords {
		name, after, err := parseName(s, separators)
		if err != nil {
			return nil, "", err
		}
		names = append(names, name)
		if after == "" || !strings.ContainsRune(separators, rune(after[0])) {
			return names, after, nil
		}
		s = after[1:]
	}
	return names, "", nil // too many, which is refused by their number
}

// parseName reads a name, quoted or not, without the space around it. after begins
// with what ended it: a separator, a comma or a new line, or is empty.
func parseName(s, separators string) (name, after string, err error) {
	ends := separators + ",\n"
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, `"`) {
		return cutBefore(s, ends)
	}
	name, after, closed := parseQuoted(s)
	plain, plainAfter, _ := cutBefore(s, ends)
	switch {
	case closed && (after == "" || strings.ContainsRune(ends, rune(after[0]))):
		if strings.Contains(name, "|") {
			return "", "", wrongLabels("%s: a label cannot hold a bar, which separates synonyms", quote(name))
		}
		return name, after, nil
	case closed && len(s)-len(after) <= len(plain): // nothing in the quotes needs them: `"x" & y` means itself
		return plain, plainAfter, nil
	case closed:
		return "", "", wrongLabels("%s: quotes stand around a whole name, as in CSV; a quote within quotes is written twice", quote(s))
	}
	return "", "", wrongLabels("%s: the quote is not closed; quotes stand around a whole name, as in CSV", quote(s))
}

// cutBefore cuts a text before the first of some characters; its error is nil.
func cutBefore(s, ends string) (name, after string, err error) {
	if i := strings.IndexAny(s, ends); i >= 0 {
		return strings.TrimSpace(s[:i]), s[i:], nil
	}
	return strings.TrimSpace(s), "", nil
}

// parseQuoted reads a text in quotes; after is what follows the closing one and the
// space behind it.
func parseQuoted(s string) (text, after string, closed bool) {
	var b strings.Builder
	for s = s[1:]; ; s = s[1:] {
		before, rest, found := strings.Cut(s, `"`)
		b.WriteString(before)
		if !found {
			return "", "", false
		}
		if !strings.HasPrefix(rest, `"`) {
			return b.String(), strings.TrimLeft(rest, " \t"), true
		}
		b.WriteByte('"')
		s = rest
	}
}

// isJSONList reports whether a text looks like a JSON list.
func isJSONList(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]")
}

// parseJSONList reads a JSON list of names, or of lists of a name and its synonyms.
func parseJSONList(s string) ([]Class, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal([]byte(s), &entries); err != nil {
		return nil, wrongLabels(`%s looks like a JSON list and is none (%v); write ["dog","grass"], or dog,grass`, quote(s), err)
	}
	var labels []Class
	for i, entry := range entries {
		var one string
		var several []string
		switch {
		case json.Unmarshal(entry, &one) == nil && string(entry) != "null":
			several = []string{one}
		case json.Unmarshal(entry, &several) != nil || len(several) == 0:
			return nil, wrongLabels("label %d of the JSON list is %s; it must be a text, or a list of a name and its synonyms", i+1, quote(string(entry)))
		}
		names := strings.Split(strings.Join(several, "|"), "|")
		labels = append(labels, Class{Name: names[0], Synonyms: names[1:]})
	}
	return labels, nil
}
