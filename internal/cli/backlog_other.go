//go:build !unix

package cli

import "net"

// awaitAccepted has no way to ask for connections that wait here.
func awaitAccepted(net.Listener) {}
