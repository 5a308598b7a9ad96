package tune

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/masks"
	"github.com/groupvit/groupvit/internal/pairs"
)

// split says which photos are set aside: every n-th of the list, so many that they
// are the share of all, at least one; none where the share is 0.
func split(n int, share float64) (learn, heldOut []int, err error) {
	aside := int(share*float64(n) + 0.5)
	if share > 0 {
		aside = max(aside, 1)
	}
	if n-aside < 1 {
		return nil, nil, fmt.Errorf("%w: %d of %d photos with masks set aside leave none to learn from: label more, or set fewer aside (--hold-out)", ErrOptions, aside, n)
	}
	next := 0
	for i := range n {
		// The middles of equal parts of the list.
		if next < aside && i >= (2*next+1)*n/(2*aside) {
			heldOut, next = append(heldOut, i), next+1
			continue
		}
		learn = append(learn, i)
	}
	return learn, heldOut, nil
}

// fingerprint tells sets of photos with masks apart: by names and sizes of files.
func fingerprint(set *masks.Set) (string, error) {
	h := sha256.New()
	for _, s := range set.Dataset.Samples {
		photo, err := os.Stat(s.Photo)
		if err != nil {
			return "", err
		}
		mask, err := os.Stat(s.Mask)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%q %d %d\n", s.ID, photo.Size(), mask.Size())
	}
	for _, c := range set.Classes {
		fmt.Fprintf(h, "%q\n", c.Names())
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// data is what a run learns from and is measured on.
type data struct {
	// Learn and HeldOut count photos.
	Learn   int `json:"learn"`
	HeldOut int `json:"held_out"`
	// Skipped counts photos that cannot be used, by reason.
	Skipped map[string]int `json:"skipped,omitempty"`
	// Unlearnt are classes that no photo to learn from shows.
	Unlearnt []string `json:"classes_without_photo,omitempty"`
}

// writeData writes the photos into OUTPUT/data, which appears whole or not at all. of
// are the words of the set's classes.
func (t *tuning) writeData(ctx context.Context, set *masks.Set, of []string) (d data, err error) {
	usable, err := t.usable(ctx, set, &d)
	if err != nil {
		return d, err
	}
	learn, heldOut, err := split(len(usable), t.HoldOut)
	if err != nil {
		return d, err
	}
	temporary, err := os.MkdirTemp(t.Output, ".data.tmp-")
	if err != nil {
		return d, err
	}
	defer os.RemoveAll(temporary)
	for i := range set.Classes { // each class as the word that it is in training
		set.Classes[i].Word = of[i]
	}
	w, err := pairs.NewShardWriter(filepath.Join(temporary, learnDir), "photos", 1000)
	if err != nil {
		return d, err
	}
	shown := map[string]bool{}
	photos := func(yield func(*pairs.Sample, error) bool) {
		for _, k := range learn {
			s, err := set.Sample(usable[k])
			if err == nil {
				var m *pairs.LabelMap
				if m, err = s.LabelMap(); err == nil {
					for _, word := range m.Words {
						shown[word] = true
					}
				}
			}
			if !yield(s, err) {
				return
			}
		}
	}
	skip := func(p pairs.Problem) { t.skip(&d, p) }
	if err := pairs.Pack(ctx, iter.Seq2[*pairs.Sample, error](photos), w, pairs.PackOptions{}, skip); err != nil {
		return d, err
	}
	d.Learn, d.HeldOut = w.Written(), len(heldOut)
	for i, c := range set.Classes {
		if c.Word != "" && !shown[c.Word] && !slices.Contains(d.Unlearnt, set.Classes[i].Name) {
			d.Unlearnt = append(d.Unlearnt, set.Classes[i].Name)
		}
	}
	if err := writeHeldOut(set, usable, heldOut, filepath.Join(temporary, heldOutDir)); err != nil {
		return d, err
	}
	if err := ctx.Err(); err != nil {
		return d, context.Cause(ctx)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return d, err
	}
	return d, os.Rename(temporary, filepath.Join(t.Output, dataDir))
}

// usable are the photos that can be read with their masks.
func (t *tuning) usable(ctx context.Context, set *masks.Set, d *data) ([]int, error) {
	var list []int
	for i := range set.Len() {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if _, _, err := set.Dataset.Load(i); err != nil {
			s := set.Dataset.Samples[i]
			t.skip(d, pairs.Problem{Key: s.ID, Source: s.Photo, Err: fmt.Errorf("%w: %w", pairs.ErrLabels, err)})
			continue
		}
		list = append(list, i)
	}
	return list, nil
}

// skip counts a photo that cannot be used, and tells of it.
func (t *tuning) skip(d *data, p pairs.Problem) {
	if d.Skipped == nil {
		d.Skipped = map[string]int{}
	}
	d.Skipped[p.Reason()]++
	if t.Skip != nil {
		t.Skip(p)
	}
}

// writeHeldOut writes photos that are set aside as a dataset to measure on.
func writeHeldOut(set *masks.Set, usable, heldOut []int, dir string) error {
	var lines []string
	values := [256]uint8{bench.Ignore: bench.Ignore}
	for label, c := range set.Classes {
		values[label] = bench.Ignore
		if !c.Ignored {
			values[label] = uint8(len(lines))
			lines = append(lines, strings.Join(c.Names(), ","))
		}
	}
	for _, folder := range []string{"images", "masks"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
			return err
		}
	}
	for n, k := range heldOut {
		sample := set.Dataset.Samples[usable[k]]
		truth, err := set.Dataset.Truth(usable[k])
		if err != nil {
			return err
		}
		for i, label := range truth.Labels {
			truth.Labels[i] = values[label]
		}
		name := fmt.Sprintf("%03d-%s", n+1, filepath.Base(sample.ID))
		if err := copyFile(sample.Photo, filepath.Join(dir, "images", name+strings.ToLower(filepath.Ext(sample.Photo)))); err != nil {
			return err
		}
		im := &image.Gray{Pix: truth.Labels, Stride: truth.Width, Rect: image.Rect(0, 0, truth.Width, truth.Height)}
		if err := create(filepath.Join(dir, "masks", name+".png"), func(w io.Writer) error { return png.Encode(w, im) }); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "classes.txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return create(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
