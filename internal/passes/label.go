package passes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/groupvit/groupvit/internal/selftrain"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// label says how a pass's pseudo masks are made.
type label struct {
	// Round decides the defaults: 1 for a teacher that learnt from captions alone,
	// 2 for one that learnt from masks.
	Round int `yaml:"round"`
	// Models are names of earlier passes whose models label together; none is the
	// pass before.
	Models []string `yaml:"models"`
	// Sources is what is labelled; "" is the pass's data.train.
	Sources string `yaml:"sources"`
	// Share and Limit take a part of the photos at random; see selftrain.Options.
	Share float64 `yaml:"share"`
	Limit int     `yaml:"limit"`

	settings selftrain.Settings
}

// labelKeys are the keys of a label section that are no settings of selftrain.
var labelKeys = []string{"round", "models", "sources", "share", "limit"}

// parseLabel reads the label section of a pass; before are the names of the passes
// before it.
func parseLabel(p settings.Pass, before []string) (*label, error) {
	bad := func(format string, args ...any) (*label, error) {
		return nil, fmt.Errorf("%w: %s: label: %s", settings.ErrSettings, p.Where, fmt.Sprintf(format, args...))
	}
	if p.Label.Kind != yaml.MappingNode {
		return bad("it must be keys and values, such as {round: 1}")
	}
	l := &label{Round: 1}
	rest := &yaml.Node{Kind: yaml.MappingNode}
	own := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(p.Label.Content); i += 2 {
		to := rest
		if slices.Contains(labelKeys, p.Label.Content[i].Value) {
			to = own
		}
		to.Content = append(to.Content, p.Label.Content[i:i+2]...)
	}
	if err := own.Decode(l); err != nil {
		return bad("%v", err)
	}
	switch l.Round {
	case 1:
		l.settings = selftrain.Default()
	case 2:
		l.settings = selftrain.Later()
	default:
		return bad("round %d: 1 for a teacher that learnt from captions alone, 2 for one that learnt from masks", l.Round)
	}
	if err := setAll(&l.settings, rest); err != nil {
		return bad("%v", err)
	}
	if err := l.settings.Validate(); err != nil {
		return bad("%v", err)
	}
	for _, m := range l.Models {
		if !slices.Contains(before, m) {
			return bad("models: no pass before it is called %q; there are %q", m, before)
		}
	}
	if len(l.Models) == 0 {
		l.Models = before[len(before)-1:]
	}
	return l, nil
}

// setAll sets the settings that a mapping names; their keys are those of JSON.
func setAll(s *selftrain.Settings, node *yaml.Node) error {
	var values map[string]any
	if err := node.Decode(&values); err != nil {
		return err
	}
	b, err := json.Marshal(values)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(s)
}
