package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// eachFlag visits every command's flags.
func eachFlag(visit func(c *cobra.Command, f *pflag.Flag)) {
	root := Command()
	for _, c := range append([]*cobra.Command{root}, command.Descendants(root)...) {
		c.Flags().VisitAll(func(f *pflag.Flag) { visit(c, f) })
		c.PersistentFlags().VisitAll(func(f *pflag.Flag) { visit(c, f) })
	}
}

// Back quotes in the help of a flag name its value: only capitals are meant so.
func TestFlagHelp(t *testing.T) {
	n := 0
	eachFlag(func(c *cobra.Command, f *pflag.Flag) {
		n++
		if name, _ := pflag.UnquoteUsage(f); strings.Contains(f.Usage, "`") && name != strings.ToUpper(name) {
			t.Errorf("%s --%s: its value is called %q", c.CommandPath(), f.Name, name)
		}
		if f.Usage == "" {
			t.Errorf("%s --%s has no help", c.CommandPath(), f.Name)
		}
	})
	if n < 200 {
		t.Errorf("%d flags", n)
	}
}

// A flag whose help lists values completes them, and no other files.
func TestEnumeratedFlags(t *testing.T) {
	seen := map[string]bool{}
	eachFlag(func(c *cobra.Command, f *pflag.Flag) {
		e, ok := enumeration(f)
		if !ok {
			return
		}
		seen[f.Name] = true
		if len(e.values()) == 0 {
			t.Errorf("%s --%s has no values", c.CommandPath(), f.Name)
		}
		if f.DefValue != "" && f.DefValue != "[]" && !e.list && !slices.Contains(e.values(), f.DefValue) {
			t.Errorf("%s --%s: its default %q is none of its values", c.CommandPath(), f.Name, f.DefValue)
		}
	})
	for name := range enumerations {
		if !seen[name] {
			t.Errorf("no command has --%s", name)
		}
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"segment", "--protocol", ""}, protocolNames()},
		{[]string{"segment", "--quality", "f"}, []string{"fast"}},
		{[]string{"segment", "--format", "mask,coco"}, []string{"mask,coco", "mask,coco-polygons"}},
		{[]string{"eval", "segmentation", "--dataset", "voc1"}, []string{"voc12"}},
		{[]string{"data", "convert", "--from", "coco-j"}, []string{"coco-json"}},
		{[]string{"train", "--lr-scheduler", ""}, []string{"cosine", "const"}},
		{[]string{"serve", "--engine", "s"}, []string{"simd"}},
	} {
		r := runProgram(t, nil, append([]string{"__complete"}, c.args...)...)
		lines := strings.Split(strings.TrimSpace(r.out), "\n")
		if directive := lines[len(lines)-1]; !slices.Equal(lines[:len(lines)-1], c.want) || directive != ":4" && directive != ":6" {
			t.Errorf("%v: %q, want %q", c.args, lines, c.want)
		}
	}
}

// What is spelt alike is asked for: commands, flags and values.
func TestDidYouMean(t *testing.T) {
	for _, c := range []struct {
		says string
		args []string
	}{
		{"segment", []string{"segmnt"}},
		{"did you mean segmentation?", []string{"eval", "segmentatoin"}},
		{"did you mean --labels?", []string{"segment", "a.jpg", "--lables", "dog"}},
		{"did you mean --train-data?", []string{"train", "--traindata", "x"}},
		{`unknown protocol "bst"; choose paper, hf, tcl, sclip or best (did you mean best?)`, []string{"segment", "a.jpg", "--labels", "dog", "--protocol", "bst"}},
		{"did you mean overlay?", []string{"segment", "a.jpg", "--labels", "dog", "--format", "mask,overlya"}},
		{"did you mean balanced?", []string{"explain", "a.jpg", "--labels", "dog", "--quality", "balance"}},
		{"did you mean voc12?", []string{"eval", "segmentation", "--dataset", "voc_12", "--root", "x"}},
		{`unknown engine "abacus"; choose`, []string{"segment", "a.jpg", "--labels", "dog", "--engine", "abacus"}},
		{"did you mean img2dataset?", []string{"data", "convert", "--from", "img2datset", "x"}},
	} {
		if r := runProgram(t, nil, c.args...); r.code != exitUsage || !strings.Contains(r.errors, c.says) {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
}

// The manual has a page for each command.
func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if r := runProgram(t, nil, "man", dir); r.code != exitDone || strings.TrimSpace(r.out) != dir {
		t.Fatalf("%+v", r)
	}
	root := Command()
	for _, c := range append([]*cobra.Command{root}, command.Descendants(root)...) {
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"))
		if c.IsAvailableCommand() && (err != nil || !strings.Contains(string(page), c.Short[:10])) {
			t.Errorf("%s: %d bytes, %v", c.CommandPath(), len(page), err)
		}
	}
}
