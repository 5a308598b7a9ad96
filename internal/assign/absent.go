package assign

import "context"

// Present says which labels of a view hold together: a label's map M, smoothed by
// the tokens' affinity A, changes little where it covers a thing, and much where it
// is scattered over what belongs to others. A label stays if the soft intersection
// over union of M and A·M, Σ min/Σ max, is at least least in some window (FreeCP,
// Chen et al., 2025, with attention for A; here the groups' co-assignment, or the
// likeness of patches). Maps are softmaxes over all words of sharpness·cosine.
func Present(ctx context.Context, v *View, words Words, from Source, sharpness float64, a Affinity, least float64) ([]bool, error) {
	if err := v.check(from != FromPatches, from != FromGroups); err != nil {
		return nil, err
	}
	kept := make([]bool, words.Labels)
	planes, of := words.planes()
	for i := range v.Windows {
		w := &v.Windows[i]
		maps := windowMaps(w, words, of, from)
		softmaxMaps(maps, sharpness)
		smooth := make([]grid, planes)
		for p, m := range maps {
			smooth[p] = grid{m.width, m.height, append([]float32(nil), m.values...)}
		}
		whole := a
		whole.Weight = 1
		if err := whole.propagate(ctx, w, smooth[:words.Labels]); err != nil {
			return nil, err
		}
		for label := range kept {
			kept[label] = kept[label] || softIoU(maps[label].values, smooth[label].values) >= least
		}
	}
	return kept, nil
}

// softIoU is Σ min/Σ max; 1 for two maps of zeros.
func softIoU(a, b []float32) float64 {
	var lower, upper float64
	for i, x := range a {
		lower += float64(min(x, b[i]))
		upper += float64(max(x, b[i]))
	}
	if upper == 0 {
		return 1
	}
	return lower / upper
}

// softmaxMaps turns scores into probabilities over the maps, place by place.
func softmaxMaps(maps []grid, sharpness float64) {
	row := make([]float64, len(maps))
	for i := range maps[0].values {
		for p, m := range maps {
			row[p] = sharpness * float64(m.values[i])
		}
		softmax(row)
		for p, m := range maps {
			m.values[i] = float32(row[p])
		}
	}
}
