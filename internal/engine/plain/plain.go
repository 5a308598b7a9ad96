// Package plain makes GoMLX's plain Go backend with a given number of threads.
//
// It stands between the backend and both of its users: the engine `go` and the islands of the engine `simd`.
package plain

import (
	"reflect"
	"runtime"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
)

// New returns a plain Go backend.
//
// threads is the number of threads a graph may use: 0 means as many as GOMAXPROCS, 1 runs every operation on the
// calling goroutine, more allow that many workers. Operations run one after the other, each split over the threads:
// side by side they deadlock, because every worker may hold an operation that waits for another worker (seen with
// the default network's matrix products on two cores).
//
// The backend's own option `parallelism=N` is not used: it prints a line to stdout, where this program keeps only
// data, and N = 1 deadlocks in operations that split their work (seen with GELU over more than 4,096 elements).
func New(threads int) (compute.Backend, error) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	b, err := gobackend.New("ops_sequential")
	if err != nil {
		return nil, err
	}
	parallelism := threads
	if threads == 1 {
		parallelism = 0 // the backend's word for "inline"
	}
	setParallelism(b, parallelism)
	return b, nil
}

// setParallelism sets the size of the backend's worker pool, which is an exported field of a type that cannot be
// named from here. A backend without it keeps its default: slower or faster, never wrong.
func setParallelism(b compute.Backend, parallelism int) {
	v := reflect.ValueOf(b)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	workers := v.Elem().FieldByName("Workers")
	if !workers.IsValid() || workers.Kind() != reflect.Pointer || workers.IsNil() {
		return
	}
	if pool, ok := workers.Interface().(interface{ SetMaxParallelism(int) }); ok {
		pool.SetMaxParallelism(parallelism)
	}
}
