package evaluate

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/groupvit/groupvit/internal/limits"
)

// ReadReport reads a report of a segmentation that was written as JSON.
func ReadReport(path string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limits.ReportBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := limits.Check("its size in bytes", path, int64(len(text)), limits.ReportBytes, "is it a report?"); err != nil {
		return nil, err
	}
	r, err := parseReport(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// parseReport reads a report and checks what it says of each photo.
func parseReport(text []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%w: no report of eval segmentation: %w", ErrReports, err)
	}
	if len(r.Classes) == 0 || len(r.Classes) > 255 || len(r.PerImage) == 0 {
		return nil, fmt.Errorf("%w: it has %d classes and %d photos: is it a report of eval segmentation --json FILE?", ErrReports, len(r.Classes), len(r.PerImage))
	}
	seen := map[string]bool{}
	for _, im := range r.PerImage {
		if seen[im.ID] || !im.Classes.fits(len(r.Classes)) {
			return nil, fmt.Errorf("%w: photo %.80q stands twice or has areas that cannot be", ErrReports, im.ID)
		}
		seen[im.ID] = true
		for _, b := range im.Boundaries {
			if b[0] < 0 || b[0] >= int64(len(r.Classes)) {
				return nil, fmt.Errorf("%w: photo %.80q has the boundary of a class that is not there", ErrReports, im.ID)
			}
		}
	}
	return &r, nil
}
