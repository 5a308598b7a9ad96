package batch

import "github.com/groupvit/groupvit/internal/shards"

// LeftOut counts files that are not done because of what they are: what lies among
// photos and is none that can be read.
type LeftOut = shards.LeftOut

// Kinds of what is left out of folders, beside those of package shards.
const (
	kindResult = "written by an earlier run"
	kindLink   = "linking to photos listed already"
	kindFolder = "linking to folders"
)
