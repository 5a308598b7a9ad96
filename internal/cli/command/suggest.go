package command

import (
	"fmt"
	"strings"
)

// UnknownName is the error about a name that is none of some: it lists them, and asks
// for the one that is spelt alike.
func UnknownName(kind, name string, known []string) error {
	if like := Closest(name, known); like != "" {
		return fmt.Errorf("unknown %s %.40q; choose %s (did you mean %s?)", kind, name, ListOf(known, "or"), like)
	}
	return fmt.Errorf("unknown %s %.40q; choose %s", kind, name, ListOf(known, "or"))
}

// ListOf lists words: "a, b or c".
func ListOf(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}

// Closest returns the word that is spelt most like another, or "" where none is: at
// most two letters differ, and fewer than half of them.
func Closest(word string, known []string) string {
	word = strings.ToLower(word)
	best, least := "", 3
	for _, k := range known {
		d := distance(word, strings.ToLower(k))
		if 2*d < max(len(word), len(k)) && d < least {
			best, least = k, d
		}
	}
	if best == "" && len(word) > 1 {
		for _, k := range known {
			if strings.HasPrefix(strings.ToLower(k), word) {
				return k
			}
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with a neighbor
// to make one word the other (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 { // no word of ours
		return max(len(x), len(y))
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for k := range y {
		rows[0][k+1] = k + 1
	}
	for i := 1; i <= len(x); i++ {
		for k := 1; k <= len(y); k++ {
			cost := 1
			if x[i-1] == y[k-1] {
				cost = 0
			}
			rows[i][k] = min(rows[i-1][k]+1, rows[i][k-1]+1, rows[i-1][k-1]+cost)
			if i > 1 && k > 1 && x[i-1] == y[k-2] && x[i-2] == y[k-1] {
				rows[i][k] = min(rows[i][k], rows[i-2][k-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
