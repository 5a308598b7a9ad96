package settings

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/groupvit/groupvit/internal/limits"
)

// Keys of a recipe that are no settings.
const (
	keyPasses = "passes"
	keyLabel  = "label"
)

// Pass is one training of a recipe that has several, each of which starts from the
// model of the one before.
type Pass struct {
	// Name is its name, which the folder of its run has too.
	Name string
	// Label is what stands under "label": how the model before it makes the pseudo
	// masks that it learns from; nil for a pass that learns from the data as they
	// are.
	Label *yaml.Node
	// Where is its place in the recipe, FILE:LINE.
	Where string

	file string
	node *yaml.Node
}

// passName is what a pass may be called: the name of a folder.
var passName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Passes reads the passes of a recipe, or else those of the recipe that it is based
// on; none where there are none. recipe "" has none.
//
//	passes:
//	  - {name: captions, steps: 16000}
//	  - name: student
//	    label: {round: 1}
//	    steps: 3000
//	    loss: {dense_weight: 3}
func Passes(recipe string) ([]Pass, error) {
	for depth := 0; recipe != "" && depth < limits.RecipeDepth; depth++ {
		root, err := readRecipe(recipe)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(root.Content); i += 2 {
			if root.Content[i].Value == keyPasses {
				return readPasses(recipe, root.Content[i+1])
			}
		}
		if recipe, err = baseOf(recipe, root); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// readPasses reads the list of passes of a file.
func readPasses(file string, list *yaml.Node) ([]Pass, error) {
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, fmt.Errorf("%w: %s:%d: passes must be a list of passes, each with a name", ErrSettings, file, list.Line)
	}
	var passes []Pass
	for i, node := range list.Content {
		where := fmt.Sprintf("%s:%d", file, node.Line)
		if node.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("%w: %s: pass %d must be keys and values", ErrSettings, where, i+1)
		}
		p := Pass{Where: where, file: file, node: node}
		for k := 0; k < len(node.Content); k += 2 {
			switch value := node.Content[k+1]; node.Content[k].Value {
			case "name":
				p.Name = value.Value
			case keyLabel:
				p.Label = value
			case "base", keyPasses:
				return nil, fmt.Errorf("%w: %s: %q stands at the top of a recipe, not in a pass", ErrSettings, where, node.Content[k].Value)
			}
		}
		same := func(q Pass) bool { return q.Name == p.Name }
		switch {
		case !passName.MatchString(p.Name):
			return nil, fmt.Errorf("%w: %s: the name of pass %d is %q: it must be lower-case letters, digits, - and _", ErrSettings, where, i+1, p.Name)
		case slices.ContainsFunc(passes, same):
			return nil, fmt.Errorf("%w: %s: two passes are called %q", ErrSettings, where, p.Name)
		case i == 0 && p.Label != nil:
			return nil, fmt.Errorf("%w: %s: the first pass has no model before it that could label: begin with a pass on captions", ErrSettings, where)
		}
		passes = append(passes, p)
	}
	return passes, nil
}

// Folder is the name of the run's folder of pass i, from 0.
func (p Pass) Folder(i int) string { return fmt.Sprintf("%d-%s", i+1, p.Name) }

// LoadPass is [Load] of one pass of a recipe: what the pass says stands above the
// recipe and below environment and overrides.
func LoadPass(recipe string, p Pass, environ []string, overrides []Override) (*Loaded, error) {
	return loadWith(recipe, &p, environ, overrides)
}

const finalDir = "final"

// Final is the directory of the final model of a run in a folder.
func Final(output string) string { return filepath.Join(output, finalDir) }
