package photos

import (
	"strconv"
	"strings"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// allowance is how many photos of a run may fail without making the run one: a number,
// or a share of all in percent.
type allowance struct {
	most  float64
	share bool
}

// parseAllowance reads "20" or "0.5%"; "" allows none.
func parseAllowance(text string) (allowance, error) {
	number, share := strings.CutSuffix(text, "%")
	if text == "" {
		return allowance{}, nil
	}
	most, err := strconv.ParseFloat(number, 64)
	if err != nil || !(most >= 0) || share && most > 100 || !share && most != float64(int64(most)) {
		return allowance{}, command.Usagef(`--allow-failed %q: give a number of photos, as 20, or a share, as 1%%`, text)
	}
	return allowance{most, share}, nil
}

// covers reports whether so many failures of so many photos are allowed.
func (a allowance) covers(failed, photos int) bool {
	if a.share {
		return float64(failed) <= a.most/100*float64(photos)
	}
	return float64(failed) <= a.most
}
