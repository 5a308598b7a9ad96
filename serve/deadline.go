package serve

import (
	"net/http"
	"time"
)

// slowest is the rate, in bytes a second, below which a client that takes an
// answer is let go.
const slowest = 64 << 10

// allow gives a client the time to take n bytes.
func allow(w http.ResponseWriter, stall time.Duration, n int) {
	until := time.Now().Add(stall + time.Duration(n)*time.Second/slowest)
	http.NewResponseController(w).SetWriteDeadline(until) // not every connection has one
}
