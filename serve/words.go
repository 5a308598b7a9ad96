package serve

import "fmt"

// count writes a number with its noun: "1 photo", "3 photos".
func count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
