package speed

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// shownShapes is how many shapes of a kind the table shows; the JSON has all.
const shownShapes = 6

// WriteRoofline writes a roofline as a table for people.
func WriteRoofline(w io.Writer, r *Roofline) error {
	what := fmt.Sprintf("%s, batch %d", r.Work, r.Batch)
	computed := precisionText(r.Precision, r.Computed)
	if r.ImageSize != nil {
		what = fmt.Sprintf("%s %d px, batch %d", r.Work, *r.ImageSize, r.Batch)
	}
	_, err := fmt.Fprintf(w, "%s, %s, threads: %d\n%.3f ms, the sum of each step's quickest of %d runs (median of a run %.3f ms)\nlimits: %.1f GFLOP/s (own product of 1024³), %.1f GB/s (own sum of two arrays)\n",
		what, computed, r.Threads, r.Ms, r.Runs, r.MsMedian, r.SGEMMGFLOPS, r.StreamGBS)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.TabIndent)
	fmt.Fprintln(t, "count\tms\tof time\tGFLOP\tMB\tGFLOP/s\tGB/s\tof limit\t\toperation")
	row := func(o Operation, indent string) {
		fmt.Fprintf(t, "%d\t%.3f\t%.1f %%\t%s\t%.2f\t%s\t%.1f\t%.0f %%\t%s\t%s%s\n", o.Count, o.Ms, 100*o.TimeShare,
			some(o.GFLOP, 3), o.MB, some(o.GFLOPS, 1), o.GBS, 100*o.LimitShare, o.Bound, indent, o.Kind)
	}
	for _, o := range r.Operations {
		row(o, "  ")
		for i, s := range o.Shapes {
			if i == shownShapes {
				fmt.Fprintf(t, "\t\t\t\t\t\t\t\t\t    … %d more\n", len(o.Shapes)-i)
				break
			}
			row(s, "    ")
		}
	}
	return t.Flush()
}

// some writes a number, "–" for 0.
func some(v float64, digits int) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, v)
}
