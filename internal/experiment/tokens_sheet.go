package experiment

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image/png"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/render"
)

// mostOnSheet is the number of groups drawn of a stage, those with most pixels.
const mostOnSheet = 24

// leastOnSheet is the share of all pixels below which a group is in the table alone.
const leastOnSheet = 0.002

// sheets draws, for each stage, the photos in which each group takes most.
func (b *session) sheets(ctx context.Context, e *encoder, g gallery, counts [][]taken, r *Report) error {
	for s := range counts {
		var list []Group
		for _, group := range r.Groups {
			if group.Stage == s+1 && group.Share >= leastOnSheet {
				list = append(list, group)
			}
		}
		slices.SortStableFunc(list, func(a, b Group) int { return cmp.Compare(b.Share, a.Share) })
		if list = list[:min(len(list), mostOnSheet)]; len(list) == 0 {
			continue
		}
		var panels []render.Panel
		columns := max(b.scale.Examples, 1)
		for _, group := range list {
			row, err := b.examples(ctx, e, g, s, group, counts[s][group.Number-1].best)
			if err != nil {
				return err
			}
			panels = append(panels, row...)
			for len(row) < columns { // keep the grid
				row = append(row, render.Panel{Image: blank})
				panels = append(panels, row[len(row)-1])
			}
		}
		if 2*columns <= 10 && len(list) > 6 { // two groups beside each other
			columns *= 2
		}
		sheet, err := render.Sheet(panels, &render.SheetOptions{
			Title: fmt.Sprintf("Stage %d: what each group takes, and the words nearest to it", s+1), Columns: columns, Cell: 112,
		})
		if err != nil {
			return err
		}
		var buffer bytes.Buffer
		if err := png.Encode(&buffer, sheet); err != nil {
			return err
		}
		p := Picture{File: fmt.Sprintf("stage%d.png", s+1), Title: fmt.Sprintf("What the groups of stage %d take", s+1)}
		if err := writeFile(filepath.Join(b.folder, p.File), buffer.Bytes()); err != nil {
			return err
		}
		r.Pictures = append(r.Pictures, p)
	}
	return nil
}

// examples are the panels of one group.
func (b *session) examples(ctx context.Context, e *encoder, g gallery, stage int, group Group, best []example) ([]render.Panel, error) {
	titles := []string{fmt.Sprintf("group %d: %.1f %%", group.Number, 100*group.Share), "near " + wordsOf(group.Words, 2)}
	if len(group.Takes) > 0 {
		titles = append(titles, "takes "+shares(group.Takes[:1]))
	}
	var panels []render.Panel
	for i, x := range best {
		photo, _, name, err := g.load(x.photo)
		if err != nil {
			return nil, err
		}
		l, err := e.look(ctx, photo)
		if err != nil {
			return nil, fmt.Errorf("photo %s: %w", name, err)
		}
		m, err := assign.GroupMap(ctx, l.view, stage)
		if err != nil {
			return nil, err
		}
		p := render.Panel{Image: spotlight(photo, m, uint16(group.Number))}
		if i < len(titles) {
			p.Title = titles[i]
		}
		panels = append(panels, p)
	}
	return panels, nil
}

func wordsOf(list []Weighed, most int) string {
	var words []string
	for _, w := range list[:min(len(list), most)] {
		words = append(words, w.Word)
	}
	return strings.Join(words, ", ")
}

func shares(list []Weighed) string {
	var words []string
	for _, w := range list {
		words = append(words, fmt.Sprintf("%s %.0f %%", w.Word, 100*w.Value))
	}
	return strings.Join(words, ", ")
}

// groups writes what a figure says of each group as a table.
func (r *Report) groups(b *strings.Builder) {
	if len(r.Groups) == 0 {
		return
	}
	truth := slices.ContainsFunc(r.Groups, func(g Group) bool { return len(g.Takes) > 0 })
	b.WriteString("| stage | group | share of pixels | photos | nearest words (cosine) |")
	line := "|---|---|---|---|---|"
	if truth {
		b.WriteString(" true classes of its pixels |")
		line += "---|"
	}
	b.WriteString("\n" + line + "\n")
	for _, g := range r.Groups {
		var words []string
		for _, w := range g.Words {
			words = append(words, fmt.Sprintf("%s %.2f", w.Word, w.Value))
		}
		fmt.Fprintf(b, "| %d | %d | %.1f %% | %d | %s |", g.Stage, g.Number, 100*g.Share, g.Photos, strings.Join(words, ", "))
		if truth {
			fmt.Fprintf(b, " %s |", shares(g.Takes))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}
