//go:build unix

package batch

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe in a list is refused; opening it would wait for ever.
func TestPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe.jpg")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := ReadFile(name); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
}
