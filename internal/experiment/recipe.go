package experiment

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/groupvit/groupvit/recipes"
)

var (
	// ErrRequest is wrapped by errors about what was asked for: an unknown
	// experiment or scale, data that is not named.
	ErrRequest = errors.New("wrong request")
	// ErrRecipe is wrapped by errors about a recipe.
	ErrRecipe = errors.New("bad experiment recipe")
)

// The scales. Tiny shows that an experiment works from end to end, within a minute;
// its numbers say nothing.
const (
	Small = "small"
	Full  = "full"
	Tiny  = "tiny"
)

// Kinds of experiments.
const (
	kindTable    = "table"    // models side by side, mIoU over seeds
	kindTokens   = "tokens"   // what groups take across a data set
	kindTransfer = "transfer" // groups, words, mask of one photo
)

// Methods by which a variation is measured.
const (
	methodZeroShot  = "zero-shot"
	methodKMeans    = "kmeans"
	methodMeanShift = "mean-shift"
	methodSpectral  = "spectral"
	methodFineTune  = "fine-tune"
)

var methods = []string{methodZeroShot, methodKMeans, methodMeanShift, methodSpectral, methodFineTune}

// Recipe is an experiment.
type Recipe struct {
	// Name is the command's, Title and Paper are for people: what is compared, and
	// what the paper found.
	Name, Title, Paper string
	// PaperSource says where the paper's numbers stand; without it there are none.
	PaperSource string `yaml:"paper_source"`
	// Kind is table, tokens or transfer.
	Kind string
	// Scales say how large the experiment is.
	Scales map[string]Scale
	// Variations are the rows of a table; a figure has one, the model it is of.
	Variations []Variation
	// Claims are what the paper says of pairs of rows.
	Claims []Claim
}

// Scale is how large an experiment is.
type Scale struct {
	// Base is the recipe of training, in the folder of recipes.
	Base string
	// Seeds are those of the runs, Steps their length (0 is the base recipe's).
	Seeds []uint64
	Steps int
	// Scenes and TestScenes are drawn where they are set; else the data have to be
	// named.
	Scenes     int
	TestScenes int `yaml:"test_scenes"`
	// Needs says which data have to be named.
	Needs string
	// Protocol and ShortSide say how models are asked; "" and 0 are the model's own.
	Protocol  string
	ShortSide int `yaml:"short_side"`
	// Set are settings of all runs, by key as in a recipe of training.
	Set map[string]string
	// FineTune says how a model is trained with masks.
	FineTune FineTune `yaml:"fine_tune"`
	// Examples is the number of pictures drawn for each group.
	Examples int
	// Page is the number of photos that a figure looks at; 0 is all.
	Page int
}

// FineTune are the numbers of training with masks.
type FineTune struct {
	Steps, Batch int
	LearningRate float64 `yaml:"learning_rate"`
	// Pictures is how many pictures with masks there are, 0 is all.
	Pictures int
}

// Variation is a row of a table.
type Variation struct {
	Name string
	// Note says in a few words what it is.
	Note string
	// Paper is the paper's number, nil where it has none.
	Paper *float64
	// Base is a recipe instead of the scale's, by scale.
	Base map[string]string
	// Set are its settings at every scale, Sets those of a scale.
	Set  map[string]string
	Sets map[string]map[string]string
	// Method is how it is measured (zero-shot); Of is the variation whose model is
	// measured, its own where empty.
	Method, Of string
	// Clusters is the number of clusters of K-means and spectral clustering.
	Clusters int
	// Random fine-tunes from random weights instead of the model's.
	Random bool
	// skipped says that the row was not asked for.
	skipped bool
}

// Claim is that one row is above another.
type Claim struct {
	Text         string
	Above, Below string
}

// Names lists the experiments.
func Names() []string {
	files, _ := fs.Glob(recipes.Files, "experiments/*.yaml")
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return files
}

// Load reads the recipe of an experiment.
func Load(name string) (*Recipe, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("%w: there is no experiment %q: there are %s", ErrRequest, name, strings.Join(Names(), ", "))
	}
	content, err := fs.ReadFile(recipes.Files, "experiments/"+name+".yaml")
	if err != nil {
		return nil, err
	}
	r, err := parse(content)
	if err == nil && r.Name != name {
		err = fmt.Errorf("%w: its name is %q", ErrRecipe, r.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("experiment %s: %w", name, err)
	}
	return r, nil
}

func parse(content []byte) (*Recipe, error) {
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	r := &Recipe{}
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecipe, err)
	}
	return r, r.validate()
}

func (r *Recipe) validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrRecipe, fmt.Sprintf(format, args...))
	}
	if !slices.Contains([]string{kindTable, kindTokens, kindTransfer}, r.Kind) {
		return bad("kind %q", r.Kind)
	}
	for _, name := range []string{Tiny, Small, Full} {
		s, ok := r.Scales[name]
		if !ok || s.Base == "" || len(s.Seeds) == 0 {
			return bad("scale %s needs a base and seeds", name)
		}
		if (s.Scenes == 0) != (s.TestScenes == 0) || (s.Scenes == 0) == (s.Needs == "") {
			return bad("scale %s needs scenes to draw, or to say which data it needs", name)
		}
	}
	if len(r.Variations) == 0 {
		return bad("no variations")
	}
	for i := range r.Variations {
		v := &r.Variations[i]
		if v.Method == "" {
			v.Method = methodZeroShot
		}
		if v.Of == "" {
			v.Of = v.Name
		}
		of := r.variation(v.Of)
		switch {
		case v.Name == "" || r.variation(v.Name) != v:
			return bad("variation %q: names must differ", v.Name)
		case !slices.Contains(methods, v.Method):
			return bad("variation %q: method %q: one of %s", v.Name, v.Method, strings.Join(methods, ", "))
		case of == nil || of.Of != "" && of.Of != of.Name:
			return bad("variation %q is of %q, which is none with a model of its own", v.Name, v.Of)
		case v.Paper != nil && r.PaperSource == "":
			return bad("variation %q has a number of the paper: paper_source must say where it stands", v.Name)
		case (v.Method == methodKMeans || v.Method == methodSpectral) && v.Clusters < 1:
			return bad("variation %q needs clusters", v.Name)
		}
	}
	for _, c := range r.Claims {
		if r.variation(c.Above) == nil || r.variation(c.Below) == nil {
			return bad("claim %q names no variations", c.Text)
		}
	}
	return nil
}

// keep leaves rows in, and claims about them.
func (r *Recipe) keep(rows []string) error {
	for _, name := range rows {
		if r.variation(name) == nil {
			var names []string
			for _, v := range r.Variations {
				names = append(names, strconv.Quote(v.Name))
			}
			return fmt.Errorf("%w: %s has no row %q: there are %s", ErrRequest, r.Name, name, strings.Join(names, ", "))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	for i, v := range r.Variations {
		r.Variations[i].skipped = !slices.Contains(rows, v.Name)
	}
	r.Claims = slices.DeleteFunc(r.Claims, func(c Claim) bool { return r.variation(c.Above).skipped || r.variation(c.Below).skipped })
	return nil
}

// variation finds one by name, nil where there is none.
func (r *Recipe) variation(name string) *Variation {
	for i := range r.Variations {
		if r.Variations[i].Name == name {
			return &r.Variations[i]
		}
	}
	return nil
}
