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

// LeftOut counts files that are not used because of what they are. It is safe for
// concurrent use; a nil one counts nothing.
type LeftOut struct {
	mutex sync.Mutex
	kinds map[string]int
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

// Add counts something of a kind.
func (l *LeftOut) Add(kind string) {
	if l == nil {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.kinds == nil {
		l.kinds = map[string]int{}
	}
	l.kinds[kind]++
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

// Kinds returns how many there are of each kind.
func (l *LeftOut) Kinds() map[string]int {
	if l == nil {
		return nil
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return maps.Clone(l.kinds)
}

// Total is their number.
func (l *LeftOut) Total() (n int) {
	for _, k := range l.Kinds() {
		n += k
	}
	return n
}

// String is the count in one line: "8 files left out: 5 .cls, 3 hidden"; "" where
// nothing was.
func (l *LeftOut) String() string {
	kinds := l.Kinds()
	if len(kinds) == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a, b))
	})
	var parts []string
	others := 0
	for i, n := range names {
		if i < most {
			parts = append(parts, fmt.Sprintf("%d %s", kinds[n], n))
		} else {
			others += kinds[n]
		}
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("%d others", others))
	}
	if total := l.Total(); total != 1 {
		return fmt.Sprintf("%d files left out: %s", total, strings.Join(parts, ", "))
	}
	return "1 file left out: " + parts[0]
}

// MarshalJSON writes the counts by kind.
func (l *LeftOut) MarshalJSON() ([]byte, error) {
	kinds := l.Kinds()
	if kinds == nil {
		kinds = map[string]int{}
	}
	return json.Marshal(kinds)
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
