package groupvit

import (
	"context"
	"image"

	"github.com/groupvit/groupvit/internal/assign"
)

// Collector collects a model's [Statistics] over photos. It is for one goroutine.
type Collector struct {
	model   *Model
	moments assign.Moments
	photos  int
}

// CollectStatistics begins to collect; see [Collector.Add].
func (m *Model) CollectStatistics() *Collector { return &Collector{model: m} }

// Add looks at a photo as quality fast does.
func (c *Collector) Add(ctx context.Context, photo image.Image) error {
	e, err := c.model.Encode(ctx, photo, &SegmentOptions{Protocol: Best, Quality: Fast})
	if err != nil {
		return err
	}
	c.photos++
	return c.moments.Add(e.view, c.model.source(), c.model.config.EmbedWidth)
}

// Statistics are those of the photos so far; nil of none.
func (c *Collector) Statistics() *Statistics {
	s := c.moments.Statistics()
	if s == nil {
		return nil
	}
	return &Statistics{Photos: c.photos, moments: *s}
}
