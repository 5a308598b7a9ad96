// Package enginetest runs a test on every engine that this machine has.
package enginetest

import (
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/groupvit/groupvit/internal/engine"
)

// Each runs f as a subtest on every available engine (simd and go; xla only if it opens), each made new and
// finalized after the subtest. Subtests are named after the engine. Where GROUPVIT_ENGINE names an engine with
// options ("xla:cuda,tf32=false"), that engine is made with them.
func Each(t *testing.T, f func(t *testing.T, backend compute.Backend)) {
	t.Helper()
	for _, kind := range engine.Available() {
		t.Run(kind, func(t *testing.T) {
			o := engine.Options{Kind: kind}
			if asked := os.Getenv(engine.EnvKind); strings.HasPrefix(asked, kind+":") {
				o.Kind = asked
			}
			b, err := engine.New(o)
			if err != nil {
				if kind == engine.XLA {
					t.Skipf("no XLA plugin here: %v", err)
				}
				t.Fatal(err)
			}
			defer b.Finalize()
			f(t, b)
		})
	}
}

// New returns one engine for a test, finalized when the test ends.
func New(t testing.TB, kind string, threads int) compute.Backend {
	t.Helper()
	b, err := engine.New(engine.Options{Kind: kind, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}
