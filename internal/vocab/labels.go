package vocab

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrLabels is wrapped by every error about labels that a user gives.
var ErrLabels = errors.New("bad labels")

// labelsFileBytes caps a labels file: every label with as many bytes as allowed,
// and comments.
const labelsFileBytes = 2 * limits.Labels * limits.LabelBytes

// ParseLabels reads labels as the command line takes them: "dog,grass", with
// synonyms after a bar: "dog|puppy,grass". Space around a label is dropped. At
// most [limits.Labels] labels of at most [limits.LabelBytes] bytes; no label, an
// empty one and one that stands twice are errors.
func ParseLabels(list string) ([]Class, error) {
	if strings.TrimSpace(list) == "" {
		return nil, fmt.Errorf(`%w: there are none: name what to look for, as in "dog,grass"`, ErrLabels)
	}
	parts := strings.Split(list, ",")
	if err := limits.Check("the number of labels", "labels", int64(len(parts)), limits.Labels, "name fewer"); err != nil {
		return nil, err
	}
	labels := make([]Class, len(parts))
	for i, part := range parts {
		names := strings.Split(part, "|")
		labels[i] = Class{Name: names[0], Synonyms: names[1:]}
	}
	return CheckLabels(labels)
}

// ReadLabels reads a labels file: one label a line, its synonyms after it,
// parted by commas; empty lines and lines that start with "#" are skipped. The
// rules are those of [ParseLabels].
func ReadLabels(r io.Reader) ([]Class, error) {
	text, err := io.ReadAll(io.LimitReader(r, labelsFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("labels file: %w", err)
	}
	if err := limits.Check("its size in bytes", "labels file", int64(len(text)), labelsFileBytes, "it holds one label a line"); err != nil {
		return nil, err
	}
	var labels []Class
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\uFEFF")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		names := strings.Split(line, ",")
		labels = append(labels, Class{Name: names[0], Synonyms: names[1:]})
	}
	return CheckLabels(labels)
}

// LabelsOf makes labels of plain names and checks them as [ParseLabels] does;
// a name may hold commas and bars.
func LabelsOf(names []string) ([]Class, error) {
	labels := make([]Class, len(names))
	for i, n := range names {
		labels[i].Name = n
	}
	return CheckLabels(labels)
}

// CheckLabels trims labels and checks them against the rules of [ParseLabels].
func CheckLabels(labels []Class) ([]Class, error) {
	if len(labels) == 0 {
		return nil, fmt.Errorf(`%w: there are none: name what to look for, as in "dog,grass"`, ErrLabels)
	}
	if err := limits.Check("the number of labels", "labels", int64(len(labels)), limits.Labels, "name fewer"); err != nil {
		return nil, err
	}
	checked := make([]Class, len(labels))
	seen := map[string]string{}
	words := 0
	for i, label := range labels {
		names := label.Names()
		if words += len(names); words > maxLabelWords {
			return nil, limits.Check("the number of labels and synonyms", "labels", int64(words), maxLabelWords, "name fewer")
		}
		for k, name := range names {
			name, err := checkName(name)
			if err != nil {
				return nil, fmt.Errorf("label %d: %w", i+1, err)
			}
			key := strings.ToLower(name)
			if first, ok := seen[key]; ok {
				return nil, fmt.Errorf("label %d: %w: %s stands in %s already: name it once", i+1, ErrLabels, quote(name), first)
			}
			seen[key] = fmt.Sprintf("label %d", i+1)
			names[k] = name
		}
		checked[i].Name = names[0]
		if len(names) > 1 {
			checked[i].Synonyms = names[1:]
		}
	}
	return checked, nil
}

// maxLabelWords caps labels and synonyms together, each of which costs a pass
// through the text tower.
const maxLabelWords = 8 * limits.Labels

func checkName(name string) (string, error) {
	if err := limits.Check("its length in bytes", quote(name), int64(len(name)), limits.LabelBytes, "use a word or a short phrase"); err != nil {
		return "", err
	}
	if !utf8.ValidString(name) {
		return "", fmt.Errorf("%w: %s is not valid UTF-8", ErrLabels, quote(name))
	}
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		return "", fmt.Errorf("%w: it is empty: is there a comma too many?", ErrLabels)
	}
	if i := strings.IndexFunc(name, unicode.IsControl); i >= 0 {
		return "", fmt.Errorf("%w: %s has a control character at byte %d", ErrLabels, quote(name), i)
	}
	return name, nil
}

// quote quotes a name for an error, cut where it is long.
func quote(name string) string {
	if len(name) > 60 {
		return fmt.Sprintf("%.40q…", name)
	}
	return fmt.Sprintf("%q", name)
}

// sameWord says whether two words are the same but for case and a plural s.
func sameWord(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "s"), strings.TrimSuffix(b, "s"))
}
