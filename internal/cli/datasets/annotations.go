package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/bench/convert"
	"github.com/groupvit/groupvit/internal/cli/command"
)

// annotationConverters make masks of benchmarks' annotations.
func annotationConverters() []converter {
	var list []converter
	var photos string
	var layout string
	var strict bool
	for _, s := range convert.Sources() {
		c := converter{Name: s.Name, what: s.Says, run: func(ctx context.Context, env *command.Environment, f *packFlags, from string) error {
			return convertAnnotations(ctx, env, s, convert.Options{Input: from, Output: f.output, Photos: photos, Strict: strict, Layout: layout})
		}}
		if s.Name == "coco-json" {
			c.register = func(flags *pflag.FlagSet) {
				flags.StringVar(&photos, "photos", "", "folder of the photos, for coco-json: OUTPUT/images becomes a link to it")
				flags.StringVar(&layout, "layout", convert.LayoutFolder, "for coco-json: folder (masks/ and classes.txt) or coco-object (annotations/val2017/, the 80 classes)")
				flags.BoolVar(&strict, "strict", false, "refuse annotations of which something would be left out, as objects without a mask, instead of counting it")
			}
		}
		list = append(list, c)
	}
	return list
}

// convertAnnotations converts the masks of a benchmark.
func convertAnnotations(ctx context.Context, env *command.Environment, s convert.Source, o convert.Options) error {
	if o.Photos != "" && s.Name != "coco-json" {
		return command.Usagef("--photos is for --from coco-json alone")
	}
	if o.Layout != convert.LayoutFolder && s.Name != "coco-json" {
		return command.Usagef("--layout is for --from coco-json alone")
	}
	if o.Layout != convert.LayoutFolder && o.Layout != convert.LayoutCOCOObject {
		return command.Usagef("--layout %q: %s or %s", o.Layout, convert.LayoutFolder, convert.LayoutCOCOObject)
	}
	var bar *command.Progress
	o.Progress = func(done, all int) {
		if bar == nil {
			bar = env.Progress("masks", all)
		}
		bar.Set(done)
	}
	r, err := s.Run(ctx, o)
	if bar != nil {
		bar.Done()
	}
	if err == nil {
		for _, note := range r.Notes() {
			env.Warn("%s", note)
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: the same command goes on: %w", err)
	case err != nil:
		return err
	}
	var partial error
	if r.Broken > 0 {
		partial = fmt.Errorf("%w: %s not made", command.ErrPartial, command.Count(r.Broken, "mask"))
	}
	if env.JSON {
		return cmp.Or(env.Print(r), partial)
	}
	env.Warn("masks: %d written, %d were there", r.Written, r.Kept)
	_, err = fmt.Fprintln(env.Stdout, strings.Join(append([]string{r.Folder}, r.Lists...), "\n"))
	return cmp.Or(err, partial)
}
