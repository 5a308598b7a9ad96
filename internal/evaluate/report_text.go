package evaluate

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report as a table for people.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "class\tIoU\trecall\tboundary F\t")
	for _, name := range r.Classes {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", name, number(r.PerClass[name]), number(r.Recall[name]), number(r.BoundaryPerClass[name]))
	}
	fmt.Fprintf(t, "mIoU\t%s\t\t%s\t\n", number(r.MIoU), number(r.BoundaryF))
	fmt.Fprintf(t, "mIoU_present\t%s\t\t\t\n", number(r.MIoUPresent))
	if err := t.Flush(); err != nil {
		return err
	}
	lines := []string{
		fmt.Sprintf("pixel accuracy %s %%, foreground recall %s %%", number(r.PixelAccuracy), number(r.ForegroundRecall)),
		fmt.Sprintf("baseline (%s everywhere): mIoU_present %s, the model's is %s; pixel accuracy %s %%",
			r.Baseline.Class, number(r.Baseline.present()), number(r.MIoUPresent), number(r.Baseline.PixelAccuracy)),
		fmt.Sprintf("protocol %s, background %s, templates %s", r.Protocol, r.Background, cmp.Or(r.Templates, "the protocol's")),
		fmt.Sprintf("model %s (sha256 %.12s), engine %s", r.Model.Name, cmp.Or(r.Model.SHA256, "unknown"), r.Engine),
		fmt.Sprintf("dataset %s, %d photos, %d pixels, %.2f photos/s", r.Dataset, r.Images, r.Pixels, r.ImagesPerSecond),
	}
	switch r.Unnamed {
	case "background":
		lines = append(lines, "pixels of classes that were not named count as background")
	case "ignored":
		lines = append(lines, "pixels of classes that were not named are ignored")
	}
	if len(r.Absent) > 0 {
		lines = append(lines, fmt.Sprintf("without true pixels: %s; left out of the mean (never predicted either): %s; mIoU counts the other absent classes as 0",
			strings.Join(r.Absent, ", "), cmp.Or(strings.Join(r.LeftOut, ", "), "none")))
	}
	if s := r.Split; s != nil {
		lines = append(lines, fmt.Sprintf("threshold %g for even photos (mIoU %s), %g for odd photos (%s), each chosen on the others",
			s.OddThreshold, number(s.EvenMIoU), s.EvenThreshold, number(s.OddMIoU)))
	}
	switch r.Oracle {
	case OracleRegions:
		lines = append(lines, "oracle: each region has the class that most of its true pixels have; words have no say")
	case OracleLabels:
		lines = append(lines, "oracle: each photo was asked for its true classes alone")
	}
	if r.Resumed > 0 {
		lines = append(lines, fmt.Sprintf("%d of the photos were measured before", r.Resumed))
	}
	if r.Note != "" {
		lines = append(lines, r.Note)
	}
	if len(r.Sweep) > 0 {
		lines = append(lines, "", r.sweepTable())
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// present is the mean to be set beside a report's; reports of earlier versions have
// none, and their mean is the same where the baseline's class occurs.
func (b Baseline) present() *float64 {
	if b.MIoUPresent == nil {
		return b.MIoU
	}
	return b.MIoUPresent
}

// number writes a share, "–" where it is not defined.
func number(p *float64) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f", *p)
}
