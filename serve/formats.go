package serve

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/output"
	"github.com/groupvit/groupvit/mask"
)

// answer is a photo and what was found in it.
type answer struct {
	name  string
	photo *imaging.Image // nil unless a format needs it
	found *groupvit.Segmentation
}

// parseFormats finds formats by name.
func parseFormats(names []string) ([]output.Format, error) {
	all := output.Served()
	list, unknown := output.Find(all, names)
	if unknown != "" {
		return nil, kindOption.because("there is no format %.40q, there are %s", unknown, strings.Join(output.Names(all), ", "))
	}
	return list, nil
}

// checkScores refuses answers that would be too large, before they are made.
func checkScores(labels, width, height int, files []output.Format) error {
	if !slices.ContainsFunc(files, func(f output.Format) bool { return f.Scores }) {
		return nil
	}
	return limits.Check("number of class scores", "format npy", int64(labels)*int64(width)*int64(height), limits.ServeScores,
		fmt.Sprintf("ask for fewer labels or a smaller result_side than %d", max(width, height)))
}

func encodePNG(m *mask.Map) ([]byte, error) {
	var b bytes.Buffer
	err := m.EncodePNG(&b, mask.VOCPalette())
	return b.Bytes(), err
}
