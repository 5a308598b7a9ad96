package stepper

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// Ready is a batch, or a part of one, whose numbers are on the engine's device.
type Ready struct {
	Part *pairs.MicroBatch
	// Inputs are those of the whole step's graph but for the first, or a part's
	// pixels and random numbers: tensors, of one device or of several.
	Inputs []finalizer
}

// finalizer is a tensor.
type finalizer interface{ FinalizeAll() error }

// source gives a step its batch: as one, or its parts in order, and where the
// image tower learns, once more.
type source func() (*Ready, error)

// Upload brings batches to the device. It knows nothing of the weights, so it can
// work while a step runs.
type Upload struct {
	backend  compute.Backend
	settings settings.Settings
	random   int // numbers that a picture takes
	devices  *devices
}

// Ready uploads a part of the batch of a step. What is then on the device is freed
// in the part.
func (u Upload) Ready(p *pairs.MicroBatch, step int) (*Ready, error) {
	r := &Ready{Part: p}
	var err error
	if u.settings.InParts() {
		err = u.pictures(r, p, p.Pixels, step)
	} else {
		err = u.whole(r, p, step)
	}
	if err != nil {
		r.Free()
		return nil, fmt.Errorf("bring a batch to the engine: %w", err)
	}
	p.Pixels, p.Batch.Pixels = nil, nil
	return r, nil
}

// pictures adds pixels and random numbers.
func (u Upload) pictures(r *Ready, p *pairs.MicroBatch, pixels []float32, step int) error {
	count, side := max(u.random, 1), p.Batch.ImageSize
	random := make([]float32, p.Size*count)
	if u.random > 0 {
		fillRandom(random, u.random, u.settings.Seed, step, p.From)
	}
	err := put(r, u, pixels, p.Size, 3, side, side)
	if err == nil {
		err = put(r, u, random, p.Size, count)
	}
	return err
}

// whole adds all that a batch's graph reads.
func (u Upload) whole(r *Ready, p *pairs.MicroBatch, step int) error {
	b := p.Batch
	err := u.pictures(r, p, b.Pixels, step)
	add := func(err error, x []float32, dims ...int) error {
		if err == nil {
			err = put(r, u, x, dims...)
		}
		return err
	}
	if err == nil {
		err = put(r, u, b.Captions, b.Size, b.Context)
	}
	if err == nil && b.U > 0 {
		err = put(r, u, b.Prompts, b.U, b.Context)
	}
	err = add(err, b.CaptionWeight, b.Size)
	if u.settings.Loss.Soft() {
		err = add(err, fitsOfBatch(u.settings.Loss, b).rows(0, b.Size), b.Size, b.Size)
	}
	if b.U == 0 {
		return err
	}
	err = add(err, b.Targets, b.Size, b.U)
	err = add(err, b.Known, b.Size, b.U)
	if u.settings.Loss.Explains() {
		err = add(err, b.Explains, b.Size, b.U)
	}
	if b.Labels != nil && err == nil {
		n := len(b.Labels) / b.Size
		err = put(r, u, b.Labels, b.Size, n)
		err = add(err, b.Word, b.Size, n)
		err = add(err, b.Background, b.Size, n)
		err = add(err, b.Competing, b.Size, b.U)
		err = add(err, b.Stuff, b.U)
	}
	return err
}

// put adds a tensor to what is ready.
func put[T float32 | int32](r *Ready, u Upload, data []T, dims ...int) error {
	if u.devices != nil {
		x, err := u.devices.place(tensors.FromFlatDataAndDimensions(data, dims...), u.devices.split)
		if err == nil {
			r.Inputs = append(r.Inputs, x)
		}
		return err
	}
	x, err := onDevice(u.backend, data, dims...)
	if err == nil {
		r.Inputs = append(r.Inputs, x)
	}
	return err
}

// onDevice makes a tensor on an engine's device.
func onDevice[T float32 | int32](backend compute.Backend, data []T, dims ...int) (x *tensors.Tensor, err error) {
	e := exceptions.TryCatch[error](func() {
		shape := shapes.Make(dtypes.FromGenericsType[T](), dims...)
		if x, err = tensors.FromRaw(backend, 0, shape, dtypes.UnsafeByteSlice(data)); err == nil {
			err = x.MaterializeOnDevice(backend, true, 0)
		}
	})
	return x, errors.Join(err, e)
}

// Free gives the device's memory back.
func (r *Ready) Free() {
	for _, x := range r.Inputs {
		_ = exceptions.TryCatch[error](func() { _ = x.FinalizeAll() })
	}
	r.Inputs = nil
}

// sourceOf gives a batch that is in memory as a step wants it.
func (t *Stepper) sourceOf(b *pairs.Batch, step int) source {
	size := b.Size
	if t.settings.InParts() {
		size = t.settings.MicroBatch
	}
	n, from, again := 3*b.ImageSize*b.ImageSize, 0, false
	copied, pixels := *b, b.Pixels // what is uploaded is freed, and b is the caller's
	return func() (*Ready, error) {
		if from == b.Size {
			from, again = 0, true
		}
		end := min(from+size, b.Size)
		p := &pairs.MicroBatch{Batch: &copied, From: from, Size: end - from, SecondPass: again, Pixels: pixels[from*n : end*n]}
		if copied.Pixels = nil; !t.settings.InParts() {
			copied.Pixels = pixels
		}
		from = end
		return t.Upload.Ready(p, step)
	}
}
