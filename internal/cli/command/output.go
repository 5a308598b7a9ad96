package command

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Temporary begins the names of files that are not whole yet. The dot keeps them
// out of folders of photos.
const Temporary = ".groupvit-"

// WriteFile writes a file under another name beside it and renames it, so that
// path is whole or not there. What is no file (a pipe, /dev/stdout) is written
// directly.
func WriteFile(path string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("write %s: it is a folder: name a file", path)
	case err == nil && !info.Mode().IsRegular():
		return writeDirectly(path, write)
	}
	f, err := createTemporary(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// StoreBytes is [WriteFile] for bytes.
func StoreBytes(path string, data []byte) error {
	return WriteFile(path, func(w io.Writer) error { _, err := w.Write(data); return err })
}

func writeDirectly(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// createTemporary makes a new file in dir with the permissions that new files
// have there (os.CreateTemp lets nobody else read).
func createTemporary(dir string) (*os.File, error) {
	for try := 0; ; try++ {
		name := filepath.Join(dir, fmt.Sprintf("%s%016x", Temporary, rand.Uint64()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil || !os.IsExist(err) || try == 100 {
			return f, err
		}
	}
}

// MakeFolder makes a folder for results, if missing, and tries to write there:
// before an hour's work, not after it.
func MakeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	f, err := createTemporary(dir)
	if err != nil {
		return fmt.Errorf("output folder %s cannot be written to: %w", dir, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// OutputNames returns a name for each photo's results: its own without the
// ending; with a number where an earlier photo has it already. Upper and lower
// case count as one, as on many file systems. renamed are the indices of photos
// With a number.
func OutputNames(photos []string) (names []string, renamed []int) {
	taken := map[string]bool{}
	for i, p := range photos {
		base := filepath.Base(p)
		if p == StdinName {
			base = "stdin"
		}
		if short := strings.TrimSuffix(base, filepath.Ext(base)); short != "" {
			base = short
		}
		name := base
		for n := 2; taken[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		if name != base {
			renamed = append(renamed, i)
		}
		taken[strings.ToLower(name)] = true
		names = append(names, name)
	}
	return names, renamed
}
