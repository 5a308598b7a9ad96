package settings

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/groupvit/groupvit/internal/limits"
)

// EnvPrefix starts the environment variables that set values:
// GROUPVIT_OPTIMIZER_LEARNING_RATE is optimizer.learning_rate.
const EnvPrefix = "GROUPVIT_"

// Loaded are settings with the origin of each value.
type Loaded struct {
	Settings Settings
	// Origin says where a key's value came from: "default", "FILE:LINE",
	// "$VARIABLE" or "--flag".
	Origin map[string]string
}

// keyVocabulary is a setting that names a file.
const keyVocabulary = "data.nouns.vocabulary"

// Override is a value from the command line.
type Override struct {
	// Key is the dotted name, Value its YAML.
	Key, Value string
	// Origin is what is said about where it came from, such as "--steps".
	Origin string
}

// Load reads settings: the defaults, then the recipe (and before it the recipes
// that it is based on), then the environment, then overrides; the later wins.
// recipe "" leaves the recipe out. environ is a list as os.Environ returns it.
// Errors wrap [ErrSettings] and name file, line and key.
func Load(recipe string, environ []string, overrides []Override) (*Loaded, error) {
	passes, err := Passes(recipe)
	if err == nil && len(passes) > 0 {
		err = fmt.Errorf("%w: %s has %d passes: load one of them", ErrSettings, recipe, len(passes))
	}
	if err != nil {
		return nil, err
	}
	return loadWith(recipe, nil, environ, overrides)
}

// loadWith is [Load] of a recipe, and of what one of its passes changes.
func loadWith(recipe string, pass *Pass, environ []string, overrides []Override) (*Loaded, error) {
	l := &Loaded{Settings: Default(), Origin: map[string]string{}}
	fields := l.fields()
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		l.Origin[key] = "default"
	}
	if recipe != "" {
		if err := l.file(fields, recipe, nil); err != nil {
			return nil, err
		}
	}
	if pass != nil {
		if err := l.mapping(fields, pass.file, "", pass.node, keyLabel); err != nil {
			return nil, err
		}
	}
	variables := envKeys(fields)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		key, ok := variables[name]
		if !ok {
			continue
		}
		if err := l.set(fields, Override{key, value, "$" + name}); err != nil {
			return nil, err
		}
	}
	for _, o := range overrides {
		if err := l.set(fields, o); err != nil {
			return nil, err
		}
	}
	if n := &l.Settings.Data.Nouns; n.Vocabulary != "" {
		file := n.Vocabulary
		if err := n.readVocabulary(); err != nil {
			return nil, fmt.Errorf("%w: %s: %s: %w", ErrSettings, l.Origin[keyVocabulary], keyVocabulary, err)
		}
		for _, key := range []string{"words", "stuff_words", "part_words"} {
			l.Origin["data.nouns."+key] = file
		}
	}
	return l, l.Settings.Validate()
}

// FromSettings are settings that a program made, whose origin is told as this text,
// under overrides. Errors wrap [ErrSettings].
func FromSettings(s Settings, origin string, overrides []Override) (*Loaded, error) {
	l := &Loaded{Settings: s, Origin: map[string]string{}}
	fields := l.fields()
	for key := range fields {
		l.Origin[key] = origin
	}
	for _, o := range overrides {
		if err := l.set(fields, o); err != nil {
			return nil, err
		}
	}
	return l, l.Settings.Validate()
}

// EnvName returns the environment variable of a key.
func EnvName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func envKeys(fields map[string]reflect.Value) map[string]string {
	out := map[string]string{}
	for key := range fields {
		out[EnvName(key)] = key
	}
	return out
}

// fields lists the settable leaves by dotted key.
func (l *Loaded) fields() map[string]reflect.Value {
	out := map[string]reflect.Value{}
	leaves("", reflect.ValueOf(&l.Settings).Elem(), out)
	return out
}

func leaves(prefix string, v reflect.Value, out map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name := prefix + fieldName(f)
		if f.Type.Kind() == reflect.Struct {
			leaves(name+".", v.Field(i), out)
		} else {
			out[name] = v.Field(i)
		}
	}
}

// fieldName is the JSON name where there is one, else the name in snake_case.
func fieldName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	var b strings.Builder
	runes := []rune(f.Name)
	for i, r := range runes {
		starts := i > 0 && unicode.IsUpper(r) &&
			(unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if starts {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// file reads a recipe, after the one that its key "base" names (relative to the
// recipe's folder).
func (l *Loaded) file(fields map[string]reflect.Value, path string, above []string) error {
	clean := filepath.Clean(path)
	if slices.Contains(above, clean) || len(above) >= limits.RecipeDepth {
		return fmt.Errorf("%w: %s: the chain of base recipes does not end: %s", ErrSettings, path, strings.Join(append(above, clean), " → "))
	}
	root, err := readRecipe(path)
	if err != nil {
		return err
	}
	base, err := baseOf(path, root)
	if err != nil {
		return err
	}
	if base != "" {
		if err := l.file(fields, base, append(above, clean)); err != nil {
			return err
		}
	}
	return l.mapping(fields, path, "", root, "base", keyPasses)
}

// readRecipe reads the mapping that a recipe is.
func readRecipe(path string) (*yaml.Node, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: recipe: %w", ErrSettings, err)
	}
	defer f.Close()
	data, err := limits.ReadAll(f, limits.RecipeBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSettings, path, err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrSettings, path, err)
	}
	if len(document.Content) == 0 {
		return nil, fmt.Errorf("%w: %s: the recipe is empty", ErrSettings, path)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%w: %s:%d: a recipe is a list of keys and values", ErrSettings, path, root.Line)
	}
	return root, nil
}

// baseOf returns the path of the recipe that a recipe is based on, "" without one.
func baseOf(path string, root *yaml.Node) (string, error) {
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i].Value != "base" {
			continue
		}
		base := root.Content[i+1]
		if base.Kind != yaml.ScalarNode || base.Value == "" {
			return "", fmt.Errorf("%w: %s:%d: base must be the path of a recipe", ErrSettings, path, base.Line)
		}
		if filepath.IsAbs(base.Value) {
			return base.Value, nil
		}
		return filepath.Join(filepath.Dir(path), base.Value), nil
	}
	return "", nil
}

