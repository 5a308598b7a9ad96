package pairs

import "fmt"

// loaded is a sample ready to be drawn from.
type loaded struct {
	key            string
	captions, tags []string
	image          *Image
}

// load returns a sample, from memory where it is kept, or nil when it cannot be
// used, which is reported once.
func (l *Loader) load(i int) *loaded {
	i = l.index.slot(i)
	if l.bad[i].Load() {
		return nil
	}
	if l.cache != nil {
		if s := l.cache[i].Load(); s != nil {
			return s
		}
	}
	s, err := l.read(i)
	if err != nil {
		if !l.bad[i].Swap(true) {
			l.mu.Lock()
			l.report.add(Problem{l.index.Key(i), l.index.Source(i), err})
			l.mu.Unlock()
		}
		return nil
	}
	l.keep(i, s)
	return s
}

// keep puts a sample into the cache while there is room.
func (l *Loader) keep(i int, s *loaded) {
	if l.cache == nil {
		return
	}
	size := int64(len(s.image.Pix))
	if l.cached.Add(size) > l.options.Cache.Bytes || !l.cache[i].CompareAndSwap(nil, s) {
		l.cached.Add(-size)
	}
}

// read reads and decodes a sample.
func (l *Loader) read(i int) (*loaded, error) {
	var sample *Sample
	var err error
	if l.texts != nil {
		copied := *l.texts[i]
		sample = &copied
		sample.Picture, err = l.index.read(l.index.entries[i].picture)
	} else {
		sample, err = l.index.Sample(i)
	}
	if err != nil {
		return nil, err
	}
	im, err := sample.Decode()
	if err != nil {
		return nil, err
	}
	if side := l.options.Cache.Side; side > 0 && (im.Width != side || im.Height != side) {
		if im, err = resize(im, side, side); err != nil {
			return nil, fmt.Errorf("%w: %w", errPicture, err)
		}
	}
	return &loaded{sample.Key, sample.Captions, sample.Tags, im}, nil
}
