package stepper

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/groupvit/groupvit/internal/engine"
)

// devices lets several devices of an engine share a step: each has all weights and a
// share of the batch, and XLA's partitioner (Shardy) puts in the exchange that keeps
// the step that of the whole batch, losses and BatchNorm included. Nil is one device.
type devices struct {
	backend compute.Backend
	count   int
	// split cuts a tensor's first axis into one share a device, copied gives all of
	// it to each.
	split, copied *distributed.ShardingSpec
}

// batchAxis names the one axis of the mesh of devices.
const batchAxis = "batch"

// devicesOf takes the first count devices of an engine; nil for one.
func devicesOf(backend compute.Backend, count int) (*devices, error) {
	if count <= 1 {
		return nil, nil
	}
	if have := backend.NumDevices(); count > have {
		return nil, fmt.Errorf("%w: engine %s has %d device(s) here, devices asks for %d: ask for fewer, or take xla:cuda on a machine with as many GPUs", engine.ErrUnavailable, engine.NameOf(backend), have, count)
	}
	mesh, err := distributed.NewDeviceMesh([]int{count}, []string{batchAxis})
	if err != nil {
		return nil, err
	}
	split, err := distributed.BuildSpec(mesh).S(batchAxis).Done()
	if err != nil {
		return nil, err
	}
	return &devices{backend, count, split, distributed.NewReplicatedShardingSpec(mesh)}, nil
}

// share makes an executor whose first input is copied and whose others are split.
// Its variables and outputs are copies.
func (d *devices) share(e *model.Exec) {
	if d != nil {
		e.AutoSharding(d.split.Mesh).WithInputShardingSpecs(d.copied, d.split).WithOutputShardingSpecs(d.copied)
	}
}

// place brings a tensor to the devices: split along its first axis, or copied.
func (d *devices) place(x *tensors.Tensor, spec *distributed.ShardingSpec) (*dtensor.Tensor, error) {
	defer finalize(x)
	shared, err := dtensor.ShardTensor(spec, x)
	if err != nil {
		return nil, err
	}
	for i, shard := range shared.Shards() {
		if err := shard.MaterializeOnDevice(d.backend, true, compute.DeviceNum(i)); err != nil {
			return nil, err
		}
	}
	return shared, nil
}
