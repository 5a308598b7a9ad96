package simd

import (
	"fmt"
	"reflect"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Buffer is a tensor in memory: a Go slice that both the user and the executions see.
type Buffer struct {
	backend *Backend
	shape   shapes.Shape
	flat    any // []T of the dtype's Go type, or nil once finalized
}

var _ compute.Buffer = (*Buffer)(nil)

// newBuffer makes a buffer of zeros.
func (b *Backend) newBuffer(shape shapes.Shape) *Buffer {
	return &Buffer{backend: b, shape: shape.Clone(), flat: dtypes.MakeAnySlice(shape.DType, shape.Size())}
}

// check says why a buffer for this device and shape cannot be made.
func (b *Backend) check(device compute.DeviceNum, shape shapes.Shape) error {
	switch {
	case b.IsFinalized():
		return fmt.Errorf("backend %s is finalized", Name)
	case device != 0:
		return fmt.Errorf("backend %s has device 0 only, not %d", Name, device)
	case !shape.Ok() || shape.IsTuple() || shape.IsDynamic() || !b.Backend.Capabilities().DTypes[shape.DType]:
		return fmt.Errorf("backend %s cannot hold a buffer of shape %s", Name, shape)
	}
	return nil
}

// BufferFromFlatData implements compute.DataInterface: it copies flat.
func (b *Backend) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	if err := b.check(device, shape); err != nil {
		return nil, err
	}
	buffer := b.newBuffer(shape)
	if err := sameKind(buffer.flat, flat); err != nil {
		return nil, fmt.Errorf("buffer of shape %s: %w", shape, err)
	}
	dtypes.CopyAnySlice(buffer.flat, flat)
	return buffer, nil
}

// Adopt makes a buffer that is flat itself, without a copy: whoever gives flat away must not change it any more.
func (b *Backend) Adopt(flat any, shape shapes.Shape) (*Buffer, error) {
	if err := b.check(0, shape); err != nil {
		return nil, err
	}
	if want := dtypes.MakeAnySlice(shape.DType, 0); reflect.TypeOf(flat) != reflect.TypeOf(want) {
		return nil, fmt.Errorf("adopt a %T as a buffer of shape %s: want a %T", flat, shape, want)
	}
	if n := length(flat); n != shape.Size() {
		return nil, fmt.Errorf("adopt a slice of %d elements as a buffer of shape %s", n, shape)
	}
	if x, ok := flat.([]float32); ok && len(x) >= adoptFrom {
		b.shared.adopt(x)
	}
	return &Buffer{backend: b, shape: shape.Clone(), flat: flat}, nil
}

// sameKind wants two slices of one type and length.
func sameKind(want, got any) error {
	w, g := reflect.ValueOf(want), reflect.ValueOf(got)
	if !g.IsValid() || g.Type() != w.Type() {
		return fmt.Errorf("the data is a %T, want a %T", got, want)
	}
	if g.Len() != w.Len() {
		return fmt.Errorf("the data has %d elements, want %d", g.Len(), w.Len())
	}
	return nil
}

// HasSharedBuffers implements compute.DataInterface.
func (b *Backend) HasSharedBuffers() bool { return true }

// NewSharedBuffer implements compute.DataInterface.
func (b *Backend) NewSharedBuffer(device compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	if err := b.check(device, shape); err != nil {
		return nil, nil, err
	}
	buffer := b.newBuffer(shape)
	return buffer, buffer.flat, nil
}

// Backend implements compute.Buffer.
func (u *Buffer) Backend() compute.Backend { return u.backend }

// Finalize implements compute.Buffer. To finalize a buffer again, or one that was given away, does nothing.
func (u *Buffer) Finalize() error {
	if u != nil {
		u.flat, u.shape = nil, shapes.Invalid()
	}
	return nil
}

// Shape implements compute.Buffer.
func (u *Buffer) Shape() (shapes.Shape, error) {
	if u == nil || u.flat == nil {
		return shapes.Invalid(), fmt.Errorf("shape of a finalized buffer of backend %s", Name)
	}
	return u.shape, nil
}

// DeviceNum implements compute.Buffer.
func (u *Buffer) DeviceNum() (compute.DeviceNum, error) { return 0, nil }

// ToFlatData implements compute.Buffer.
func (u *Buffer) ToFlatData(flat any) error {
	own, err := u.Data()
	if err != nil {
		return err
	}
	if err := sameKind(own, flat); err != nil {
		return fmt.Errorf("copy a buffer of shape %s out: %w", u.shape, err)
	}
	dtypes.CopyAnySlice(flat, own)
	return nil
}

// Data implements compute.Buffer.
func (u *Buffer) Data() (any, error) {
	if u == nil || u.flat == nil || u.backend.IsFinalized() {
		return nil, fmt.Errorf("data of a finalized buffer, or of a finalized backend %s", Name)
	}
	return u.flat, nil
}

// CopyToDevice implements compute.Buffer.
func (u *Buffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	own, err := u.Data()
	if err != nil {
		return nil, err
	}
	return u.backend.BufferFromFlatData(device, own, u.shape)
}
