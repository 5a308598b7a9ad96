package settings

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Value is one setting with its origin.
type Value struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

// Values lists all settings by key.
func (l *Loaded) Values() []Value {
	fields := l.fields()
	var out []Value
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, Value{key, fields[key].Interface(), l.Origin[key]})
	}
	return out
}

// YAML writes the settings as a recipe that gives them again, with the origin
// of each value as a comment where origins is set.
func (l *Loaded) YAML(origins bool) ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	l.section(root, "", reflect.ValueOf(l.Settings), origins)
	return yaml.Marshal(root)
}

func (l *Loaded) section(node *yaml.Node, prefix string, v reflect.Value, origins bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name := fieldName(f)
		key, value := &yaml.Node{Kind: yaml.ScalarNode, Value: name}, &yaml.Node{}
		if f.Type.Kind() == reflect.Struct {
			value.Kind = yaml.MappingNode
			l.section(value, prefix+name+".", v.Field(i), origins)
		} else {
			_ = value.Encode(v.Field(i).Interface()) // plain values only
			if value.Kind == yaml.SequenceNode {
				value.Style = yaml.FlowStyle
			}
			if origins {
				value.LineComment = l.Origin[prefix+name]
				if value.Kind == yaml.SequenceNode { // comments of lists go to the key
					key.HeadComment, value.LineComment = value.LineComment, ""
				}
			}
		}
		node.Content = append(node.Content, key, value)
	}
}

// suggest names the known key that is most like an unknown one.
func suggest(fields map[string]reflect.Value, name string) string {
	best, least := "", 4
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		d := distance(name, key)
		if i := strings.LastIndexByte(key, '.'); i >= 0 && key[i+1:] == name[strings.LastIndexByte(name, '.')+1:] {
			d = 1 // right name in the wrong section
		}
		if d < least {
			best, least = key, d
		}
	}
	if best == "" {
		return ": `groupvit config show` lists all keys"
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// distance is the number of letters to change, add or drop.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
