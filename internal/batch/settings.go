package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// ErrOtherSettings is wrapped by the error about an output that holds the results of
// other settings.
var ErrOtherSettings = errors.New("the output holds results of other settings")

// temporary begins the names of files that are not whole yet.
const temporary = ".groupvit-"

// SettingsName is the file of a folder of results that remembers how they were made.
const SettingsName = ".settings.json"

// Setting is what a result depends on: "labels" is "dog, grass".
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Settings are all that results depend on, in the order in which they are told.
type Settings []Setting

// check returns an error that names what differs between the settings of an earlier
// run and those of this one; it wraps [ErrOtherSettings].
func (s Settings) check(now Settings) error {
	var differ []string
	before := map[string]string{}
	for _, b := range s {
		before[b.Name] = b.Value
	}
	for _, n := range now {
		if old := before[n.Name]; old != n.Value {
			differ = append(differ, fmt.Sprintf("%s: %s before, %s now", n.Name, shown(old), shown(n.Value)))
		}
		delete(before, n.Name)
	}
	for _, b := range s { // what this program no longer knows
		if old, ok := before[b.Name]; ok && old != "" {
			differ = append(differ, fmt.Sprintf("%s: %s before, none now", b.Name, shown(old)))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return fmt.Errorf("%w (%s)", ErrOtherSettings, strings.Join(differ, "; "))
}

// hash is the same for the same settings.
func (s Settings) hash() string {
	h := sha256.New()
	for _, v := range s {
		fmt.Fprintf(h, "%q %q\n", v.Name, v.Value)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// shown is a value as an error shows it.
func shown(v string) string {
	const most = 200
	switch {
	case v == "":
		return "none"
	case len(v) > most:
		return fmt.Sprintf("%q…", strings.ToValidUTF8(v[:most], ""))
	}
	return fmt.Sprintf("%q", v)
}

// Remember holds an output to its settings: the file name keeps those of the first
// run, and other ones are an error that wraps [ErrOtherSettings] and names what
// differs. With overwrite it keeps the new ones. Workers may call it at the same time.
func Remember(name string, s Settings, overwrite bool) error {
	if !overwrite {
		before, err := readSettings(name)
		if err == nil {
			return before.check(s)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	whole := filepath.Join(filepath.Dir(name), fmt.Sprintf("%s%016x", temporary, rand.Uint64()))
	if err := os.WriteFile(whole, append(data, '\n'), 0o666); err != nil {
		return err
	}
	defer os.Remove(whole)
	if overwrite {
		return os.Rename(whole, name)
	}
	// A link fails where another worker was quicker; not every file system has links.
	err = os.Link(whole, name)
	if errors.Is(err, fs.ErrExist) {
		return Remember(name, s, false)
	}
	if err != nil {
		return os.Rename(whole, name)
	}
	return nil
}

// CheckRemembered holds a call to the settings that an output remembers, if it does;
// some of them, by name, do not matter to it.
func CheckRemembered(name string, now Settings, but ...string) error {
	before, err := readSettings(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return slices.DeleteFunc(before, func(s Setting) bool { return slices.Contains(but, s.Name) }).check(now)
}

// readSettings reads what an earlier run left.
func readSettings(name string) (Settings, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := limits.Check("the size in bytes", name, info.Size(), limits.SettingsBytes, "it is not the settings of a run; remove it to start over"); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var s Settings
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%s: %w: %w; remove it, with what it belongs to, to start over", name, ErrList, err)
	}
	return s, nil
}
