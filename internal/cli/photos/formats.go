package photos

import (
	"fmt"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/output"
)

// formatHelp lists the formats of files, one a line.
func formatHelp() string {
	var b strings.Builder
	for _, f := range output.Files() {
		fmt.Fprintf(&b, "  %-13s %-25s %s\n", f.Name, f.Path("NAME"), f.Says)
	}
	return b.String()
}

// parseFormats reads the list of files to write; empty is none.
func parseFormats(list string) ([]output.Format, error) {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	files := output.Files()
	wanted, unknown := output.Find(files, names)
	if unknown != "" {
		return nil, command.Usagef("--format: %w", command.UnknownName("format", unknown, output.Names(files)))
	}
	return wanted, nil
}
