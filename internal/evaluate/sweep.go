package evaluate

import (
	"fmt"
	"strings"
)

// sweepWidth is the length of the longest bar of a sweep's table.
const sweepWidth = 40

// sweepTable is a sweep as lines of text: threshold, mIoU, pixel accuracy and a bar.
func (r *Report) sweepTable() string {
	lines := []string{fmt.Sprintf("%9s  %6s  %8s", "threshold", "mIoU", "accuracy")}
	best := r.BestOfSweep()
	for i, p := range r.Sweep {
		bar := 0
		if p.MIoU != nil && best >= 0 && *r.Sweep[best].MIoU > 0 {
			bar = int(*p.MIoU / *r.Sweep[best].MIoU * sweepWidth)
		}
		mark := ""
		if i == best {
			mark = " best of these photos"
		}
		lines = append(lines, fmt.Sprintf("%9g  %6s  %8s  %s%s", p.Threshold, number(p.MIoU), number(p.PixelAccuracy), strings.Repeat("▇", bar), mark))
	}
	return strings.Join(lines, "\n")
}

// BestOfSweep is the place of the threshold with the largest mIoU, −1 without one.
func (r *Report) BestOfSweep() int {
	best := -1
	for i, p := range r.Sweep {
		if p.MIoU != nil && (best < 0 || *p.MIoU > *r.Sweep[best].MIoU) {
			best = i
		}
	}
	return best
}
