package models

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/hub"
	"github.com/groupvit/groupvit/internal/onnx"
	"github.com/groupvit/groupvit/internal/weights"
)

// Names of the graphs in a folder, and the ending of one alone.
const (
	imageGraphFile = "image.onnx"
	textGraphFile  = "text.onnx"
	graphEnding    = ".onnx"
)

// exportFlags are the flags of export.
type exportFlags struct {
	onnx, dynamic, text, force bool
	output, size               string
	options                    onnx.Options
}

func newModelExportCommand(env *command.Environment) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export --onnx MODEL --output OUT",
		Short: "Write a model as ONNX graphs, which run without groupvit",
		Long: `export writes a model as ONNX graphs, which ONNX Runtime and other programs run. OUT
is a folder, which gets image.onnx, text.onnx and the tokenizer, or a file NAME.onnx,
which gets the graph of pictures or, with --text, that of texts.

image.onnx: pixels [batch, 3, height, width], RGB in 0 to 1, to image [batch, P], and
what the network has of groups [batch, G, P], assignment [batch, G, rows, columns] (how
much of each patch is each group's; assignment_1 is that of the first of two stages)
and patches [batch, P, rows, columns]. text.onnx: ids [texts, length] to text [texts,
P]. All vectors have length 1. A patch's score for a label is the product of its vector
with the label's; or, from groups, the sum over groups of the assignment times the
product of the group's vector with the label's. The graph's metadata say which the
model means ("map"), at which size it was trained, its temperature and its licence.

Any number of pictures of any size goes through one graph, which resizes the position
embedding by itself; --size fixes the size, --batch the number, for programs that want
fixed shapes or are faster with them.`,
		Example: `  groupvit model export --onnx default --output exported
  groupvit model export --onnx nvidia/groupvit-gcc-yfcc --output yfcc --half

  # One graph, pictures of 448 × 448 only
  groupvit model export --onnx runs/cc/final --output image448.onnx --size 448`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: command.CompleteFirst(command.ModelNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return exportModel(env, cmd, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.onnx, "onnx", false, "write ONNX (opset 17), the only format there is")
	flags.StringVarP(&f.output, "output", "o", "", "folder, or file NAME.onnx")
	flags.BoolVar(&f.dynamic, "dynamic", false, "leave the size of pictures open (this is so without --size)")
	flags.StringVar(&f.size, "size", "", "fix the size of pictures in pixels: 448, or HEIGHTxWIDTH")
	flags.IntVar(&f.options.Batch, "batch", 0, "fix the number of pictures of a call; 0 leaves it open")
	flags.BoolVar(&f.text, "text", false, "of a file NAME.onnx: the graph of texts (a folder gets both)")
	flags.BoolVar(&f.options.Normalised, "normalised", false, "pixels come as (x - mean)/std; otherwise the graph does that")
	flags.BoolVar(&f.options.Half, "half", false, "store weights in half precision; the graph still computes in float32")
	flags.StringVar(&f.options.License, "license", "", "the model's licence, for the metadata (default: what its card says)")
	flags.BoolVar(&f.force, "force", false, "replace files that are there")
	return cmd
}

// check reads the flags, but for what depends on the model.
func (f *exportFlags) check() error {
	if !f.onnx {
		return command.Usagef("name the format: --onnx")
	}
	if f.output == "" {
		return command.Usagef("--output is missing: a folder, or a file NAME%s", graphEnding)
	}
	switch {
	case f.size == "":
		return nil
	case f.dynamic:
		return command.Usagef("--size and --dynamic exclude each other")
	}
	sides := strings.Split(f.size, "x")
	if len(sides) == 1 {
		sides = append(sides, sides[0])
	}
	for i, to := range []*int{&f.options.Height, &f.options.Width} {
		n, err := strconv.Atoi(sides[i])
		if err != nil || n < 1 || len(sides) > 2 {
			return command.Usagef("--size %q: give a side in pixels, 448, or HEIGHTxWIDTH, 448x640", f.size)
		}
		*to = n
	}
	return nil
}

// exportModel writes the graphs of a model.
func exportModel(e *command.Environment, cmd *cobra.Command, model string, f exportFlags) error {
	if err := e.FetchMissing(cmd.Context(), model); err != nil {
		return err
	}
	m, err := readWeights(model)
	if err != nil {
		return err
	}
	f.options.Name, f.options.Version = model, e.Version
	if f.options.License == "" {
		if f.options.License, err = licenseOf(model); err != nil {
			return err
		}
	}
	files, err := f.plan(m)
	if err != nil {
		return err
	}
	written, err := f.write(files)
	if err != nil {
		return err
	}
	if e.JSON {
		return e.Print(map[string]any{"model": model, "format": "onnx", "files": written})
	}
	_, err = fmt.Fprintln(e.Stdout, strings.Join(written, "\n"))
	return err
}

// licenseOf is what a model's card says of its licence.
func licenseOf(model string) (string, error) {
	if model == groupvit.DefaultModel {
		return "groupvit's embedded model: see models/default/README.md", nil
	}
	path, err := hub.Locate(filepath.Clean(model))
	return hub.License(path), err
}

// plan says what the output's files will hold, by their paths. Graphs are made when
// they are written: only one of them is in memory.
func (f exportFlags) plan(m *weights.Model) (map[string]func() ([]byte, error), error) {
	image := func() ([]byte, error) { return onnx.Image(m, f.options) }
	text := func() ([]byte, error) { return onnx.Text(m, f.options) }
	if strings.HasSuffix(f.output, graphEnding) {
		if f.text {
			image = text
		}
		return map[string]func() ([]byte, error){f.output: image}, nil
	}
	files := map[string]func() ([]byte, error){
		filepath.Join(f.output, imageGraphFile): image,
		filepath.Join(f.output, textGraphFile):  text,
	}
	tokenizer, err := tokenizerFiles(m)
	for name, data := range tokenizer {
		files[filepath.Join(f.output, name)] = func() ([]byte, error) { return data, nil }
	}
	return files, err
}

// tokenizerFiles are the model's own, or those of CLIP's tokenizer cut to its
// vocabulary; none where it has a vocabulary of another kind. They cut texts to what
// the text graph takes.
func tokenizerFiles(m *weights.Model) (map[string][]byte, error) {
	size, context := m.Config.Text.Vocabulary, m.Config.Text.Context
	if files, err := bpe.WithContext(m.TokenizerFiles, context); !errors.Is(err, bpe.ErrNoTokenizer) {
		return files, err
	}
	if size < bpe.MinVocabulary || size > bpe.ClipVocabulary {
		return nil, nil
	}
	t, err := bpe.Truncated(size)
	if err != nil {
		return nil, err
	}
	return t.Files(context)
}

// write writes the files, none if one of them is there already and may not be
// replaced, and returns their paths.
func (f exportFlags) write(files map[string]func() ([]byte, error)) ([]string, error) {
	paths := slices.Sorted(maps.Keys(files))
	for _, path := range paths {
		_, err := os.Lstat(path)
		if err == nil && !f.force {
			return nil, fmt.Errorf("%s is there already: --force replaces it", path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := command.MakeFolder(filepath.Dir(paths[0])); err != nil {
		return nil, err
	}
	for _, path := range paths {
		data, err := files[path]()
		if err != nil {
			return nil, err
		}
		if err := command.StoreBytes(path, data); err != nil {
			return nil, err
		}
	}
	return paths, nil
}
