package torchfile

import "strings"

// The values a pickle can build here: nil, bool, int64, float64, string, []byte
// (all inert), and those below. Nothing of them is a function that runs.
type (
	list  struct{ items []any }
	tuple struct{ items []any }
	dict  struct {
		keys []string // of text, in order; other keys are dropped
		at   map[string]any
	}
	// global is a name that the pickle refers to; it is never looked up.
	global struct{ module, name string }
	// opaque stands for the result of calling a harmless global.
	opaque struct{ from string }
	// mark is the pickle machine's bookmark.
	mark struct{}
)

// storage is a piece of memory of a file: archive/data/key.
type storage struct {
	kind     kind
	key      string
	elements int64
}

// tensor is a view of a storage.
type tensor struct {
	storage        storage
	offset         int64
	shape, strides []int64
}

// kind is a storage's element type.
type kind struct {
	name  string
	bytes int64
}

// kinds are the storages of torch that can hold weights or counters.
var kinds = map[string]kind{
	"DoubleStorage": {"F64", 8}, "FloatStorage": {"F32", 4}, "HalfStorage": {"F16", 2}, "BFloat16Storage": {"BF16", 2},
	"LongStorage": {"I64", 8}, "IntStorage": {"I32", 4}, "ShortStorage": {"I16", 2}, "CharStorage": {"I8", 1},
	"ByteStorage": {"U8", 1}, "BoolStorage": {"BOOL", 1},
}

// harmless are modules and classes that training checkpoints carry beside the
// weights (settings, metrics, optimizer state). What they would build is thrown
// away; anything that is not listed is refused, although it would not run.
var harmless = []string{
	"collections.", "omegaconf.", "antlr4.", "yacs.", "mmcv.", "mmengine.", "numpy.", "argparse.Namespace",
	"typing.", "pathlib.", "datetime.", "enum.", "torch.",
	"builtins.dict", "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset",
	"builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.bytes", "builtins.bytearray",
	"builtins.complex", "builtins.slice", "builtins.range", "builtins.object",
	"__builtin__.dict", "__builtin__.list", "__builtin__.tuple", "__builtin__.set", "__builtin__.int",
	"__builtin__.float", "__builtin__.long", "__builtin__.unicode", "__builtin__.str", "__builtin__.bool", "__builtin__.object",
	"copyreg._reconstructor", "copy_reg._reconstructor", "_codecs.encode",
}

func (g global) String() string { return g.module + "." + g.name }

func (g global) isHarmless() bool {
	full := g.String()
	for _, h := range harmless {
		if full == h || strings.HasSuffix(h, ".") && strings.HasPrefix(full, h) {
			return true
		}
	}
	return false
}

// isOrdered tells whether calling the global makes a dictionary.
func (g global) isDict() bool {
	switch g.String() {
	case "collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict":
		return true
	}
	return false
}
