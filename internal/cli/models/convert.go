package models

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bpe"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/hub"
	"github.com/groupvit/groupvit/internal/weights"
)

// Layouts that convert writes.
const (
	layoutHub      = "huggingface"
	layoutOfficial = "official"
)

func newModelConvertCommand(env *command.Environment) *cobra.Command {
	var layout string
	var half bool
	cmd := &cobra.Command{
		Use:   "convert MODEL OUT",
		Short: "Write a model in another layout or in half precision",
		Long: `convert reads any model and writes it as a Hugging Face directory (config.json,
model.safetensors, tokenizer, preprocessor_config.json), or, where OUT ends in .pth,
as a file of the official code ({"model": …} under its names). --half stores weights
in half precision.

The official file has neither a configuration nor a tokenizer: reading it back, heads
are taken to be 64 wide, as in every published network. Only the paper's network fits
into it.`,
		Example: `  groupvit model convert group_vit_gcc_yfcc.pth groupvit-yfcc
  groupvit model convert nvidia/groupvit-gcc-yfcc small --half
  groupvit model convert runs/cc/final mine.pth`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: command.CompleteFirst(command.ModelNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, out := args[0], args[1]
			if layout == "" {
				layout = layoutHub
				if strings.HasSuffix(out, ".pth") {
					layout = layoutOfficial
				}
			}
			if layout != layoutHub && layout != layoutOfficial {
				return command.Usagef("--to %q: choose %s or %s", layout, layoutHub, layoutOfficial)
			}
			if err := env.FetchMissing(cmd.Context(), in); err != nil {
				return err
			}
			m, err := readWeights(in)
			if err != nil {
				return err
			}
			if layout == layoutOfficial {
				err = weights.SaveOfficial(out, m, half)
			} else {
				if len(m.TokenizerFiles) == 0 && m.Config.Text.Vocabulary == bpe.CLIP().Vocabulary() {
					if m.TokenizerFiles, err = bpe.CLIP().Files(m.Config.Text.Context); err != nil {
						return err
					}
				}
				err = weights.Save(out, m, weights.SaveOptions{Half: half})
			}
			if err != nil {
				return err
			}
			if env.JSON {
				return env.Print(map[string]any{"model": in, "path": out, "layout": layout, "half": half})
			}
			_, err = fmt.Fprintln(env.Stdout, out)
			return err
		},
	}
	cmd.Flags().StringVar(&layout, "to", "", "layout: huggingface or official (default by OUT: .pth is official)")
	cmd.Flags().BoolVar(&half, "half", false, "store weights in half precision")
	return cmd
}

// readWeights reads the tensors of any model, the embedded one among them.
func readWeights(model string) (*weights.Model, error) {
	if model == groupvit.DefaultModel {
		files, err := groupvit.DefaultFiles()
		if err != nil {
			return nil, err
		}
		return weights.OpenFS(files, ".")
	}
	path, err := hub.Locate(filepath.Clean(model))
	if err != nil {
		return nil, err
	}
	return weights.Open(path)
}
