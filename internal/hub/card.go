package hub

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/groupvit/groupvit/internal/limits"
)

// cardFile is a model's card, which begins with its terms.
const cardFile = "README.md"

// License is what the card of a model's folder says of its licence, "" where there
// is none or path is no folder.
func License(path string) string { return cardLicense(filepath.Join(path, cardFile)) }

// cardLicense reads the licence off a card's front matter (YAML between two
// lines of dashes), "" where there is none.
func cardLicense(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limits.ConfigBytes))
	if err != nil {
		return ""
	}
	return parseLicense(b)
}

// parseLicense reads "license", or "license_name" where that says "other", and
// the address of the text.
func parseLicense(card []byte) string {
	rest, ok := bytes.CutPrefix(bytes.ReplaceAll(card, []byte("\r\n"), []byte("\n")), []byte("---\n"))
	front, _, closed := bytes.Cut(rest, []byte("\n---"))
	if !ok || !closed {
		return ""
	}
	var c struct {
		License any    `yaml:"license"`
		Name    string `yaml:"license_name"`
		Link    string `yaml:"license_link"`
	}
	if yaml.Unmarshal(front, &c) != nil {
		return ""
	}
	return licenseText(c.License, c.Name, c.Link)
}

// licenseText joins what a card says of a licence: an identifier or a list of
// them, a name in place of "other", an address.
func licenseText(license any, name, link string) string {
	var text string
	switch l := license.(type) {
	case string:
		text = l
	case []any:
		var all []string
		for _, x := range l {
			if s, ok := x.(string); ok {
				all = append(all, s)
			}
		}
		text = strings.Join(all, ", ")
	}
	if name != "" && (text == "" || text == "other") {
		text = name
	}
	if link != "" {
		text = strings.TrimSpace(text + " (" + link + ")")
	}
	return printable(text)
}

// printable keeps a line that somebody else wrote from moving the cursor.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > 300 {
		s = s[:300]
	}
	return strings.ToValidUTF8(s, "")
}

// isGroupViT reports whether a config.json is that of a GroupViT.
func isGroupViT(config io.Reader) bool {
	var c struct {
		Type string `json:"model_type"`
	}
	return json.NewDecoder(io.LimitReader(config, limits.ConfigBytes)).Decode(&c) == nil && c.Type == "groupvit"
}
