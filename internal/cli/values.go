package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/datasets"
	"github.com/groupvit/groupvit/internal/engine"
	"github.com/groupvit/groupvit/internal/experiment"
	"github.com/groupvit/groupvit/internal/output"
	"github.com/groupvit/groupvit/internal/train/settings"
	"github.com/groupvit/groupvit/internal/vocab"
)

// enumerated is a flag that takes one of some values, or a list of them.
type enumerated struct {
	// values are what the shell completes; in commands that have a flag of this name.
	values func() []string
	// open reports that there are other values: they are completed and not checked.
	open bool
	// list reports that several may be given, with commas between them.
	list bool
}

// enumerations are the flags whose values are known, by name. A flag of that name that
// is a switch or a number is another one.
var enumerations = map[string]enumerated{
	"protocol":      {values: protocolNames},
	"eval-protocol": {values: protocolNames},
	"quality":       {values: func() []string { return stringsOf(groupvit.Qualities()) }},
	"background":    {values: fixed("auto", "off"), open: true},
	"format":        {values: func() []string { return output.Names(output.Files()) }, list: true},
	"with":          {values: groupvit.TechniqueNames, open: true, list: true},
	"templates":     {values: vocab.TemplateNames, open: true},
	"dataset":       {values: bench.Layouts},
	"eval-dataset":  {values: bench.Layouts},
	"from":          {values: converterNames},
	"half":          {values: fixed("even", "odd")},
	"sweep":         {values: fixed("background")},
	"oracle":        {values: fixed("regions", "labels")},
	"work":          {values: fixed("image", "text", "product", "train"), list: true},
	"compare":       {values: engine.Available, list: true, open: true},
	"to":            {values: fixed("huggingface", "official")},
	"scale":         {values: fixed(experiment.Small, experiment.Full, experiment.Tiny)},
	"keep":          {values: fixed(settings.KeepLast, settings.KeepBest)},
	"show":          {values: fixed("overlay", "mask", "labels")},
	"engine":        {values: fixed("auto", "simd", "go", "xla")},
	"precision":     {values: fixed("auto", "float32", "bf16", "int8"), list: true}, // a list in bench; elsewhere the engine takes one
	"lr-scheduler":  {values: fixed("cosine", "const")},
}

func fixed(values ...string) func() []string { return func() []string { return values } }

func stringsOf[S ~string](values []S) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

func protocolNames() []string { return stringsOf(groupvit.Protocols()) }

// converterNames are what data convert reads.
func converterNames() []string {
	var names []string
	for _, c := range datasets.Converters() {
		names = append(names, c.Name)
	}
	return names
}

// enumeration is that of a flag; ok is false where its values are not known.
func enumeration(f *pflag.Flag) (enumerated, bool) {
	e, ok := enumerations[f.Name]
	return e, ok && f.Value.Type() == "string"
}

// checkValues refuses values of flags that there are not, and asks for those that are
// spelt alike.
func checkValues(cmd *cobra.Command) error {
	var wrong error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		e, ok := enumeration(f)
		if !ok || e.open || wrong != nil {
			return
		}
		given := []string{f.Value.String()}
		if e.list {
			given = strings.Split(given[0], ",")
		}
		for _, v := range given {
			if v = strings.TrimSpace(v); v != "" && !slices.Contains(e.values(), v) && wrong == nil {
				wrong = command.Usagef("--%s: %w", f.Name, command.UnknownName(strings.TrimPrefix(f.Name, "eval-"), v, e.values()))
			}
		}
	})
	return wrong
}

// completeValues completes the values of a flag, of a list those that are not there
// yet.
func completeValues(e enumerated) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		before, word := "", begun
		if i := strings.LastIndexByte(begun, ','); e.list && i >= 0 {
			before, word = begun[:i+1], begun[i+1:]
		}
		given := strings.Split(before, ",")
		left := slices.DeleteFunc(slices.Clone(e.values()), func(v string) bool { return before != "" && slices.Contains(given, v) })
		directive := cobra.ShellCompDirectiveNoFileComp
		if e.list {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return command.BeginningWith(left, before, word), directive
	}
}

// flagError is the error about a flag: of one that there is not it asks for the one that
// is spelt alike.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) || missing.GetSpecifiedShortnames() != "" {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if like := command.Closest(missing.GetSpecifiedName(), names); like != "" {
		return fmt.Errorf("%w (did you mean --%s?)", err, like)
	}
	return err
}
