package command

import "fmt"

// Count is a number of things in words: "1 photo", "2 photos".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// AllFailed says that every photo of a run failed.
func AllFailed(n int) string {
	if n == 1 {
		return "1 photo failed"
	}
	return fmt.Sprintf("all %d photos failed", n)
}
