package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/vocab"
)

// Command returns the program's tree of commands, for programs that write its
// manual. It is not run: [Main] does that.
func Command() *cobra.Command {
	root := newRootCommand(&command.Environment{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true // pages that tell no date are the same every time
	return root
}

// addCompletions lets the shell complete what flags of many commands take. The
// directive of models also offers files, since a model may be one.
func addCompletions(root *cobra.Command) {
	for _, c := range append([]*cobra.Command{root}, command.Descendants(root)...) {
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

// completeModels offers the models that are here, and files.
func completeModels(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return command.BeginningWith(command.ModelNames(), "", begun), cobra.ShellCompDirectiveDefault
}

// completeLabels offers the classes of the benchmarks after the last comma.
func completeLabels(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before, word := "", begun
	if i := strings.LastIndexByte(begun, ','); i >= 0 {
		before, word = begun[:i+1], begun[i+1:]
	}
	return command.BeginningWith(labelNames(), before, word), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
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
