package experiment

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Report is what an experiment found.
type Report struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Scale string `json:"scale"`
	// Paper is what the paper found, and PaperSource where its numbers stand.
	Paper       string `json:"paper"`
	PaperSource string `json:"paper_source,omitempty"`
	// Setting says in words what was trained and measured on.
	Setting string `json:"setting"`
	// Command made the report.
	Command string `json:"command"`
	Rows    []Row  `json:"rows,omitempty"`
	// Verdicts compare rows as the paper does.
	Verdicts []Verdict `json:"verdicts,omitempty"`
	// Groups are what a figure says of each group.
	Groups []Group `json:"groups,omitempty"`
	// Pictures are files beside the report.
	Pictures []Picture `json:"pictures,omitempty"`
}

// Row is a variation, measured for each seed.
type Row struct {
	Name string `json:"name"`
	Note string `json:"note,omitempty"`
	// Paper is the paper's number, of another data set.
	Paper *float64 `json:"paper,omitempty"`
	// Seeds and MIoU go together; mIoU in percent.
	Seeds []uint64  `json:"seeds"`
	MIoU  []float64 `json:"mIoU"`
	// Mean and Deviation (of a sample, n−1; 0 for one seed) are over the seeds.
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
	// Seconds is how long training took, all seeds together; 0 where a row has no
	// model of its own.
	Seconds float64 `json:"training_seconds,omitempty"`
}

// Verdict is what a claim of the paper came to.
type Verdict struct {
	Claim string `json:"claim"`
	// Difference is the mean over seeds of the row that should be above minus the
	// other; Low and High are the least and the largest of a seed.
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	// Result is "agrees", "goes against it", "open" where seeds disagree, or "not
	// judged" where there is too little to tell: Reason says what.
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
}

// Picture is a file and what it shows.
type Picture struct {
	File  string `json:"file"`
	Title string `json:"title"`
}

// Results of a verdict.
const (
	agrees  = "agrees"
	against = "goes against it"
	open    = "open"
	tooFew  = "not judged"
)

// A claim is judged from so many seeds, steps of training and photos up: below, a
// difference of a few points is as likely to be chance.
const (
	leastSeeds  = 3
	leastSteps  = 300
	leastPhotos = 100
)

// tooLittle says why nothing is judged by so many seeds, steps (0 where training is
// counted in passes) and photos; "" where there is enough.
func tooLittle(seeds, steps, photos int) string {
	var lacks []string
	for _, c := range []struct {
		n, least  int
		one, many string
	}{{seeds, leastSeeds, "seed", "seeds"}, {steps, leastSteps, "step", "steps"}, {photos, leastPhotos, "photo", "photos"}} {
		unit := c.many
		if c.n == 1 {
			unit = c.one
		}
		if c.n < c.least && (c.n > 0 || c.many != "steps") {
			lacks = append(lacks, fmt.Sprintf("%d %s of at least %d", c.n, unit, c.least))
		}
	}
	return strings.Join(lacks, ", ")
}

// meanOf returns mean and sample deviation.
func meanOf(x []float64) (mean, deviation float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return mean, 0
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(x)-1))
}

// judge compares two rows of equal seeds.
func judge(claim string, above, below Row) Verdict {
	v := Verdict{Claim: claim, Low: math.Inf(1), High: math.Inf(-1), Result: open}
	for i := range above.MIoU {
		d := above.MIoU[i] - below.MIoU[i]
		v.Difference += d / float64(len(above.MIoU))
		v.Low, v.High = min(v.Low, d), max(v.High, d)
	}
	switch {
	case v.Low > 0:
		v.Result = agrees
	case v.High < 0:
		v.Result = against
	}
	return v
}

// Encode is the report as JSON.
func (r *Report) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

// Markdown is the report as a section of a page; pictures are looked for in the
// folder that is named.
func (r *Report) Markdown(pictures string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", r.Title)
	fmt.Fprintf(&b, "    %s\n\n", r.Command)
	if r.Scale == Tiny {
		b.WriteString("A try at scale tiny: its numbers say nothing.\n\n")
	}
	fmt.Fprintf(&b, "%s The paper: %s.", r.Setting, r.Paper)
	if r.PaperSource != "" {
		fmt.Fprintf(&b, " Its numbers, of another data set, are from %s.", r.PaperSource)
	}
	b.WriteString("\n\n")
	r.table(&b)
	for _, v := range r.Verdicts {
		fmt.Fprintf(&b, "- %s: %s\n", v.Claim, v)
	}
	if len(r.Verdicts) > 0 {
		b.WriteString("\n")
	}
	r.groups(&b)
	for _, p := range r.Pictures {
		fmt.Fprintf(&b, "![%s](%s%s)\n\n", p.Title, pictures, p.File)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// String tells a verdict with its numbers.
func (v Verdict) String() string {
	if v.Result == tooFew {
		return fmt.Sprintf("not judged (%s)", v.Reason)
	}
	text := map[string]string{agrees: "so it is here", against: "**the other way round here**", open: "open here, seeds disagree"}[v.Result]
	if v.Low == v.High {
		return fmt.Sprintf("%s (%+.1f)", text, v.Difference)
	}
	return fmt.Sprintf("%s (%+.1f; by seed %+.1f to %+.1f)", text, v.Difference, v.Low, v.High)
}

func (r *Report) table(b *strings.Builder) {
	if len(r.Rows) == 0 {
		return
	}
	withPaper := slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Paper != nil })
	var columns []string
	for _, s := range r.Rows[0].Seeds {
		columns = append(columns, fmt.Sprintf("seed %d", s))
	}
	columns = append(columns, "mean ± deviation")
	if withPaper {
		columns = append(columns, "paper")
	}
	b.WriteString("| ")
	line(b, columns)
	b.WriteString("|" + strings.Repeat("---|", len(columns)+1) + "\n")
	for _, row := range r.Rows {
		line(b, row.cells(withPaper))
	}
	b.WriteString("\n")
}

// line writes a row of a Markdown table.
func line(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func (r Row) cells(withPaper bool) []string {
	name := r.Name
	if r.Note != "" {
		name += " (" + r.Note + ")"
	}
	cells := []string{name}
	for _, v := range r.MIoU {
		cells = append(cells, fmt.Sprintf("%.1f", v))
	}
	spread := fmt.Sprintf("%.1f", r.Mean)
	if len(r.MIoU) > 1 {
		spread += fmt.Sprintf(" ± %.1f", r.Deviation)
	}
	cells = append(cells, spread)
	switch {
	case withPaper && r.Paper != nil:
		cells = append(cells, fmt.Sprintf("%.1f", *r.Paper))
	case withPaper:
		cells = append(cells, "")
	}
	return cells
}
