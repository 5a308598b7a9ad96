package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/hub"
	"github.com/groupvit/groupvit/internal/vocab"
)

// Command returns the program's tree of commands, for programs that write its
// manual. It is not run: [Main] does that.
func Command() *cobra.Command {
	root := newRootCommand(&environment{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard})
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true // pages that tell no date are the same every time
	return root
}

// addCompletions lets the shell complete what flags of many commands take. The
// directive of models also offers files, since a model may be one.
func addCompletions(root *cobra.Command) {
	for _, c := range append([]*cobra.Command{root}, descendants(root)...) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if e, ok := enumeration(f); ok {
				_ = c.RegisterFlagCompletionFunc(f.Name, completeValues(e)) // as below
			}
		})
		for flag, complete := range map[string]cobra.CompletionFunc{"model": completeModels, "labels": completeLabels} {
			if c.Flags().Lookup(flag) != nil {
				// It fails only where the flag is missing or has one already.
				_ = c.RegisterFlagCompletionFunc(flag, complete)
			}
		}
	}
}

// addCompletionCommand adds cobra's command, which by itself takes a shell that it
// does not know for a call for help.
func addCompletionCommand(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil && c != root {
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// descendants are the commands below one.
func descendants(c *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range c.Commands() {
		all = append(append(all, sub), descendants(sub)...)
	}
	return all
}

// modelNames are the embedded model and those of the Hub's cache.
func modelNames() []string {
	names := []string{groupvit.DefaultModel}
	if cache, err := hub.DefaultCache(); err == nil {
		models, _ := cache.List() // without a cache there is nothing to offer
		for _, m := range models {
			names = append(names, m.Ref.String())
		}
	}
	return names
}

// completeModels offers the models that are here, and files.
func completeModels(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return beginningWith(modelNames(), "", begun), cobra.ShellCompDirectiveDefault
}

// completeLabels offers the classes of the benchmarks after the last comma.
func completeLabels(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before, word := "", begun
	if i := strings.LastIndexByte(begun, ','); i >= 0 {
		before, word = begun[:i+1], begun[i+1:]
	}
	return beginningWith(labelNames(), before, word), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// labelNames are the names of all classes of all lists, sorted.
func labelNames() []string {
	var names []string
	for _, list := range vocab.ClassLists() {
		classes, err := vocab.Classes(list)
		if err != nil {
			continue
		}
		for _, c := range classes {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func beginningWith(names []string, before, begun string) []cobra.Completion {
	var all []cobra.Completion
	for _, n := range names {
		if strings.HasPrefix(n, begun) {
			all = append(all, before+n)
		}
	}
	return all
}

// completeFirst offers names for a command's first argument, and files beside
// them.
func completeFirst(names func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return beginningWith(names(), "", begun), cobra.ShellCompDirectiveDefault
	}
}

// cachedNames are the models of the Hub's cache, which alone can be removed.
func cachedNames() []string { return modelNames()[1:] }
