package bench

import "github.com/groupvit/groupvit/internal/shards"

// listing is told what of a dataset's files is not used.
type listing struct {
	// left counts files that are neither photos nor masks.
	left *shards.LeftOut
	// skip, if set, takes photos without masks and masks without photos.
	skip func(id string, err error)
}

// missing hands over a photo or mask that cannot be found. Without anybody to hand it
// to, the error ends the listing.
func (l *listing) missing(id string, err error) error {
	if l.skip == nil {
		return err
	}
	l.skip(id, err)
	return nil
}
