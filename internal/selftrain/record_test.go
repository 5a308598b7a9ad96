package selftrain

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzResume: whatever stands in a folder's record and in its list of shards, a run
// goes on or refuses, and bonuses are of its own words.
func FuzzResume(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"format":1}`, `{"shard":0,"file":"","bytes":0,"summary":{}}`},
		{`{"format":1,"bonuses":{"cat":[1,2],"none":[1e999,0]}}`, "{\"shard\":1,\"file\":\"../../etc/passwd\"}\n{\"sh"},
		{`{"format":1,"settings":{"views":[1,2]}}`, "\n\n"}, {"", ""}, {"[]", "null"}, {`{"models":[{"sha256":"x"}]}`, "{}"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, text, lines []byte) {
		dir := t.TempDir()
		for name, b := range map[string][]byte{recordFile: text, doneFile: lines} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r := record{Format: recordFormat}
		finished, found, err := r.resume(dir)
		if err != nil || !found {
			return
		}
		for k, d := range finished {
			if d.File != "" {
				t.Errorf("shard %d is taken for finished, and its file %q is not there", k, d.File)
			}
		}
		w := testWords(t)
		if list, err := r.bonuses(w); err == nil && len(list) != len(w.names) {
			t.Errorf("%d bonuses of %d words", len(list), len(w.names))
		}
	})
}
