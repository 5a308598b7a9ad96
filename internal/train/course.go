package train

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/train/curves"
)

// drawCurves draws DIR/curves.png from the logs, as far as they go.
func (r *run) drawCurves() error {
	dir := r.options.Output
	steps, err := readCourse(filepath.Join(dir, logFile))
	if err != nil {
		return err
	}
	measured, err := readCourse(filepath.Join(dir, measuredFile))
	if err != nil {
		return err
	}
	if len(steps["loss"]) == 0 {
		return nil
	}
	groups := float64(max(r.settings.Model.Groups(), 1))
	share := slices.Clone(steps["groups_used"])
	for i := range share {
		share[i].Value /= groups
	}
	rough := func(name string, points []curves.Point) curves.Line {
		return curves.Line{Name: name, Points: points, Rough: true}
	}
	panels := []curves.Panel{
		{Title: "loss", Lines: []curves.Line{
			rough("total", steps["loss"]), rough("image–text", steps["loss_image_text"]), rough("nouns", steps["loss_nouns"]),
			{Name: "chance, image–text", Points: above0(steps["chance_image_text"])},
		}},
		{Title: "groups", From0: true, Lines: []curves.Line{
			rough(fmt.Sprintf("used, of %g", groups), share), rough("entropy of the assignment", steps["assignment_entropy"]),
			rough("similarity of groups", steps["group_similarity"]), rough("agreement of masks", steps["mask_agreement"]),
		}},
		{Title: "learning rate", From0: true, Lines: []curves.Line{{Name: "rate", Points: steps["lr"]}}},
		{Title: "gradient norm, before clipping", From0: true, Lines: []curves.Line{rough("norm", steps["gradient_norm"])}},
	}
	if groups < 2 {
		panels = slices.Delete(panels, 1, 2)
	}
	panels = append(panels, measuredPanels(measured)...)
	var b bytes.Buffer
	if err := curves.Draw(&b, r.settings.Name, panels); err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, curvesFile), b.Bytes())
}

// measuredPanels are retrieval, naming and segmentation, as far as they were measured.
func measuredPanels(measured map[string][]curves.Point) []curves.Panel {
	retrieval := curves.Panel{Title: "retrieval on validation pairs (%)", From0: true}
	naming := curves.Panel{Title: "naming of photos set aside (%)", From0: true}
	segmentation := curves.Panel{Title: "segmentation (%)", From0: true}
	// By length first: R@5 before R@10.
	names := slices.SortedFunc(maps.Keys(measured), func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	for _, name := range names {
		l := curves.Line{Name: strings.ReplaceAll(name, "_", " "), Points: measured[name]}
		switch {
		case strings.HasPrefix(name, "image_to_text_"):
			retrieval.Lines = append(retrieval.Lines, l)
		case name == namingTop1, name == namingAP:
			naming.Lines = append(naming.Lines, l)
		case name == "mIoU", name == "pixel_accuracy":
			segmentation.Lines = append(segmentation.Lines, l)
		}
	}
	return []curves.Panel{retrieval, naming, segmentation}
}

func above0(points []curves.Point) []curves.Point {
	return slices.DeleteFunc(slices.Clone(points), func(p curves.Point) bool { return p.Value <= 0 })
}

// readCourse reads the numbers of a file of JSON lines by key.
func readCourse(path string) (map[string][]curves.Point, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string][]curves.Point{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var entry map[string]any
		if json.Unmarshal(lines.Bytes(), &entry) != nil {
			continue // the torn end of a killed run
		}
		step, _ := entry["step"].(float64)
		for key, v := range entry {
			if number, ok := v.(float64); ok && key != "step" {
				out[key] = append(out[key], curves.Point{Step: int(step), Value: number})
			}
		}
	}
	return out, nil
}
