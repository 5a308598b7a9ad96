package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What eval retrieval does not use of its shards is told.
func TestEvalTellsWhatIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	runProgram(t, nil, "data", "synth", "--output", filepath.Join(dir, "scenes"), "--scenes", "4", "--test-scenes", "4")
	shards := filepath.Join(dir, "scenes", "train")
	if err := os.WriteFile(filepath.Join(shards, "notes.doc"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := runProgram(t, nil, "eval", "retrieval", "--data", shards); !strings.Contains(r.errors, "1 file left out: 1 .doc") {
		t.Error(r.errors)
	}
}
