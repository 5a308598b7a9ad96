package masks

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/textio"
	"github.com/groupvit/groupvit/internal/vocab"
)

// Len is the number of photos that are listed.
func (s *Set) Len() int { return len(s.Dataset.Samples) }

// Samples yields the photos with their label maps, in the dataset's order. An error
// stands beside a sample of which only Key and Source are known, and does not end the
// sequence.
func (s *Set) Samples(ctx context.Context) iter.Seq2[*pairs.Sample, error] {
	return func(yield func(*pairs.Sample, error) bool) {
		for i := range s.Dataset.Samples {
			if ctx.Err() != nil {
				return
			}
			if !yield(s.Sample(i)) {
				return
			}
		}
	}
}

// Sample reads photo i and its mask.
//
// Its captions are those of a text beside the photo (NAME.txt), if there is one; else
// one that names what the mask shows, with the same words as tags, so that training
// does not take it for what a person wrote.
func (s *Set) Sample(i int) (*pairs.Sample, error) {
	at := s.Dataset.Samples[i]
	out := &pairs.Sample{Key: at.ID, Source: at.Photo}
	truth, err := s.Dataset.Truth(i)
	if err != nil {
		return out, fmt.Errorf("%w: %w", pairs.ErrLabels, err)
	}
	if out.Picture, err = readPhoto(at.Photo); err != nil {
		return out, err
	}
	info, err := imaging.Probe(out.Picture, at.Photo)
	if err != nil {
		return out, fmt.Errorf("%w: %w", pairs.ErrPicture, err)
	}
	if info.Width != truth.Width || info.Height != truth.Height {
		return out, fmt.Errorf("%w: the photo has %d×%d pixels upright, its mask has %d×%d", pairs.ErrLabels, info.Width, info.Height, truth.Width, truth.Height)
	}
	m := s.labelMap(truth)
	if err := out.SetLabelMap(m); err != nil {
		return out, err
	}
	if out.Captions, err = captionBeside(at.Photo); err != nil || len(out.Captions) > 0 {
		return out, err
	}
	out.Captions, out.Tags = []string{"a photo"}, []string{"photo"}
	if len(m.Words) > 0 {
		out.Captions, out.Tags = []string{"a photo of " + list(m.Words)}, m.Words
	}
	return out, nil
}

// labelMap is a truth with the words that it shows.
func (s *Set) labelMap(t *bench.Truth) *pairs.LabelMap {
	m := &pairs.LabelMap{Width: t.Width, Height: t.Height, Classes: Words(s.Classes)}
	if slices.ContainsFunc(s.Classes, Class.Background) {
		m.Classes = append([]string{vocab.Background}, m.Classes...)
	}
	m.Pix = t.Labels
	var values [256]uint8
	var shown [256]bool
	for _, label := range m.Pix {
		shown[label] = true
	}
	for label := range values {
		values[label] = pairs.LabelUnknown
		if label >= len(s.Classes) || !shown[label] || s.Classes[label].Ignored {
			continue
		}
		c := s.Classes[label]
		if c.Background() {
			values[label] = pairs.LabelBackground
			continue
		}
		at := slices.Index(m.Words, c.Word)
		if at < 0 {
			at, m.Words = len(m.Words), append(m.Words, c.Word)
		}
		values[label] = uint8(at + 1)
	}
	for i, label := range m.Pix {
		m.Pix[i] = values[label]
	}
	return m
}

// list is a list of words in a sentence.
func list(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// captionBeside reads the text beside a photo; none is no error.
func captionBeside(photo string) ([]string, error) {
	f, err := os.Open(strings.TrimSuffix(photo, filepath.Ext(photo)) + ".txt")
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limits.CaptionBytes))
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	text := strings.TrimSpace(strings.ToValidUTF8(string(textio.Decode(b)), "\uFFFD"))
	if text == "" {
		return nil, nil
	}
	return []string{text}, nil
}

// readPhoto reads a photo's file.
func readPhoto(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", pairs.ErrPicture, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limits.ImageBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", pairs.ErrPicture, err)
	}
	return b, limits.Check("its size in bytes", path, int64(len(b)), limits.ImageBytes, "scale it down")
}
