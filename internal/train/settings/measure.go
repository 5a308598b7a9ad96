package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/bench"
)

// Measure says how the model is measured while it trains, and at the end.
// Nothing of it changes what is learnt.
type Measure struct {
	// Every is the number of steps between measurements; 0 measures at the end
	// only.
	Every int
	// Data names pictures with captions, as pairs.Expand reads them, for
	// retrieval; "" measures none.
	Data string
	// Dataset is the layout and Root the folder of a segmentation set, Split and
	// Classes as in bench.Options; a Root of "" measures none.
	Dataset, Root, Split string
	Classes              []string
	// Protocol and ShortSide are those of the segmentation; "" and 0 are the
	// model's own.
	Protocol  string
	ShortSide int
	// HoldOut is the share of data.train, 0 to 1, that is set aside, and on which
	// naming is measured; 0 sets none aside. See pairs.Index.HoldOut.
	HoldOut float64
	// Limit measures on so many pictures of each set, at even steps; 0 is all.
	Limit int
	// Pictures is the number of photos that are drawn with their groups and
	// labels at each measurement.
	Pictures int
}

// Names of what --keep keeps; see Output.
const (
	KeepLast = "last"
	KeepBest = "best"
)

func defaultMeasure() Measure { return Measure{Every: 1000, Dataset: "scenes", Pictures: 4} }

// mostPictures bounds a sheet.
const mostPictures = 64

func (m Measure) validate() error {
	switch {
	case m.Every < 0 || m.Limit < 0 || m.ShortSide < 0:
		return fmt.Errorf("every %d, limit %d and short_side %d must not be negative", m.Every, m.Limit, m.ShortSide)
	case !(m.HoldOut >= 0 && m.HoldOut < 1):
		return fmt.Errorf("hold_out %g: it must be a share in [0, 1)", m.HoldOut)
	case m.Pictures < 0 || m.Pictures > mostPictures:
		return fmt.Errorf("pictures %d: it must be 0 to %d", m.Pictures, mostPictures)
	case !slices.Contains(bench.Layouts(), m.Dataset):
		return fmt.Errorf("dataset %q: one of %s", m.Dataset, strings.Join(bench.Layouts(), ", "))
	}
	_, err := groupvit.ParseProtocol(m.Protocol)
	return err
}
