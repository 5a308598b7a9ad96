package server

import "golang.org/x/sys/unix"

// refuseNew lets the system drop the packets that begin a connection to a listening
// socket, so that those who wait to be accepted become no more; connections that there
// are, or half are, do not change. Who is dropped tries again, and finds nobody then.
func refuseNew(fd int) {
	const flags, syn = 13, 2 // of TCP's header: the byte, and the bit in it (RFC 9293)
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: syn, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1},
	}
	// An error leaves it to chance, as elsewhere.
	_ = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}
