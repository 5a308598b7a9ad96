package assign

import "math"

// VoteOptions say how the superpixels of a picture vote.
type VoteOptions struct {
	// Patches is how many of the model's patches the picture was cut into.
	Patches float64
	// Superpixels is the size of one, in patches; above 0.
	Superpixels float64
	// Spread, 0 to 1, is the weight of those that look alike; see [Spread].
	Spread float64
	// Levels is over how many coarser cuts means are taken too; see [NewRegions].
	Levels int
}

// How superpixels are cut and spread: SLIC's compactness keeps them to edges; colours
// are alike within 20 levels, and neighbours near within 1.6 patches (chosen on the
// even ones of 240 photos of VOC; docs/experiments.md). One has 9 places at least.
const (
	slicCompactness  = 10
	slicRounds       = 5
	spreadColour     = 20
	spreadPatches    = 1.6
	spreadRounds     = 5
	superpixelPlaces = 9
)

// Regions cuts a picture [3, height·width] of levels of 0 to 255 into superpixels
// that vote as the options say.
func (o VoteOptions) Regions(picture []float32, width, height int) *Regions {
	places := float64(width * height)
	count := min(o.Patches/o.Superpixels, places/superpixelPlaces)
	cut := SLIC{Count: max(int(count), 1), Compactness: slicCompactness, Rounds: slicRounds}.Cut(picture, width, height)
	near := Spread{Weight: o.Spread, Colour: spreadColour, Place: spreadPatches * math.Sqrt(places/o.Patches), Rounds: spreadRounds}
	return NewRegions(cut, near, o.Levels)
}
