package train

import (
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/modelfile"
	"github.com/groupvit/groupvit/internal/pairs"
)

// countedWords is how many words of captions a run keeps track of: as many as fit a
// file of a model directory.
const countedWords = 1 << 15

// beginCounting goes on with an origin's counts of words. Without any, a new model has
// met nothing yet; of one that was trained before nobody knows what it met, and its
// words are not counted.
func (r *run) beginCounting(o origin, fresh bool) error {
	r.words = nil
	switch {
	case o.words != nil:
		var err error
		if r.words, err = modelfile.ReadWordCounts(o.words); err != nil {
			return err
		}
		r.words.Limit = countedWords
	case fresh:
		r.words = &modelfile.WordCounts{Limit: countedWords}
	}
	return nil
}

// count counts the words of a batch's captions during the first pass over the data:
// to see a caption again teaches no new word.
func (r *run) count(b *pairs.Batch) {
	if r.words == nil || b.Step >= r.loader.StepsPerPass() {
		return
	}
	for _, caption := range b.Texts {
		r.words.Add(caption)
	}
}

// addWords adds the counts to a model's files: the library says by them which labels
// it hardly met.
func (r *run) addWords(files map[string][]byte) error {
	if r.words == nil {
		return nil
	}
	b, err := r.words.JSON(countedWords, limits.ConfigBytes-1)
	if err == nil {
		files[modelfile.WordCountsName] = append(b, '\n')
	}
	return err
}