// mapping sets what a mapping of a recipe says, but for the keys in skip.
func (l *Loaded) mapping(fields map[string]reflect.Value, path, prefix string, node *yaml.Node, skip ...string) error {
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := prefix + key.Value
		where := fmt.Sprintf("%s:%d", path, key.Line)
		if seen[name] {
			return fmt.Errorf("%w: %s: %s comes twice", ErrSettings, where, name)
		}
		seen[name] = true
		if slices.Contains(skip, key.Value) {
			continue
		}
		if value.Kind == yaml.AliasNode {
			return fmt.Errorf("%w: %s: %s: aliases are not supported: write the value", ErrSettings, where, name)
		}
		if field, ok := fields[name]; ok {
			if err := decode(value, field); err != nil {
				return fmt.Errorf("%w: %s: %s: %w", ErrSettings, where, name, err)
			}
			if name == keyVocabulary { // like base, relative to the recipe
				if file := field.String(); file != "" && !filepath.IsAbs(file) {
					field.SetString(filepath.Join(filepath.Dir(path), file))
				}
			}
			l.Origin[name] = where
			continue
		}
		if !isSection(fields, name) {
			return fmt.Errorf("%w: %s: unknown key %q%s", ErrSettings, where, name, suggest(fields, name))
		}
		if value.Kind != yaml.MappingNode {
			return fmt.Errorf("%w: %s: %s is a section and needs keys below it", ErrSettings, where, name)
		}
		if err := l.mapping(fields, path, name+".", value); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf finds a key; KEY.0 is the first of a list of fixed length.
func fieldOf(fields map[string]reflect.Value, key string) (reflect.Value, bool) {
	if field, ok := fields[key]; ok {
		return field, true
	}
	dot := strings.LastIndexByte(key, '.')
	field, ok := fields[key[:max(dot, 0)]]
	if i, err := strconv.Atoi(key[dot+1:]); ok && err == nil && field.Kind() == reflect.Array && i >= 0 && i < field.Len() {
		return field.Index(i), true
	}
	return reflect.Value{}, false
}

func (l *Loaded) set(fields map[string]reflect.Value, o Override) error {
	field, ok := fieldOf(fields, o.Key)
	if !ok {
		return fmt.Errorf("%w: %s: unknown key %q%s", ErrSettings, o.Origin, o.Key, suggest(fields, o.Key))
	}
	node := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: o.Value}
	if field.Kind() != reflect.String {
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(o.Value), &document); err != nil || len(document.Content) == 0 {
			return fmt.Errorf("%w: %s: %s: %q is no value", ErrSettings, o.Origin, o.Key, o.Value)
		}
		node = *document.Content[0]
	}
	if err := decode(&node, field); err != nil {
		return fmt.Errorf("%w: %s: %s: %w", ErrSettings, o.Origin, o.Key, err)
	}
	if _, whole := fields[o.Key]; !whole {
		o.Key = o.Key[:strings.LastIndexByte(o.Key, '.')]
	}
	l.Origin[o.Key] = o.Origin
	return nil
}

// decode reads a value; a single one may stand for a list of one.
func decode(node *yaml.Node, field reflect.Value) error {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return fmt.Errorf("it has no value")
	}
	if field.Kind() == reflect.Slice && node.Kind == yaml.ScalarNode {
		node = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{node}}
	}
	// The YAML library would cut 2.5 to 2.
	if k := field.Kind(); (k == reflect.Int || k == reflect.Uint64) && node.ShortTag() != "!!int" {
		return fmt.Errorf("%q (it must be %s)", node.Value, describe(field.Type()))
	}
	fresh := reflect.New(field.Type())
	if err := node.Decode(fresh.Interface()); err != nil {
		text := strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n")
		return fmt.Errorf("%s (it must be %s)", strings.TrimSpace(text), describe(field.Type()))
	}
	if value := fresh.Elem(); value.Kind() == reflect.Slice && value.Len() == 0 {
		value.SetZero() // a variant with an empty list is none
	}
	field.Set(fresh.Elem())
	return nil
}

func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list of " + describe(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("%d of %s", t.Len(), describe(t.Elem()))
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

func isSection(fields map[string]reflect.Value, name string) bool {
	for key := range fields {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}
