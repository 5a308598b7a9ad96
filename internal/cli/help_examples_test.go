package cli

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// helpExamples are the command lines in the help of a command and those below it: with
// what a pipe or a file takes cut off, by the command that has them in its help.
func helpExamples(t *testing.T, c *cobra.Command) (lines [][]string) {
	t.Helper()
	for _, line := range strings.Split(strings.ReplaceAll(c.Example, "\\\n", " "), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		words, err := shellWords(line)
		if err != nil {
			t.Errorf("%s: the example %q: %v", c.CommandPath(), line, err)
		}
		if len(words) > 0 && words[0] == "groupvit" {
			lines = append(lines, words[1:])
		}
	}
	for _, sub := range c.Commands() {
		lines = append(lines, helpExamples(t, sub)...)
	}
	return lines
}

// shellWords splits a line as a shell does, up to a pipe or a redirection.
func shellWords(line string) (words []string, err error) {
	var word strings.Builder
	quote, inside := rune(0), false
	flush := func() {
		if inside {
			words = append(words, word.String())
			word.Reset()
			inside = false
		}
	}
	for _, r := range strings.TrimSpace(line) {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inside = r, true
		case r == ' ':
			flush()
		case r == '|' || r == '>':
			flush()
			return words, nil
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	flush()
	if quote != 0 {
		err = errors.New("a quote is not closed")
	}
	return words, err
}

// TestHelpExamplesParse: every example of the help calls a command with flags and
// arguments that it takes.
func TestHelpExamplesParse(t *testing.T) {
	n := 0
	for _, words := range helpExamples(t, newRootCommand(&command.Environment{})) {
		n++
		line := strings.Join(words, " ")
		// A new tree for each: flags keep their values.
		c, rest, err := newRootCommand(&command.Environment{}).Find(words)
		if err == nil {
			err = c.ParseFlags(rest)
		}
		if err == nil {
			err = c.ValidateArgs(c.Flags().Args())
		}
		if err != nil {
			t.Errorf("groupvit %s: %v", line, err)
		}
	}
	if n < 80 {
		t.Errorf("%d examples are found", n)
	}
}

// notRun are parts of examples that need more than a few photos and seconds: models and
// data of others, trainings, servers, whole benchmarks.
var notRun = []string{
	"nvidia/", "runs/", "VOC", "imagenet", "cc3m", "cc12m", "flickr", "coco_stuff", "big/", "photos-{", "-of-16", ".pth", "val/",
	"train --", "serve", "bench", "calibra", "eval ", "experiment table", "experiment figure", "data label", "data vocabulary", "data speed",
	"data masks", "data synth", "instances", "export", "video", "tune", "--watch", "pull", "man ", "paper.json", "--shard 3/16", "my-photos",
}

// TestHelpExamplesRun: the examples that need no more than photos, words and captions
// do what they say.
func TestHelpExamplesRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the program dozens of times")
	}
	n := 0
	seen := map[string]bool{}
examples:
	for _, words := range helpExamples(t, newRootCommand(&command.Environment{})) {
		line := strings.Join(words, " ")
		for _, part := range notRun {
			if strings.Contains(line+" ", part) {
				continue examples
			}
		}
		if words[0] == "join" || seen[line] {
			continue // join: below
		}
		seen[line] = true
		n++
		runExample(t, examplePlace(t), words)
	}
	dir := examplePlace(t)
	runExample(t, dir, []string{"segment", "--manifest", "photos.txt", "--labels", "dog,grass", "--format", "coco", "-o", "masks"})
	runExample(t, dir, []string{"join", "masks", "-o", "instances.json"})
	if n < 20 {
		t.Errorf("%d examples are run: are those that need nothing left out?", n)
	}
}

// examplePlace is a folder with what the examples name.
func examplePlace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	names := []string{"cat.jpg", "dog.jpg", "dogs.jpg", "street.jpg", "photo.jpg", "photos/a.jpg", "photos/b.jpg"}
	var table, list bytes.Buffer
	table.WriteString("filepath,title\n")
	for _, name := range names {
		writePhoto(t, dir, name)
		fmt.Fprintf(&table, "%s,a dog on the grass\n", name)
		fmt.Fprintln(&list, name)
	}
	writeBytes(t, dir, "captions.csv", table.Bytes())
	writeBytes(t, dir, "photos.txt", list.Bytes())
	writeBytes(t, dir, "words.txt", []byte("dog\ngrass, lawn\n"))
	for _, name := range []string{"photos/a.txt", "photos/b.txt"} {
		writeBytes(t, dir, name, []byte("a dog on the grass"))
	}
	recipes, err := os.ReadFile("../../recipes/photos.yaml")
	if err != nil {
		t.Fatal(err)
	}
	writeBytes(t, dir, "recipes/photos.yaml", recipes)
	photo, err := os.ReadFile(writePhoto(t, t.TempDir(), "x.png"))
	if err != nil {
		t.Fatal(err)
	}
	var shard bytes.Buffer
	w := tar.NewWriter(&shard)
	for name, data := range map[string][]byte{"k.png": photo, "k.txt": []byte("a dog")} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shards-in/k.tar", "photos/k.tar"} {
		writeBytes(t, dir, name, shard.Bytes())
	}
	return dir
}

// runExample runs the program in a folder; shards that an example reads are in
// shards-in, since another example writes shards.
func runExample(t *testing.T, dir string, words []string) {
	t.Helper()
	args := make([]string, len(words))
	stdin := []byte(nil)
	for i, w := range words {
		args[i] = strings.Replace(w, "shards/*", "shards-in/*", 1)
		if w == "-" && words[0] == "segment" {
			if stdin = []byte("dog.jpg\n"); words[i-1] != "--manifest" {
				stdin, _ = os.ReadFile(dir + "/dog.jpg")
			}
		}
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("groupvit %s: %v\n%.2000s", strings.Join(words, " "), err, out)
	}
}
