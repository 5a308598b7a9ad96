package experiment

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Run runs an experiment and leaves its results in Output/NAME-SCALE: report.json,
// report.md and pictures. What is trained or measured already is not done again,
// and what was broken off goes on.
//
// Errors wrap [ErrRequest], or are those of training and measuring.
func Run(ctx context.Context, o Options) (*Report, string, error) {
	b, err := prepare(ctx, o)
	if err != nil {
		return nil, "", err
	}
	var r *Report
	switch b.recipe.Kind {
	case kindTokens:
		r, err = b.tokens(ctx)
	case kindTransfer:
		r, err = b.transfer(ctx)
	default:
		r, err = b.table(ctx)
	}
	if err != nil {
		return nil, "", err
	}
	content, err := r.Encode()
	if err == nil {
		err = writeFile(filepath.Join(b.folder, "report.json"), content)
	}
	if err == nil {
		err = writeFile(filepath.Join(b.folder, "report.md"), []byte(r.Markdown("")))
	}
	return r, b.folder, err
}

// table trains and measures all variations with all seeds.
func (b *session) table(ctx context.Context) (*Report, error) {
	var runs []*trained
	var cells []*cell
	for i := range b.recipe.Variations {
		v := &b.recipe.Variations[i]
		if v.skipped {
			continue
		}
		for _, seed := range b.scale.Seeds {
			run, err := b.plan(b.recipe.variation(v.Of), seed)
			if err != nil {
				return nil, err
			}
			runs, cells = append(runs, run), append(cells, &cell{variation: v, seed: seed, run: run})
		}
	}
	if err := b.trainAll(ctx, runs); err != nil {
		return nil, err
	}
	if err := b.measureAll(ctx, cells); err != nil {
		return nil, err
	}
	r := b.report(b.tableSetting(cells))
	rows := map[string]Row{}
	for _, v := range b.recipe.Variations {
		if v.skipped {
			continue
		}
		row := Row{Name: v.Name, Note: v.Note, Paper: v.Paper}
		for _, c := range cells {
			if c.variation.Name == v.Name {
				row.Seeds, row.MIoU = append(row.Seeds, c.seed), append(row.MIoU, c.result.MIoU)
				if v.Of == v.Name {
					row.Seconds += c.run.seconds()
				}
			}
		}
		row.Mean, row.Deviation = meanOf(row.MIoU)
		rows[v.Name] = row
		r.Rows = append(r.Rows, row)
	}
	little := tooLittle(len(b.scale.Seeds), cells[0].run.settings.Settings.Steps, len(b.set.Samples))
	for _, c := range b.recipe.Claims {
		v := judge(c.Text, rows[c.Above], rows[c.Below])
		if little != "" {
			v.Result, v.Reason = tooFew, little
		}
		r.Verdicts = append(r.Verdicts, v)
	}
	picture, err := r.plot()
	if err == nil {
		err = writeFile(filepath.Join(b.folder, "plot.png"), picture)
	}
	r.Pictures = []Picture{{File: "plot.png", Title: r.Title}}
	return r, err
}

func (b *session) report(setting string) *Report {
	return &Report{Name: b.Name, Title: b.recipe.Title, Scale: b.Scale, Paper: b.recipe.Paper, PaperSource: b.recipe.PaperSource, Setting: setting, Command: b.Command}
}

// tableSetting says what was trained and measured on, in words.
func (b *session) tableSetting(cells []*cell) string {
	var text strings.Builder
	if b.scale.Scenes > 0 {
		fmt.Fprintf(&text, "Trained on %d synthetic scenes, measured on %d others", b.scale.Scenes, len(b.set.Samples))
	} else {
		fmt.Fprintf(&text, "Measured on %d photos of %s", len(b.set.Samples), b.set.Name)
	}
	s := cells[0].run.settings.Settings
	if s.Steps > 0 {
		fmt.Fprintf(&text, "; %d steps of %d", s.Steps, s.Batch)
	} else {
		fmt.Fprintf(&text, "; %g passes, batches of %d", s.Epochs, s.Batch)
	}
	var seconds float64
	seen := map[string]bool{}
	for _, c := range cells {
		if !seen[c.run.dir] {
			seconds += c.run.seconds()
		}
		seen[c.run.dir] = true
	}
	models := fmt.Sprintf("%d models", len(seen))
	if len(seen) == 1 {
		models = "1 model"
	}
	fmt.Fprintf(&text, "; %s, %.0f minutes of training in all. mIoU in percent.", models, seconds/60)
	if len(b.scale.Seeds) == 1 {
		text.WriteString(" One seed: a few points may be chance.")
	}
	if rows, all := len(cells)/len(b.scale.Seeds), len(b.recipe.Variations); rows < all {
		fmt.Fprintf(&text, " These are %d of the table's %d rows.", rows, all)
	}
	return text.String()
}

func (b *session) figureSetting() string {
	switch {
	case b.Model != "":
		return "Model " + filepath.ToSlash(b.Model)
	case b.scale.Scenes > 0:
		return fmt.Sprintf("Trained on %d synthetic scenes", b.scale.Scenes)
	}
	return "Trained as the paper's"
}

// stopped tells how to go on after Ctrl-C.
func (b *session) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: the same command goes on in %s: %w", b.Output, context.Cause(ctx))
	}
	return err
}
