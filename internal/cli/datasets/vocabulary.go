package datasets

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/cli/training"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/nouns/tagger"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/parallel"
	"github.com/groupvit/groupvit/internal/shards"
)

// VocabularyJSON is the line of --json.
type VocabularyJSON struct {
	Output  string         `json:"output"`
	Photos  int            `json:"photos"`
	Words   map[string]int `json:"words"`
	Skipped map[string]int `json:"skipped"`
	// LeftOut counts files that are no part of any sample, and what of samples and
	// tables is not used.
	LeftOut *shards.LeftOut `json:"left_out"`
}

func newDataVocabularyCommand(env *command.Environment) *cobra.Command {
	var output string
	var least int
	var table pairs.TableOptions
	cmd := &cobra.Command{
		Use:   "vocabulary SOURCES… --output FILE.yaml",
		Short: "Make a vocabulary of what captions and tags name",
		Long: `vocabulary counts which words the captions and tags of some data name, and writes
those that enough photos do, for training on a list of words (data.nouns.vocabulary)
and for pseudo masks (data label --vocabulary).

` + sourcesHelp + `

Singular and plural count as one, as do synonyms ("woman", "people" and "person") of a
built-in table, which also says what is stuff (ground, scenery, rooms) and what are
clothes and parts of the body. Longer phrases go first: a hot dog is no dog, a train
track no train. Other tags and nouns that many photos have become things.

The file is a list in YAML, most frequent first, to be looked at and changed:

  - name: dog
    kind: thing              # thing, body or stuff
    count: 3120              # photos that name it
    synonyms: [puppy, pup]   # plurals are found without
    except: [hot dog]        # phrases that mean something else`,
		Example: `  groupvit data vocabulary 'photos/*.tar' --output vocabulary.yaml
  groupvit data vocabulary captions.csv --min-count 100 --output vocabulary.yaml`,
		Args: needSources,
		RunE: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return command.Usagef("name a file for the vocabulary with --output")
			}
			if least < 1 {
				return command.Usagef("--min-count %d: it must be 1 or more", least)
			}
			x, err := openSources(cmd.Context(), args, table)
			if err != nil {
				return err
			}
			return makeVocabulary(cmd.Context(), env, x, least, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file for the vocabulary (YAML)")
	cmd.Flags().IntVar(&least, "min-count", 25, "photos that must name a word")
	training.TableFlags(cmd.Flags(), &table)
	return cmd
}

func makeVocabulary(ctx context.Context, env *command.Environment, x *pairs.Index, least int, output string) error {
	survey, err := nouns.NewSurvey(tagger.Tag)
	if err != nil {
		return err
	}
	result := VocabularyJSON{Output: output, Words: map[string]int{}, Skipped: map[string]int{}, LeftOut: x.LeftOut()}
	problems := problemList{env: env}
	skip := func(p pairs.Problem) {
		problems.add(p)
		result.Skipped[p.Reason()]++
	}
	for _, p := range x.Problems() {
		skip(p)
	}
	bar := env.Progress("photos", x.Len())
	parts, most := (x.Len()+textsAtOnce-1)/textsAtOnce, runtime.GOMAXPROCS(0)+1
	err = parallel.Ordered(ctx, parallel.Numbers(parts), most, most, func(_ context.Context, n int) ([]read, error) {
		return readTexts(x, survey, n*textsAtOnce, min((n+1)*textsAtOnce, x.Len())), nil
	}, func(n int, list []read, err error) error {
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.err != nil {
				skip(pairs.Problem{Key: x.Key(r.at), Source: x.Source(r.at), Err: r.err})
				continue
			}
			result.Photos++
			survey.Add(r.mentions)
		}
		bar.Set(min((n+1)*textsAtOnce, x.Len()))
		return ctx.Err()
	})
	bar.Done()
	problems.end()
	if left := x.LeftOut().String(); left != "" {
		env.Warn("%s", left)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted, nothing is written: %w", ctx.Err())
	}
	if err != nil {
		return err
	}
	words := survey.Vocabulary(least)
	if len(words) == 0 {
		return fmt.Errorf("no word is named by %s or more: lower --min-count", counted(least, "photo", "photos"))
	}
	for _, w := range words {
		result.Words[w.Kind.String()]++
	}
	if err := command.WriteFile(output, func(w io.Writer) error { return nouns.WriteVocabulary(w, words) }); err != nil {
		return err
	}
	return printVocabulary(env, result, len(words))
}

// textsAtOnce is how many samples a worker reads at a time.
const textsAtOnce = 256

// read is what a sample's texts mention, or why they cannot be read.
type read struct {
	at       int
	mentions nouns.Mentions
	err      error
}

func readTexts(x *pairs.Index, survey *nouns.Survey, from, to int) []read {
	list := make([]read, 0, to-from)
	for i := from; i < to; i++ {
		r := read{at: i}
		s, err := x.Text(i)
		if r.err = err; err == nil {
			r.mentions = survey.Read(s.Captions, s.Tags, !s.Templated())
		}
		list = append(list, r)
	}
	return list
}

func printVocabulary(env *command.Environment, r VocabularyJSON, words int) error {
	var err error
	if env.JSON {
		err = env.Print(r)
	} else {
		env.Warn("%s of %s: %d things, %d clothes and parts of the body, %d stuff", counted(words, "word", "words"), counted(r.Photos, "photo", "photos"),
			r.Words["thing"], r.Words["body"], r.Words["stuff"])
		_, err = fmt.Fprintln(env.Stdout, r.Output)
	}
	if n := total(r.Skipped); err == nil && n > 0 {
		return fmt.Errorf("%w: %s left out", command.ErrPartial, counted(n, "sample was", "samples were"))
	}
	return err
}

// ReadVocabulary reads a vocabulary file; "" is nil.
func ReadVocabulary(path string) ([]nouns.Word, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	words, err := nouns.ReadVocabulary(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return words, nil
}
