package groupvit

import (
	"context"
	"fmt"
	"image"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/mask"
)

// Groups returns, for each grouping stage, which group every pixel belongs to,
// counted from 1, whatever the words. The photo is encoded in one pass. A model
// without groups (see [Model.Summary]) is an [ErrModel].
func (m *Model) Groups(ctx context.Context, photo image.Image) ([]*mask.Map, error) {
	if !m.config.HasGroups() {
		return nil, fmt.Errorf("%w %s: it has no grouping stages, its map is read from patches: name a model with groups", ErrModel, m.name)
	}
	view, err := m.encodeWhole(ctx, photo)
	if err != nil {
		return nil, err
	}
	var maps []*mask.Map
	for stage := range m.config.StageGroups() {
		g, err := assign.GroupMap(ctx, view, stage)
		if err != nil {
			return nil, err
		}
		maps = append(maps, g)
	}
	return maps, nil
}
