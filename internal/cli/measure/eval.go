package measure

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/cli/command"
)

func NewEvalCommand(env *command.Environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Measure what a model segments, classifies and retrieves",
		Long: `eval measures a model on data whose truth is known. Every report names the model
by the hash of its weights, the protocol, the data and the command, and stands
beside what no model at all would reach. docs/measuring.md tells the protocols and
the layouts of the datasets.`,
		Example: `  # mIoU on PASCAL VOC 2012 under the paper's rules, with a page of pictures
  groupvit eval segmentation --dataset voc12 --root VOCdevkit/VOC2012 --protocol paper --output runs/voc

  # Two models on the same photos: is the difference more than chance?
  groupvit eval compare runs/a/report.json runs/b/report.json

  # Whole photos: a folder a class, or shards
  groupvit eval classification --root imagenet/val
  groupvit eval retrieval --data 'val/*.tar'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEvalSegmentationCommand(env), newEvalClassificationCommand(env), newEvalRetrievalCommand(env), newEvalPresenceCommand(env), newEvalWordsCommand(env), newEvalCompareCommand(env))
	return cmd
}

// jsonFlag is --json of a report: alone, the report goes to stdout as one line of
// JSON instead of a table; with a FILE, the table goes to stdout and the JSON to
// the file.
type jsonFlag struct{ file string }

// toStdout is the value of --json alone.
const toStdout = "-"

func (j *jsonFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&j.file, "json", "", "write the report as JSON to `FILE`; alone, to stdout instead of the table")
	cmd.Flags().Lookup("json").NoOptDefVal = toStdout
	// A flag whose value may be missing leaves "FILE" of "--json FILE" among the
	// arguments.
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && j.file == toStdout {
			j.file, args = args[0], nil
		}
		return cobra.NoArgs(cmd, args)
	}
}

// check notices before hours of work that the report cannot be written.
func (j *jsonFlag) check() error {
	if j.file == "" || j.file == toStdout {
		return nil
	}
	dir := filepath.Dir(j.file)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("--json %s: %w", j.file, err)
	} else if !info.IsDir() {
		return fmt.Errorf("--json %s: %s is no folder", j.file, dir)
	}
	return nil
}

// write writes a report to where it is asked for.
func (j *jsonFlag) write(env *command.Environment, report any, table func(io.Writer) error) error {
	switch j.file {
	case "":
		return table(env.Stdout)
	case toStdout:
		return env.Print(report)
	}
	text, err := encodeReport(report)
	if err != nil {
		return err
	}
	if err := writeContent(j.file, text); err != nil {
		return err
	}
	return table(env.Stdout)
}

// encodeReport writes a report as JSON for a file, its own way if it has one.
func encodeReport(report any) ([]byte, error) {
	if own, ok := report.(interface{ Encode() ([]byte, error) }); ok {
		return own.Encode()
	}
	text, err := json.MarshalIndent(report, "", "  ")
	return append(text, '\n'), err
}

func writeContent(path string, content []byte) error {
	return command.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// commandLine is the command as it was called, for a report: flags by name.
func commandLine(cmd *cobra.Command) string {
	parts := []string{cmd.CommandPath()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name == "json" {
			return
		}
		parts = append(parts, "--"+f.Name+"="+shellQuote(flagValue(f)))
	})
	return strings.Join(parts, " ")
}

// flagValue is a flag's value as it is written on the command line.
func flagValue(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return strings.Join(list.GetSlice(), ",")
	}
	return f.Value.String()
}

// shellQuote quotes a word that a shell would change.
func shellQuote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n'\"\\$`*?[]{}()<>|&;!#~") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
