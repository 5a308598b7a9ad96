package stepper

import (
	"strings"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// fits says how well the captions of a batch fit its pictures, beside their own:
// what CaptionTargets are made of.
type fits struct {
	loss settings.Loss
	size int
	// alike are the pictures with the same caption but for case and spaces, by
	// caption; key is each picture's.
	alike map[string][]int
	key   []string
	// having are the pictures that have a noun, ascending, by noun; nouns are each
	// picture's. Nil where nouns do not count.
	having map[string][]int
	nouns  [][]string
}

// fitsOfBatch looks through a batch with matrices; of one without, see fitsOf.
func fitsOfBatch(l settings.Loss, b *pairs.Batch) *fits {
	return fitsOf(l, &pairs.MicroBatch{Batch: b})
}

// fitsOf looks through the batch of a part that comes with its texts. Nouns are
// those that the batch has prompts of.
func fitsOf(l settings.Loss, p *pairs.MicroBatch) *fits {
	b := p.Batch
	f := &fits{loss: l, size: b.Size, alike: map[string][]int{}}
	if !l.Soft() {
		return f
	}
	for i, text := range b.Texts {
		key := strings.ToLower(strings.Join(strings.Fields(text), " "))
		f.alike[key], f.key = append(f.alike[key], i), append(f.key, key)
	}
	if l.SoftTargets != settings.SoftNouns {
		return f
	}
	f.having, f.nouns = map[string][]int{}, make([][]string, b.Size)
	for i := range b.Size {
		targets, _, _ := p.Rows(i, i+1)
		for u, word := range b.Nouns {
			had := f.having[word]
			if word == "" || targets[u] == 0 || len(had) > 0 && had[len(had)-1] == i {
				continue
			}
			f.having[word] = append(had, i)
			f.nouns[i] = append(f.nouns[i], word)
		}
	}
	return f
}

// rows are CaptionTargets of pictures from … to−1: [to−from, B]. Element i, j says
// how well caption j fits picture i: 1 where it is its own or the same text but for
// case and spaces, else SoftWeight times the share of common nouns (both captions'
// over either's), if nouns count.
func (f *fits) rows(from, to int) []float32 {
	out := make([]float32, (to-from)*f.size)
	for i := from; i < to; i++ {
		row := out[(i-from)*f.size : (i-from+1)*f.size]
		f.sharedNouns(row, i)
		if f.key != nil {
			for _, j := range f.alike[f.key[i]] {
				row[j] = 1
			}
		}
		row[i] = 1
	}
	return out
}

// sharedNouns writes the share of common nouns of picture i and those that have any.
func (f *fits) sharedNouns(row []float32, i int) {
	if f.nouns == nil {
		return
	}
	for _, word := range f.nouns[i] {
		for _, j := range f.having[word] {
			row[j]++
		}
	}
	for j, common := range row {
		if common > 0 {
			row[j] = float32(f.loss.SoftWeight) * common / (float32(len(f.nouns[i])+len(f.nouns[j])) - common)
		}
	}
}

// sums are network.Sums of a batch, and the whole caption weight of each part.
type sums struct {
	captions, prompts, named []float32
	pictures, explained      float32
	// labelled is the number of pictures with a cell of which something is known.
	labelled float32
}

// sumsOf adds up what the losses need to know of all pictures, some rows at a time.
func sumsOf(l settings.Loss, p *pairs.MicroBatch, f *fits, blocks []block) sums {
	b := p.Batch
	s := sums{captions: make([]float32, b.Size), prompts: make([]float32, b.U), named: make([]float32, b.U)}
	wide := make([]float64, b.Size)
	for _, k := range blocks {
		rows := f.rows(k.from, k.from+k.size)
		for at, t := range rows {
			i, j := k.from+at/b.Size, at%b.Size
			wide[j] += float64(t * b.CaptionWeight[i] * b.CaptionWeight[j])
		}
	}
	for j, v := range wide {
		s.captions[j] = float32(v)
	}
	if b.U == 0 {
		return s
	}
	for _, k := range blocks {
		targets, known, _ := p.Rows(k.from, k.from+k.size)
		for at := range k.size {
			s.addPrompts(targets[at*b.U:(at+1)*b.U], known[at*b.U:(at+1)*b.U])
		}
	}
	s.countLabelled(p)
	if l.Explains() {
		for _, k := range blocks {
			_, _, explains := p.Rows(k.from, k.from+k.size)
			for at := range k.size {
				s.addExplained(explains[at*b.U : (at+1)*b.U])
			}
		}
	}
	return s
}

// addPrompts adds a picture's prompts.
func (s *sums) addPrompts(targets, known []float32) {
	has := float32(0)
	for u, n := range targets {
		if n > 0 {
			s.named[u] = 1
		}
		if n *= known[u]; n > 0 {
			s.prompts[u] += n
			has = 1
		}
	}
	s.pictures += has
}

// addExplained counts a picture that one of the batch's words may explain a part of.
func (s *sums) addExplained(explains []float32) {
	for u, x := range explains {
		if x > 0 && s.named[u] > 0 {
			s.explained++
			return
		}
	}
}

// block is some of the rows of a batch: size of them, beginning with from.
type block struct{ from, size int }

// blocksOf cuts n rows into blocks of at most most, all of one size where that is
// at least half of it, else all but the last: a graph is compiled for each size.
func blocksOf(n, most int) []block {
	most = min(max(most, 1), n)
	size := (n + (n+most-1)/most - 1) / ((n + most - 1) / most)
	for s := most; 2*s >= most; s-- {
		if n%s == 0 {
			size = s
			break
		}
	}
	var out []block
	for from := 0; from < n; from += size {
		out = append(out, block{from, min(size, n-from)})
	}
	return out
}

// countLabelled counts the pictures that network.DenseLoss means over: with a cell
// that shows a word, or background where a background word competes.
func (s *sums) countLabelled(p *pairs.MicroBatch) {
	b := p.Batch
	if b.Labels == nil {
		return
	}
	n := len(b.Labels) / b.Size
	for i := range b.Size {
		stuff := false
		for u, competes := range p.Competing(i, i+1) {
			stuff = stuff || competes > 0 && b.Stuff[u] > 0
		}
		for k := i * n; k < (i+1)*n; k++ {
			if b.Word[k] > 0 || stuff && b.Background[k] > 0 {
				s.labelled++
				break
			}
		}
	}
}
