//go:build unix

package cli

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// awaitAccepted waits, a second at most, until no connection waits to be accepted:
// closing a listener cuts those that do.
func awaitAccepted(l net.Listener) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	for range 1000 {
		waiting := 0
		raw.Control(func(fd uintptr) {
			waiting, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		})
		if waiting <= 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
