package pairs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"iter"

	"github.com/groupvit/groupvit/internal/imaging"
)

// PackOptions say what [Pack] writes.
type PackOptions struct {
	// ShortSide shrinks pictures whose short side is longer, in pixels, and writes
	// them as JPEG of Quality, 1 to 100; 0 keeps all pictures' bytes.
	ShortSide, Quality int
	// Workers decode; 0 is one a CPU.
	Workers int
	// Progress, if set, is called with the number of samples done.
	Progress func(done int)
}

// Validate checks the options.
func (o PackOptions) Validate() error {
	if o.ShortSide < 0 || o.ShortSide > 4096 || o.ShortSide > 0 && (o.Quality < 1 || o.Quality > 100) {
		return fmt.Errorf("%w: short side %d and quality %d: 0 (as they are) to 4096 pixels, and 1 to 100", ErrOptions, o.ShortSide, o.Quality)
	}
	return nil
}

// packed is a sample on its way into a shard.
type packed struct {
	sample        *Sample
	kind          string
	width, height int
	image         *Image
	err           error
}

// Stored decodes a sample's picture and returns the sample as shards keep it: with
// its bytes, or, where shards do not have such pictures, as JPEG. kind is the
// picture's ending ("jpg").
func (s *Sample) Stored() (stored *Sample, kind string, picture *Image, err error) {
	p := PackOptions{}.pack(s)
	return p.sample, p.kind, p.image, p.err
}

// Pack writes samples into shards. Every picture is decoded; what cannot be used
// is left out and handed to skip. Errors are those of writing.
func Pack(ctx context.Context, samples iter.Seq2[*Sample, error], w *ShardWriter, o PackOptions, skip func(Problem)) error {
	if err := o.Validate(); err != nil {
		return err
	}
	type read struct {
		sample *Sample
		err    error
	}
	items := func(yield func(read) bool) {
		for s, err := range samples {
			if !yield(read{s, err}) {
				return
			}
		}
	}
	done := 0
	err := pipeline(ctx, items, o.Workers, func(r read) packed {
		if r.err != nil {
			return packed{sample: r.sample, err: r.err}
		}
		return o.pack(r.sample)
	}, func(p packed) error {
		if done++; o.Progress != nil {
			o.Progress(done)
		}
		if p.err != nil {
			skip(Problem{Key: p.sample.Key, Source: p.sample.Source, Err: p.err})
			return nil
		}
		return w.Add(p.sample, p.kind, p.width, p.height)
	})
	if err != nil {
		w.Abort()
		return err
	}
	return w.Close()
}

// kinds are the endings of pictures by what their header says they are.
var kinds = map[string]string{"JPEG": "jpg", "PNG": "png", "WebP": "webp"}

// pack checks a sample's picture, and shrinks it where that is asked for.
func (o PackOptions) pack(s *Sample) packed {
	p := packed{sample: s}
	if len(s.Captions) == 0 {
		p.err = errNoCaption
		return p
	}
	info, err := imaging.Probe(s.Picture, "picture")
	var im *Image
	if err == nil {
		im, err = s.Decode()
	}
	if err != nil {
		p.err = fmt.Errorf("%w: %w", ErrPicture, err)
		return p
	}
	p.kind, p.width, p.height, p.image = kinds[info.Format], im.Width, im.Height, im
	shrink := o.ShortSide > 0 && min(im.Width, im.Height) > o.ShortSide
	if !shrink && p.kind != "" {
		return p
	}
	if shrink {
		p.width, p.height = imaging.ShortSide(im.Width, im.Height, o.ShortSide)
		if im, err = imaging.ResizePIL(im, p.width, p.height, imaging.Bicubic); err != nil {
			p.err = fmt.Errorf("%w: %w", ErrPicture, err)
			return p
		}
	}
	var b bytes.Buffer
	quality := o.Quality
	if quality == 0 {
		quality = 95 // of kinds that shards do not have
	}
	if p.err = jpeg.Encode(&b, im.RGBA(), &jpeg.Options{Quality: quality}); p.err != nil {
		p.err = errors.Join(ErrPicture, p.err)
		return p
	}
	copied := *s
	copied.Picture = b.Bytes()
	p.sample, p.kind = &copied, "jpg"
	return p
}

// Shuffled yields all samples in a random order that the seed decides.
func (x *Index) Shuffled(ctx context.Context, seed uint64) iter.Seq2[*Sample, error] {
	line := upTo(0, x.Len())
	shuffle(newRNG(seed, forOrder), line)
	return func(yield func(*Sample, error) bool) {
		for _, i := range line {
			if ctx.Err() != nil {
				return
			}
			s, err := x.Sample(int(i))
			if err != nil {
				s = &Sample{Key: x.Key(int(i)), Source: x.Source(int(i))}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}
