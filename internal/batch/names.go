package batch

import (
	"crypto/sha256"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/groupvit/groupvit/internal/limits"
)

// resultName makes a path below the output from any path: without the ending,
// never absolute, never above.
func resultName(photo string) (string, error) {
	if strings.ContainsRune(photo, 0) || len(photo) > limits.PathBytes {
		return "", fmt.Errorf("%w: %.80q is no path", ErrList, photo)
	}
	name := path.Clean(filepath.ToSlash(photo[len(filepath.VolumeName(photo)):]))
	name = strings.TrimLeft(strings.TrimSuffix(name, path.Ext(name)), "/")
	parts := strings.Split(name, "/")
	for i, p := range parts {
		if p == ".." {
			parts[i] = "up"
		}
	}
	if name = strings.Join(parts, "/"); name == "" || name == "." {
		return "", fmt.Errorf("%w: %q names no file", ErrList, photo)
	}
	return name, nil
}

// names remembers which names are taken, upper and lower case as one, as on many
// file systems, and so are the ways in which Unicode writes a letter ("é" is one
// character, or an e and an accent). It holds 16 bytes of hash for each.
type names map[key]struct{}

func newNames() names { return names{} }

// key is the hash of a name or of what a photo is known by.
type key [16]byte

func keyOf(s string) key {
	sum := sha256.Sum256([]byte(s))
	return key(sum[:16])
}

// nameKey is the key of a name, upper and lower case as one, letters composed.
func nameKey(name string) key {
	if !utf8.ValidString(name) { // lower case would make all other bytes one
		return keyOf(name)
	}
	return keyOf(norm.NFC.String(strings.ToLower(name)))
}

func (n names) has(name string) bool {
	_, taken := n[nameKey(name)]
	return taken
}

func (n names) take(name string) { n[nameKey(name)] = struct{}{} }

// own returns a name that nobody has yet: name, or name with what tells it apart.
func (n names) own(name, otherwise string) string {
	if n.has(name) {
		name += "." + otherwise
	}
	n.take(name)
	return name
}
