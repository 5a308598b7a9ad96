package cli

import "fmt"

// count is a number of things in words: "1 photo", "2 photos".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// allFailed says that every photo of a run failed.
func allFailed(n int) string {
	if n == 1 {
		return "1 photo failed"
	}
	return fmt.Sprintf("all %d photos failed", n)
}
