package amx

import (
	"runtime"
	"sync"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/level"
)

// Where the machine has tiles, their products have the model's bits while goroutines, collections of garbage and
// preemptions go on around them.
func TestAMXStress(t *testing.T) {
	if level.Best() < level.AMX {
		t.Skip("this machine has no AMX: ", Note())
	}
	if why := Note(); why != "" {
		t.Skip("tiles are not used: ", why)
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 200 {
				if !soundPairs(run) || level.TilesOfBytes() && !soundBytes(run) {
					t.Error("a wrong result")
					return
				}
			}
		})
	}
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	wait.Wait()
	close(stop)
}
