package command

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/hub"
)

// Descendants are the commands below one.
func Descendants(c *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range c.Commands() {
		all = append(append(all, sub), Descendants(sub)...)
	}
	return all
}

// ModelNames are the embedded model and those of the Hub's cache.
func ModelNames() []string {
	names := []string{groupvit.DefaultModel}
	if cache, err := hub.DefaultCache(); err == nil {
		models, _ := cache.List() // without a cache there is nothing to offer
		for _, m := range models {
			names = append(names, m.Ref.String())
		}
	}
	return names
}

func BeginningWith(names []string, before, begun string) []cobra.Completion {
	var all []cobra.Completion
	for _, n := range names {
		if strings.HasPrefix(n, begun) {
			all = append(all, before+n)
		}
	}
	return all
}

// CompleteFirst offers names for a command's first argument, and files beside
// them.
func CompleteFirst(names func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return BeginningWith(names(), "", begun), cobra.ShellCompDirectiveDefault
	}
}

// CachedNames are the models of the Hub's cache, which alone can be removed.
func CachedNames() []string { return ModelNames()[1:] }
