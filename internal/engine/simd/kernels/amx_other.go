//go:build !linux || !amd64

package kernels

// Tiles are used on Linux alone.

func amxOffered() bool { return false }

func amxMissing() string { return "" }

func amxRequest() (amxRunner, string) { return nil, "AMX is used on linux/amd64 alone" }
