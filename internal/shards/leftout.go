package shards

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/groupvit/groupvit/internal/imaging"
)

// LeftOut counts what of the sources is not used: files, because of what they are, and
// parts of what is used, as columns of a table. It is safe for concurrent use; a nil one
// counts nothing.
type LeftOut struct {
	mutex sync.Mutex
	kinds map[string]int // files
	parts map[string]int
}

// The kinds of what is left out, beside endings of files (".cls").
const (
	KindHidden  = "hidden"
	KindMac     = "of macOS (._*)"
	KindLink    = "linking to others"
	KindSpecial = "of special kinds"
	KindEnding  = "without an extension"
	KindSecond  = "second photos or texts of a sample"
)

// most is how many kinds are named.
const most = 8

// Add counts a file of a kind.
func (l *LeftOut) Add(kind string) {
	if l != nil {
		l.count(&l.kinds, kind)
	}
}

// AddPart counts a part of something that is used otherwise: a column of a table, the
// tags of a sample.
func (l *LeftOut) AddPart(what string) {
	if l != nil {
		l.count(&l.parts, what)
	}
}

func (l *LeftOut) count(counts *map[string]int, what string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[what]++
}

// AddFile counts a file by its name: hidden, or by its ending.
func (l *LeftOut) AddFile(name string) {
	switch base := path.Base(name); {
	case strings.HasPrefix(base, "._"):
		l.Add(KindMac)
	case strings.HasPrefix(base, "."):
		l.Add(KindHidden)
	default:
		l.Add(cmp.Or(strings.ToLower(path.Ext(base)), KindEnding))
	}
}

// Kinds returns how many files there are of each kind.
func (l *LeftOut) Kinds() map[string]int {
	kinds, _ := l.counts()
	return kinds
}

// counts returns how many files there are of each kind, and parts.
func (l *LeftOut) counts() (kinds, parts map[string]int) {
	if l == nil {
		return nil, nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return maps.Clone(l.kinds), maps.Clone(l.parts)
}

// Total is the number of files.
func (l *LeftOut) Total() (n int) {
	for _, k := range l.Kinds() {
		n += k
	}
	return n
}

// String is the count in one line: "8 files left out: 5 .cls, 3 hidden; not used:
// column \"url\" (2 times)"; "" where all is used.
func (l *LeftOut) String() string {
	kinds, parts := l.counts()
	var text []string
	if len(kinds) > 0 {
		names, others := mostOf(kinds, func(name string, n int) string { return fmt.Sprintf("%d %s", n, name) })
		if others > 0 {
			names = append(names, fmt.Sprintf("%d others", others))
		}
		count := "1 file"
		if total := l.Total(); total != 1 {
			count = fmt.Sprintf("%d files", total)
		}
		text = append(text, count+" left out: "+strings.Join(names, ", "))
	}
	if len(parts) > 0 {
		names, others := mostOf(parts, func(name string, n int) string {
			if n == 1 {
				return name
			}
			return fmt.Sprintf("%s (%d times)", name, n)
		})
		if others > 0 {
			names = append(names, fmt.Sprintf("and %d more", len(parts)-len(names)))
		}
		text = append(text, "not used: "+strings.Join(names, ", "))
	}
	return strings.Join(text, "; ")
}

// mostOf writes the largest counts, and returns the sum of the others.
func mostOf(counts map[string]int, write func(name string, n int) string) (written []string, others int) {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		if i < most {
			written = append(written, write(name, counts[name]))
		} else {
			others += counts[name]
		}
	}
	return written, others
}

// MarshalJSON writes the counts, of files by kind and of parts by what they are.
func (l *LeftOut) MarshalJSON() ([]byte, error) {
	kinds, parts := l.counts()
	all := map[string]int{}
	maps.Copy(all, kinds)
	maps.Copy(all, parts)
	return json.Marshal(all)
}

// Hints says what to do about pictures of kinds that are not read.
func (l *LeftOut) Hints() []string {
	var hints []string
	for _, ending := range slices.Sorted(maps.Keys(l.Kinds())) {
		if kind, mend, ok := imaging.Unread("photo" + ending); ok {
			hint := fmt.Sprintf("%s is not read: %s", kind, mend)
			if !slices.Contains(hints, hint) {
				hints = append(hints, hint)
			}
		}
	}
	return hints
}
