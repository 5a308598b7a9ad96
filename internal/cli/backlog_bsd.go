//go:build unix && !linux

package cli

// refuseNew cannot keep others from coming here.
func refuseNew(int) {}
