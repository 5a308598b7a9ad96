package vocab

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrLabels is wrapped by every error about labels that a user gives. Its own words
// are not part of their texts, which begin with what is wrong.
var ErrLabels = errors.New("bad labels")

// labelError is an error about labels whose text is its own alone.
type labelError string

func (e labelError) Error() string { return string(e) }
func (labelError) Unwrap() error   { return ErrLabels }

// wrongLabels makes an error that wraps [ErrLabels].
func wrongLabels(format string, args ...any) error {
	return labelError(fmt.Sprintf(format, args...))
}

// errNoLabels is the error of an empty list.
var errNoLabels = wrongLabels(`no labels given; name what to look for, as in "dog,grass"`)

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
		return nil, errNoLabels
	}
	if err := limits.Check("the number of labels", "labels", int64(len(labels)), limits.Labels, "name fewer"); err != nil {
		return nil, err
	}
	checked := make([]Class, len(labels))
	seen := map[string]int{}
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
				return nil, wrongLabels("duplicate label %s: it is label %d and label %d; name it once", quote(name), first, i+1)
			}
			seen[key] = i + 1
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
		return "", wrongLabels("%s is not valid UTF-8", quote(name))
	}
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		return "", wrongLabels("it is empty; is there a comma too many?")
	}
	if i := strings.IndexFunc(name, unicode.IsControl); i >= 0 {
		return "", wrongLabels("%s has a control character at byte %d", quote(name), i)
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
