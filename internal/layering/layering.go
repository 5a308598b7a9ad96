// Package layering says on which layer of the module each package lives. Imports
// point down only: a package knows packages of lower layers, and its own parts
// (packages below it in the tree), never its neighbours or the layers above.
// The test of this package reads the imports of the whole module and holds
// every one of them to it.
package layering

import "strings"

// Module is the module's path.
const Module = "github.com/groupvit/groupvit"

// layer of each package, by its path in the module; "" is the root package. A
// package that is not named lives with the nearest one above it in the tree.
var layer = map[string]int{
	"cmd/groupvit": 8, "cmd/groupvit-wasm": 8, "tools/release": 8, "internal/cli": 7,
	"internal/experiment": 6, "internal/passes": 6, "internal/tune": 6,
	"internal/train": 5, "serve": 5,
	"internal/evaluate": 4, "internal/batch": 4, "internal/output": 4, "internal/selftrain": 4, "internal/masks": 4, "internal/geotiff": 3, "internal/video": 3,
	"heif": 3, "internal/png": 0, "internal/webp": 0,
	"": 3, "internal/pairs": 3, "internal/bench": 3, "internal/onnx": 3,
	"internal/assign": 2, "internal/weights": 2, "internal/render": 2, "internal/imaging": 1,
	"internal/hub": 2, "internal/shards": 2, "internal/tower": 2, "internal/modelfile": 2,
	"internal/network": 1, "internal/engine": 1, "mask": 1,
	"internal/bpe": 1, "internal/vocab": 1, "internal/nouns": 1, "internal/synth": 1, "internal/parquetio": 1, "internal/textio": 1,
	// The caps on outside input are what every parser stands on. The embedded
	// weights and recipes are data.
	"internal/limits": 0, "internal/parallel": 0, "internal/cgroup": 0, "models/default": 0, "recipes": 0, "examples/photos": 0,
}

// Of returns the layer of a package of this module and the package that it is
// a part of; known is false for a package that has no layer yet.
func Of(path string) (number int, part string, known bool) {
	if path == Module {
		return layer[""], "", true
	}
	part, ok := strings.CutPrefix(path, Module+"/")
	for ok && part != "" {
		if n, found := layer[part]; found {
			return n, part, true
		}
		part = part[:max(strings.LastIndexByte(part, '/'), 0)]
	}
	return 0, "", false
}

// Allowed says whether a package of this module may import another.
func Allowed(from, to string) bool {
	a, partA, okA := Of(from)
	b, partB, okB := Of(to)
	return okA && okB && (a > b || partA == partB)
}
