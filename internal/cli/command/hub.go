package command

import (
	"context"
	"errors"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/hub"
)

// hubClient is a client that shows how far a download is.
func (e *Environment) hubClient() (*hub.Client, func(), error) {
	c, err := hub.FromEnvironment()
	if err != nil {
		return nil, nil, Usagef("%w", err)
	}
	var bar *Progress
	var current string
	done := func() {
		if bar != nil {
			bar.Done()
		}
	}
	c.Progress = func(file string, n, total int64) {
		if file != current {
			done()
			current, bar = file, e.bytesProgress(file, total)
		}
		bar.Set(int(n))
	}
	return c, done, nil
}

// Pull fetches a model and says under which terms.
func (e *Environment) Pull(ctx context.Context, r hub.Ref) (hub.Model, error) {
	c, done, err := e.hubClient()
	if err != nil {
		return hub.Model{}, err
	}
	m, err := c.Pull(ctx, r)
	done()
	if err != nil {
		return m, err
	}
	license := m.License
	if license == "" {
		license = "none told: see " + hub.Endpoint + "/" + r.ID()
	}
	e.Warn("%s: licence: %s", r, license)
	if len(m.Unchecked) > 0 {
		e.Warn("%s: the mirror gives no hash of %s: only the size was checked", r, strings.Join(m.Unchecked, ", "))
	}
	return m, nil
}

// FetchMissing fetches a model that is a name of the Hub, no file, and not in
// the cache.
func (e *Environment) FetchMissing(ctx context.Context, model string) error {
	if model == "" || model == groupvit.DefaultModel {
		return nil
	}
	if _, err := hub.Locate(model); !errors.Is(err, hub.ErrNotCached) {
		return err
	}
	r, err := hub.Parse(model)
	if err != nil {
		return err
	}
	e.Warn("%s: not found locally or in the cache; fetching it from the Hub", model)
	_, err = e.Pull(ctx, r)
	return err
}
