package pairs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// loaded is a sample ready to be drawn from.
type loaded struct {
	key            string
	captions, tags []string
	// templated reports whether the captions say no more than the tags.
	templated bool
	image     *Image
	labels    *LabelMap // nil without one, or where labels are not asked for
}

// text is the sample without its images.
func (s *loaded) text() *loaded {
	t := *s
	t.image = nil
	if s.labels != nil {
		t.labels = &LabelMap{Words: s.labels.Words, Classes: s.labels.Classes}
	}
	return &t
}

// load returns a sample, from memory where it is kept, or nil when it cannot be
// used, which is reported once. The error says that its file has vanished.
func (l *Loader) load(ctx context.Context, i int) (*loaded, error) {
	i = l.index.first(i)
	if l.bad[i].Load() {
		return nil, nil
	}
	if l.cache != nil {
		if s := l.cache[i].Load(); s != nil {
			return s, nil
		}
	}
	s, err := l.readPatiently(ctx, i)
	switch {
	case err == nil:
		l.keep(i, s)
		return s, nil
	case errors.Is(err, ErrVanished) || ctx.Err() != nil:
		return nil, err
	}
	if !l.bad[i].Swap(true) {
		l.mu.Lock()
		l.report.add(Problem{l.index.Key(i), l.index.Source(i), err})
		l.mu.Unlock()
	}
	return nil, nil
}

// retryEvery is the time between attempts to read what has vanished.
const retryEvery = 250 * time.Millisecond

// readPatiently reads a sample. One that was there when the sources were listed
// and is not any more makes it wait and try again, as long as the options say: a
// network drive may come back, and to go on without would be another training.
func (l *Loader) readPatiently(ctx context.Context, i int) (*loaded, error) {
	s, err := l.read(i)
	for begin := time.Now(); err != nil && vanished(err); s, err = l.read(i) {
		if time.Since(begin) >= l.options.Patience {
			return nil, fmt.Errorf("%w: %s: %w", ErrVanished, l.index.Source(i), err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(retryEvery):
		}
	}
	return s, err
}

// vanished tells a file that is gone, cut short or failing from one that may not
// be read and never could.
func vanished(err error) bool {
	return errors.Is(err, errRead) && !errors.Is(err, fs.ErrPermission)
}

// keep puts a sample into the cache while there is room.
func (l *Loader) keep(i int, s *loaded) {
	if l.cache == nil {
		return
	}
	size := int64(len(s.image.Pix))
	if s.labels != nil {
		size += int64(len(s.labels.Pix))
	}
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
		err = l.index.readImages(sample, i)
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
			return nil, fmt.Errorf("%w: %w", ErrPicture, err)
		}
	}
	s := &loaded{key: sample.Key, captions: sample.Captions, tags: sample.Tags, templated: sample.Templated(), image: im}
	if l.options.Labels {
		s.labels, err = sample.LabelMap()
	}
	return s, err
}
