// Package recipes holds the training recipes and those of the paper's experiments,
// so that the program can run the latter from any folder.
package recipes

import "embed"

// Files are all recipes; experiments/ holds those of package experiment.
//
//go:embed *.yaml experiments/*.yaml
var Files embed.FS
