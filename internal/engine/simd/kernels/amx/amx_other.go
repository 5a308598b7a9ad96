//go:build !linux || !amd64

package amx

func request() (Runner, string) { return nil, "AMX is used on linux/amd64 alone" }
