package training

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// measureFlags are the flags that say how a model is measured as it trains.
type measureFlags struct {
	data, dataset, root, protocol, keep string
	classes                             []string
	every, limit, shortSide, pictures   int
}

func (m *measureFlags) register(f *pflag.FlagSet) {
	f.StringVar(&m.data, "val-data", "", "pictures with captions to measure retrieval on, as in --train-data")
	f.StringVar(&m.root, "eval-root", "", "folder of a segmentation set to measure mIoU on")
	f.StringVar(&m.dataset, "eval-dataset", "", "its layout: "+strings.Join(bench.Layouts(), ", ")+" (default scenes)")
	f.StringSliceVar(&m.classes, "eval-classes", nil, "its classes to tell apart (default all)")
	f.StringVar(&m.protocol, "eval-protocol", "", "protocol of the evaluation (default: the model's own)")
	f.IntVar(&m.shortSide, "eval-short-side", 0, "input resolution: the short side in pixels (default: the protocol's)")
	f.IntVar(&m.every, "eval-every", 0, "steps between measurements; 0 is at the end only (default 1000)")
	f.IntVar(&m.limit, "eval-limit", 0, "evaluate this many photos of each set; 0 means all")
	f.IntVar(&m.pictures, "eval-pictures", 0, "photos drawn with their groups at each measurement (default 4)")
	f.StringVar(&m.keep, "keep", "", "last, or best: keep the best model, too: by mIoU on --eval-root, naming of measure.hold_out, or their mean")
}

// add hands over the flags that were given.
func (m *measureFlags) add(add func(flag, key, value string)) error {
	add("val-data", "measure.data", m.data)
	add("eval-root", "measure.root", m.root)
	add("eval-dataset", "measure.dataset", m.dataset)
	add("eval-classes", "measure.classes", yamlList(m.classes))
	add("eval-protocol", "measure.protocol", m.protocol)
	add("eval-short-side", "measure.short_side", strconv.Itoa(m.shortSide))
	add("eval-every", "measure.every", strconv.Itoa(m.every))
	add("eval-limit", "measure.limit", strconv.Itoa(m.limit))
	add("eval-pictures", "measure.pictures", strconv.Itoa(m.pictures))
	switch m.keep {
	case "", settings.KeepLast, settings.KeepBest:
		add("keep", "output.keep_best", strconv.FormatBool(m.keep == settings.KeepBest))
		return nil
	}
	return command.Usagef("--keep %q: it must be %s or %s", m.keep, settings.KeepLast, settings.KeepBest)
}

// yamlList writes words as a list that YAML reads.
func yamlList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
