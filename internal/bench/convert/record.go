package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// record says what the masks of a folder were made of: masks that are there are not
// made again, and those of another file would be taken for this one's.
type record struct {
	From   string `json:"from"`
	SHA256 string `json:"sha256"`
	Layout string `json:"layout"`
}

// recordName is the file beside the masks that keeps it.
const recordName = ".convert.json"

// check compares a folder's record with this one, which it writes where there is none.
func (r record) check(folder string) error {
	path := filepath.Join(folder, recordName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if text, err = json.Marshal(r); err != nil {
			return err
		}
		return write(path, append(text, '\n'))
	}
	if err != nil {
		return err
	}
	var old record
	switch err := json.Unmarshal(text, &old); {
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrInput, path, err)
	case old.Layout != r.Layout:
		return fmt.Errorf("%w: %s holds the layout %s: name another folder for %s", ErrInput, folder, old.Layout, r.Layout)
	case old != r:
		return fmt.Errorf("%w: %s was made from another file: name another folder, or remove it", ErrInput, folder)
	}
	return nil
}
