package pairs

import (
	"context"
	"fmt"
	"time"
)

// Speed says how fast a loader makes batches when nothing else waits for it.
type Speed struct {
	// Pictures were made in Seconds, which took CPUSeconds of all processors; 0
	// where the system does not tell.
	Pictures            int
	Seconds, CPUSeconds float64
	// Decode, Picture and Words are milliseconds of one processor for a picture:
	// to read and decode it; to crop, resize and vary it; and for its texts.
	Decode, Picture, Words float64
	// Width and Height are the mean size of the stored pictures.
	Width, Height float64
	// Data says what of the sources was not used, as far as they were read.
	Data Report
}

// PerSecond is the number of pictures a second.
func (s Speed) PerSecond() float64 { return float64(s.Pictures) / s.Seconds }

// PerCPUSecond is the number of pictures a second of one processor, which other
// programs on the machine change little; 0 where it is not known.
func (s Speed) PerCPUSecond() float64 {
	if s.CPUSeconds == 0 {
		return 0
	}
	return float64(s.Pictures) / s.CPUSeconds
}

// MeasureSpeed makes batches for some time, at least one. The first batches, which
// fill caches, do not count.
func MeasureSpeed(ctx context.Context, o Options, atLeast time.Duration) (Speed, error) {
	o.MicroBatch = 0
	l, err := Open(ctx, o)
	if err != nil {
		return Speed{}, err
	}
	defer l.Close()
	o = l.options
	for range o.Prefetch + 1 {
		if _, err := l.Next(ctx); err != nil {
			return Speed{}, err
		}
	}
	s := Speed{}
	start, cpu := time.Now(), cpuTime()
	for s.Pictures == 0 || time.Since(start) < atLeast {
		b, err := l.Next(ctx)
		if err != nil {
			return Speed{}, err
		}
		s.Pictures += b.Size
	}
	s.Seconds, s.CPUSeconds = time.Since(start).Seconds(), (cpuTime() - cpu).Seconds()
	err = l.stages(ctx, &s)
	s.Data = l.Report()
	return s, err
}

// stages measures the parts of the work on some samples, one after the other.
func (l *Loader) stages(ctx context.Context, s *Speed) error {
	const most = 256
	o := l.options
	n := min(most, l.index.Len(), o.Batch*8)
	crop := o.Augment.batchCrop(newRNG(o.Seed, forCrop, 0))
	pixels := make([]float32, 3*o.ImageSize*o.ImageSize)
	var drawn []*loaded
	var decode, picture time.Duration
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		sample, err := l.read(l.index.first(i * l.index.Len() / n))
		if err != nil {
			continue
		}
		read := time.Now()
		if _, err := l.picture(pixels, o.ImageSize, sample, newRNG(o.Seed, forPicture, uint64(i)), crop); err != nil {
			return err
		}
		decode, picture = decode+read.Sub(start), picture+time.Since(read)
		s.Width, s.Height = s.Width+float64(sample.image.Width), s.Height+float64(sample.image.Height)
		drawn = append(drawn, sample)
	}
	if len(drawn) == 0 {
		return fmt.Errorf("%w: none of %d samples can be read", ErrNoSamples, n)
	}
	count := float64(len(drawn))
	each := func(d time.Duration) float64 { return d.Seconds() * 1000 / count }
	start := time.Now()
	b := &Batch{Size: len(drawn), ImageSize: o.ImageSize, Context: o.Context}
	l.words(b, drawn, nil).fill(b)
	s.Decode, s.Picture, s.Words = each(decode), each(picture), each(time.Since(start))
	s.Width, s.Height = s.Width/count, s.Height/count
	return nil
}
