//go:build unix

package server

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// awaitAccepted waits, some seconds at most, until no connection has waited to be
// accepted for a while: closing a listener cuts those that do. Where the system can, no
// others come meanwhile.
func awaitAccepted(l net.Listener) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { refuseNew(int(fd)) })
	const still = 20 // milliseconds: for one that is being made, or has just been accepted
	for calm, i := 0, 0; calm < still && i < 2000; i++ {
		waiting := 0
		raw.Control(func(fd uintptr) {
			waiting, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		})
		if calm++; waiting > 0 {
			calm = 0
		}
		time.Sleep(time.Millisecond)
	}
}
