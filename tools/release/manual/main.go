// Command manual writes the program's manual: a page for man of each command,
// and the completions of four shells.
//
//	go run ./tools/release/manual DIR
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: manual DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

// write makes DIR/man and DIR/completions.
func write(dir string) error {
	man, completions := filepath.Join(dir, "man"), filepath.Join(dir, "completions")
	if err := errors.Join(os.MkdirAll(man, 0o755), os.MkdirAll(completions, 0o755)); err != nil {
		return err
	}
	if err := cli.WriteManual(man); err != nil {
		return err
	}
	return errors.Join(shells(cli.Command(), completions)...)
}

func shells(root *cobra.Command, dir string) []error {
	return []error{
		root.GenBashCompletionFileV2(filepath.Join(dir, "groupvit.bash"), true),
		root.GenZshCompletionFile(filepath.Join(dir, "_groupvit")),
		root.GenFishCompletionFile(filepath.Join(dir, "groupvit.fish"), true),
		root.GenPowerShellCompletionFileWithDesc(filepath.Join(dir, "groupvit.ps1")),
	}
}
