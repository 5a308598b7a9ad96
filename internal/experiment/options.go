package experiment

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/synth"
	"github.com/groupvit/groupvit/recipes"
)

// Options say which experiment to run, and where.
type Options struct {
	// Name of the experiment and its scale.
	Name, Scale string
	// Output is the folder for scenes, trained runs and results. Experiments that
	// share it share what they have in common.
	Output string
	// Train names the training data (see pairs.Expand), Eval the folder of the
	// segmentation set that is measured on and Dataset its layout; "" draws scenes
	// at the scales that have some.
	Train, Eval, Dataset string
	// Model is shown by figures instead of one that is trained; "default" is the
	// embedded one.
	Model string
	// Photos are shown by figures instead of the segmentation set's.
	Photos []string
	// Labels are the words asked for; none is the segmentation set's classes.
	Labels []string
	// Seeds are run instead of the scale's own, where there are any.
	Seeds []uint64
	// Rows are the variations of a table that are run; none is all.
	Rows []string
	// Engine and Threads are those of one run; 0 threads shares the processors
	// among Parallel runs (0: two at a time where there are two processors).
	Engine            string
	Threads, Parallel int
	// Command is how the experiment was called, for its report.
	Command string
	// Progress gets what is going on; nil is os.Stderr.
	Progress io.Writer
}

// session is everything one call works with.
type session struct {
	Options
	recipe  *Recipe
	scale   Scale
	folder  string // of the results
	recipes string // folder with the recipes of training
	// data and photos say what is trained and what is measured on: the path of what
	// was given, and of scenes their number, as they are the same in any folder.
	data, photos string
	set          *bench.Dataset
}

// firstTestScene is the number of the first scene that is measured on, as in
// "groupvit data synth": no training scene has it.
const firstTestScene = 1 << 32

// sceneSeed is that of all scenes, as in "groupvit data synth".
const sceneSeed = 1

// prepare checks the request and puts together what the runs need.
func prepare(ctx context.Context, o Options) (*session, error) {
	r, err := Load(o.Name)
	if err != nil {
		return nil, err
	}
	s, ok := r.Scales[o.Scale]
	if !ok {
		return nil, fmt.Errorf("%w: scale %q: small, full or tiny", ErrRequest, o.Scale)
	}
	if len(o.Seeds) > 0 {
		s.Seeds = o.Seeds
	}
	if o.Output == "" {
		return nil, fmt.Errorf("%w: name a folder for runs and results", ErrRequest)
	}
	if err := r.keep(o.Rows); err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	if o.Parallel == 0 {
		o.Parallel = max(1, min(2, runtime.GOMAXPROCS(0)))
		if s.Scenes == 0 { // large models take the machine by themselves
			o.Parallel = 1
		}
	}
	if o.Threads == 0 {
		o.Threads = max(1, runtime.GOMAXPROCS(0)/o.Parallel)
	}
	b := &session{Options: o, recipe: r, scale: s, folder: filepath.Join(o.Output, o.Name+"-"+o.Scale), recipes: filepath.Join(o.Output, "recipes")}
	if err := b.findData(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.folder, 0o777); err != nil {
		return nil, err
	}
	return b, b.writeRecipes()
}

// say tells what goes on.
func (b *session) say(format string, args ...any) { fmt.Fprintf(b.Progress, format+"\n", args...) }

// writeRecipes puts the recipes where training reads them, and where people can.
func (b *session) writeRecipes() error {
	return fs.WalkDir(recipes.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(b.recipes, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o777)
		}
		content, err := fs.ReadFile(recipes.Files, name)
		if err != nil {
			return err
		}
		return writeFile(to, content)
	})
}

// needsTraining tells whether any model has to be trained.
func (b *session) needsTraining() bool { return b.recipe.Kind == kindTable || b.Model == "" }

// needsSet tells whether photos and words come from a segmentation set.
func (b *session) needsSet() bool {
	return b.recipe.Kind == kindTable || len(b.Photos) == 0 || len(b.Labels) == 0
}

// findData draws scenes, or finds what was named; what is missing is told before
// anything is trained.
func (b *session) findData(ctx context.Context) error {
	if b.scale.Scenes == 0 {
		missing := ""
		switch {
		case b.needsTraining() && b.Train == "":
			missing = "the training data"
		case b.needsSet() && b.Eval == "":
			missing = "the segmentation set"
		}
		if missing != "" {
			return fmt.Errorf("%w: %s at scale %s lacks %s: %s", ErrRequest, b.Name, b.Scale, missing, b.scale.Needs)
		}
	}
	if b.Train != "" {
		if _, err := pairs.Expand(b.Train); err != nil {
			return fmt.Errorf("training data: %w", err)
		}
		b.data = b.Train
	}
	if b.needsTraining() && b.Train == "" {
		b.Train, b.data = filepath.Join(b.scenes(), "train"), fmt.Sprintf("scenes %d", b.scale.Scenes)
		if err := b.draw(ctx, b.Train, synth.DataOptions{Scenes: b.scale.Scenes, Seed: sceneSeed, Shards: true}); err != nil {
			return err
		}
	}
	if !b.needsSet() {
		return nil
	}
	b.photos = b.Eval
	if b.Eval == "" {
		b.Eval, b.Dataset = filepath.Join(b.scenes(), "test"), "scenes"
		b.photos = fmt.Sprintf("test scenes %d", b.scale.TestScenes)
		if err := b.draw(ctx, b.Eval, synth.DataOptions{Scenes: b.scale.TestScenes, Seed: sceneSeed, First: firstTestScene, VOC: true}); err != nil {
			return err
		}
	}
	if b.Dataset == "" {
		b.Dataset = "voc12"
	}
	var err error
	b.set, err = bench.Open(b.Dataset, b.Eval, bench.Options{})
	return err
}

func (b *session) scenes() string {
	return filepath.Join(b.Output, fmt.Sprintf("scenes-%d-%d", b.scale.Scenes, b.scale.TestScenes))
}

// draw draws scenes where they are not yet.
func (b *session) draw(ctx context.Context, dir string, o synth.DataOptions) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	b.say("drawing %d scenes: %s", o.Scenes, dir)
	return synth.Write(ctx, dir, o)
}

// writeFile writes beside and renames.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(content); err == nil {
		err = f.Chmod(0o644)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
