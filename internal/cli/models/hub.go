package models

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/hub"
)

// HubModel is a model of the Hub's cache, as JSON.
type HubModel struct {
	Model    string `json:"model"`
	Revision string `json:"revision"`
	Commit   string `json:"commit"`
	License  string `json:"license"`
	Bytes    int64  `json:"bytes"`
	Path     string `json:"path"`
}

func describe(m hub.Model) HubModel {
	return HubModel{Model: m.Ref.ID(), Revision: m.Ref.Revision, Commit: m.Commit, License: m.License, Bytes: m.Bytes, Path: m.Dir}
}

// parseRef reads a model's name on the Hub; a wrong one is wrong usage.
func parseRef(name, revision string) (hub.Ref, error) {
	if revision != "" {
		if strings.Contains(name, "@") {
			return hub.Ref{}, command.Usagef("%s names a revision, and so does --revision: give one of them", name)
		}
		name += "@" + revision
	}
	r, err := hub.Parse(name)
	if err != nil {
		return r, command.Usagef("%w", err)
	}
	return r, nil
}

func newModelPullCommand(env *command.Environment) *cobra.Command {
	var revision string
	cmd := &cobra.Command{
		Use:   "pull OWNER/NAME[@REVISION]",
		Short: "Fetch a model from the Hugging Face Hub",
		Long: `pull fetches a model from the Hugging Face Hub into the cache that the Hub's own
clients use, and prints where it is. What is there already is not fetched again; a
download that was cut goes on where it stopped; every file is checked against the
hash that the Hub announces (of a mirror that announces none, its ETag); two pulls at
once wait for each other.

Environment, as for the Hub's own clients: HF_HOME or HF_HUB_CACHE (where the cache
is), HF_TOKEN (private models), HF_ENDPOINT (a mirror), HF_HUB_OFFLINE=1 (ask no
network).

A name can be given to --model of every command, which fetches it when it is missing.`,
		Example: `  groupvit model pull nvidia/groupvit-gcc-yfcc
  groupvit segment photo.jpg --model nvidia/groupvit-gcc-yfcc --labels "dog,grass"
  HF_TOKEN=… groupvit model pull me/private --revision v2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := parseRef(args[0], revision)
			if err != nil {
				return err
			}
			m, err := env.Pull(cmd.Context(), r)
			if err != nil {
				return err
			}
			if env.JSON {
				return env.Print(describe(m))
			}
			_, err = fmt.Fprintln(env.Stdout, m.Dir)
			return err
		},
	}
	cmd.Flags().StringVar(&revision, "revision", "", "branch, tag or commit (default main)")
	return cmd
}

func newModelListCommand(env *command.Environment) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the models that are here: the embedded one and those of the cache",
		Example: "  groupvit model list\n  groupvit model list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cache, err := hub.DefaultCache()
			if err != nil {
				return err
			}
			models, err := cache.List()
			if err != nil {
				return err
			}
			if env.JSON {
				for _, m := range models {
					if err := env.Print(describe(m)); err != nil {
						return err
					}
				}
				return nil
			}
			w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "model\tcommit\tsize\tlicence")
			fmt.Fprintln(w, groupvit.DefaultModel+"\t(embedded)\t\t")
			for _, m := range models {
				fmt.Fprintf(w, "%s\t%.12s\t%s\t%s\n", m.Ref, m.Commit, humanize.IBytes(uint64(m.Bytes)), m.License)
			}
			return w.Flush()
		},
	}
}

func newModelRemoveCommand(env *command.Environment) *cobra.Command {
	return &cobra.Command{
		Use:     "rm OWNER/NAME",
		Short:   "Delete a model of the cache, with all of its revisions",
		Long:    "rm deletes a model of the Hub's cache, with all of its revisions. Other clients of the\nHub that share the cache lose it too.",
		Example: "  groupvit model rm nvidia/groupvit-gcc-yfcc",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: command.CompleteFirst(command.CachedNames),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := parseRef(args[0], "")
			if err != nil {
				return err
			}
			cache, err := hub.DefaultCache()
			if err != nil {
				return err
			}
			freed, err := cache.Remove(r)
			if err != nil {
				return err
			}
			env.Warn("%s: %s freed", r.ID(), humanize.IBytes(uint64(freed)))
			return nil
		},
	}
}
