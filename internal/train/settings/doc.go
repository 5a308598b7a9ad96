// Package settings is what a training run may be told: the fields of a recipe,
// their defaults, checks and meanings, and where each value came from.
//
// Read in this order: settings.go (the fields), loss.go, optimizer.go, schedule.go,
// measure.go, safety.go, evalfile.go and step.go (sections with rules of their
// own), recipe.go (default < recipe < environment < flag), passes.go (recipes of
// several runs), keys.go, keys_meaning.go and show.go (what users read).
package settings
