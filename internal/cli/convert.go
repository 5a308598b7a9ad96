package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/bench/convert"
)

// annotationConverters make masks of benchmarks' annotations.
func annotationConverters() []converter {
	var list []converter
	var photos string
	var layout string
	var strict bool
	for _, s := range convert.Sources() {
		c := converter{name: s.Name, what: s.Says, run: func(ctx context.Context, env *environment, f *packFlags, from string) error {
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
func convertAnnotations(ctx context.Context, env *environment, s convert.Source, o convert.Options) error {
	if o.Photos != "" && s.Name != "coco-json" {
		return usagef("--photos is for --from coco-json alone")
	}
	if o.Layout != convert.LayoutFolder && s.Name != "coco-json" {
		return usagef("--layout is for --from coco-json alone")
	}
	if o.Layout != convert.LayoutFolder && o.Layout != convert.LayoutCOCOObject {
		return usagef("--layout %q: %s or %s", o.Layout, convert.LayoutFolder, convert.LayoutCOCOObject)
	}
	var bar *progress
	o.Progress = func(done, all int) {
		if bar == nil {
			bar = env.progress("masks", all)
		}
		bar.set(done)
	}
	r, err := s.Run(ctx, o)
	if bar != nil {
		bar.done()
	}
	if err == nil {
		for _, note := range r.Notes() {
			env.warn("%s", note)
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
		partial = fmt.Errorf("%w: %s not made", errPartial, count(r.Broken, "mask"))
	}
	if env.json {
		return cmp.Or(env.print(r), partial)
	}
	env.warn("masks: %d written, %d were there", r.Written, r.Kept)
	_, err = fmt.Fprintln(env.stdout, strings.Join(append([]string{r.Folder}, r.Lists...), "\n"))
	return cmp.Or(err, partial)
}
