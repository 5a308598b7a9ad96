package cli

import (
	"os"
	"os/exec"
	"testing"
)

// The Python client against the real program. It needs a Python with NumPy and
// Pillow: GROUPVIT_PYTHON=python3 go test ./internal/cli -run PythonClient
func TestPythonClient(t *testing.T) {
	python := os.Getenv("GROUPVIT_PYTHON")
	if python == "" {
		t.Skip("GROUPVIT_PYTHON names no Python with NumPy and Pillow")
	}
	cmd := exec.Command(python, "-m", "unittest", "discover", "clients/python/tests")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "GROUPVIT="+program)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
