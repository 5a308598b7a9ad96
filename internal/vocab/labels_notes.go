package vocab

import (
	"fmt"
	"strings"
	"sync"
)

// LabelNotes returns a sentence for each label that may have been meant otherwise: a
// label that looks like a list of labels, and synonyms that are different things. They
// are allowed; whoever gave them should know how they were read.
func LabelNotes(labels []Class) []string {
	var notes []string
	for _, l := range labels {
		for _, name := range l.Names() {
			if note := nameNote(name); note != "" {
				notes = append(notes, note)
			}
		}
		if a, b, ok := differentThings(l.Names()); ok {
			notes = append(notes, fmt.Sprintf("%s is read as one label with %s, though %s and %s are different things; separate labels with commas, or give each its own line of a file",
				quote(strings.Join(l.Names(), ", ")), synonyms(len(l.Synonyms)), quote(a), quote(b)))
		}
	}
	return notes
}

// FileNotes is [LabelNotes] for the labels of a file, where a list on a single line is
// one label with synonyms.
func FileNotes(labels []Class) []string {
	if len(labels) == 1 && len(labels[0].Synonyms) > 0 {
		return []string{fmt.Sprintf("the labels file's only line, %s, is read as one label with %s; to look for each, give each its own line",
			quote(strings.Join(labels[0].Names(), ", ")), synonyms(len(labels[0].Synonyms)))}
	}
	return LabelNotes(labels)
}

func synonyms(n int) string {
	if n == 1 {
		return "1 synonym"
	}
	return fmt.Sprintf("%d synonyms", n)
}

// nameNote says what is odd about a name, or "".
func nameNote(name string) string {
	for _, mark := range []string{";", "，", "、", "；", "|"} {
		if strings.Contains(name, mark) {
			return fmt.Sprintf("%s is read as one label; labels are separated by commas, not by %q", quote(name), mark)
		}
	}
	if strings.HasPrefix(name, "'") || strings.HasSuffix(name, "'") && !strings.HasSuffix(name, "s'") {
		return fmt.Sprintf("%s is read with its single quote; only double quotes enclose a label", quote(name))
	}
	return ""
}

// differentThings returns two names that some benchmark's list has as different
// classes, and none as the same.
func differentThings(names []string) (a, b string, ok bool) {
	names = names[:min(len(names), 64)] // enough to see what it is
	for i, a := range names {
		for _, b := range names[i+1:] {
			if different(strings.ToLower(a), strings.ToLower(b)) {
				return a, b, true
			}
		}
	}
	return "", "", false
}

func different(a, b string) bool {
	apart := false
	for _, classes := range classNumbers() {
		i, knowsA := classes[a]
		k, knowsB := classes[b]
		switch {
		case knowsA && knowsB && i == k:
			return false
		case knowsA && knowsB:
			apart = true
		}
	}
	return apart
}

// classNumbers are the classes of every list by name and synonym, in lower case.
var classNumbers = sync.OnceValue(func() []map[string]int {
	var lists []map[string]int
	for _, list := range classLists {
		numbers := map[string]int{}
		for i, c := range list {
			for _, n := range c.Names() {
				numbers[strings.ToLower(n)] = i
			}
		}
		lists = append(lists, numbers)
	}
	return lists
})
