//go:build !unix

package server

import "net"

// awaitAccepted has no way to ask for connections that wait here.
func awaitAccepted(net.Listener) {}
