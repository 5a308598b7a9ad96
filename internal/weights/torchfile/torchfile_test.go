package torchfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/weights/torchfile/torchtest"
)

func parse(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

var sample = []torchtest.Tensor{
	{Name: "a.weight", Shape: []int{2, 3}, Values: []float32{1, 2, 3, 4, 5, 6}},
	{Name: "transposed", Shape: []int{3, 2}, Strides: []int{1, 3}, Values: []float32{1, 2, 3, 4, 5, 6}},
	{Name: "scalar", Shape: nil, Values: []float32{2.5}},
	{Name: "empty", Shape: []int{0, 2}, Values: nil},
}

func TestRead(t *testing.T) {
	// What training checkpoints carry beside the weights: settings as objects of
	// classes, metrics as numpy numbers, optimizer state keyed by numbers.
	beside := bytes.Join([][]byte{
		torchtest.Text("config"), []byte("comegaconf.dictconfig\nDictConfig\n)\x81}"), torchtest.Text("x"), torchtest.Int(1), []byte("sb"),
		torchtest.Text("metrics"), []byte("cnumpy.core.multiarray\nscalar\n(K\x01tR"),
		torchtest.Text("optimizer"), []byte("}(K\x00}K\x01Nu"),
	}, nil)
	for _, c := range []struct {
		name string
		o    torchtest.Options
	}{
		{"plain", torchtest.Options{}},
		{"under model", torchtest.Options{Under: "model", ByteOrder: "little"}},
		{"under state_dict with other things", torchtest.Options{Under: "state_dict", Before: beside}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := parse(torchtest.File(sample, c.o))
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"a.weight", "empty", "scalar", "transposed"}; !cmp.Equal(f.Names(), want) {
				t.Fatalf("names %v", f.Names())
			}
			for name, want := range map[string][]float32{
				"a.weight": {1, 2, 3, 4, 5, 6}, "transposed": {1, 4, 2, 5, 3, 6}, "scalar": {2.5}, "empty": nil,
			} {
				got, err := f.Floats(name)
				if err != nil || !cmp.Equal(got, want) {
					t.Errorf("%s: %v, %v", name, got, err)
				}
			}
			if !cmp.Equal(f.Shape("transposed"), []int{3, 2}) || f.Shape("nothing") != nil {
				t.Error("wrong shape")
			}
		})
	}
}

// storageCode is the pickle code of a tensor of any numbers.
func tensorCode(elements, offset int, shape, strides string) string {
	return "X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((" + string(torchtest.Text("storage")) + "ctorch\nFloatStorage\n" +
		string(torchtest.Text("0")) + string(torchtest.Text("cpu")) + string(torchtest.Int(elements)) + "tQ" +
		string(torchtest.Int(offset)) + shape + strides + "\x89NtR"
}

func TestHostile(t *testing.T) {
	one := []torchtest.Tensor{{Name: "a", Shape: []int{4}, Values: []float32{1, 2, 3, 4}}}
	program := func(p string) []byte { return torchtest.Zip([]byte(p), one, torchtest.Options{}) }
	whole := torchtest.File(sample, torchtest.Options{})
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"calls os.system", program("\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR."), `"os.system"`},
		{"calls posix.system by stack", program("\x80\x04\x8c\x05posix\x8c\x06system\x93(\x8c\x02lstR."), `"posix.system"`},
		{"evaluates", program("\x80\x02c__builtin__\neval\n(X\x01\x00\x00\x001tR."), `"__builtin__.eval"`},
		{"gets attributes", program("\x80\x02cbuiltins\ngetattr\n."), `"builtins.getattr"`},
		{"old-style class", program("(ios\nsystem\n."), "old-style"},
		{"extension registry", program("\x80\x02\x82\x01."), "0x82"},
		{"no end", program("\x80\x02}"), "cut off"},
		{"empty program", program(""), "cut off"},
		{"stack underflow", program("R."), "stack is empty"},
		{"mark as value", program("(."), "mark"},
		{"no mark", program("t."), "no mark"},
		{"unknown memo", program("h\x01."), "nothing is stored"},
		{"text longer than the program", program("X\xff\xff\xff\xffabc."), "cut off"},
		{"bytes of 2^63", program("\x8e\x00\x00\x00\x00\x00\x00\x00\x80."), "cut off"},
		{"protocol 9", program("\x80\x09N."), "protocol 9"},
		{"too many operations", program(strings.Repeat("N0", limits.PickleOps)), "larger than the limit"},
		{"too deep a stack", program(strings.Repeat("N", 1<<21)), "larger than the limit"},
		{"no dictionary", program("N."), "no dictionary"},
		{"calls a text", program("X\x01\x00\x00\x00a)R."), "no global"},
		{"outside by shape", program("}" + tensorCode(4, 0, "K\x05\x85", "K\x01\x85") + "s."), "outside its storage"},
		{"outside by offset", program("}" + tensorCode(4, 1, "K\x04\x85", "K\x01\x85") + "s."), "outside its storage"},
		{"outside by stride", program("}" + tensorCode(4, 0, "K\x02K\x02\x86", "K\x03K\x01\x86") + "s."), "outside its storage"},
		{"stride zero makes much of little", program("}" + tensorCode(4, 0, "J\xff\xff\xff\x0f\x85", "K\x00\x85") + "s."), "outside its storage"},
		{"shape overflows", program("}" + tensorCode(4, 0, "(J\xff\xff\xff\x0fJ\xff\xff\xff\x0ft", "K\x00K\x00\x86") + "s."), "limit"},
		{"stride overflows", program("}" + tensorCode(4, 0, "K\x05\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85") + "s."), "outside its storage"},
		{"negative shape", program("}" + tensorCode(4, 0, "J\xff\xff\xff\xff\x85", "K\x01\x85") + "s."), "wrong"},
		{"storage larger than its entry", program("}" + tensorCode(5, 0, "K\x05\x85", "K\x01\x85") + "s."), "claims 5 elements"},
		{"compressed storage", torchtest.File([]torchtest.Tensor{{Name: "a", Shape: []int{4096}, Values: make([]float32, 4096)}}, torchtest.Options{Compress: true}), "compressed"},
		{"big-endian", torchtest.File(one, torchtest.Options{ByteOrder: "big"}), "big-endian"},
		{"zip cut in the middle", whole[:len(whole)/2], "zip"},
		{"zip of something else", nil, "zip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.file)
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an ErrFormat with %q", err, c.want)
			}
		})
	}
}

func FuzzRun(f *testing.F) {
	f.Add([]byte("\x80\x02}(" + tensorCode(4, 0, "K\x04\x85", "K\x01\x85") + "u."))
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s."))
	f.Add([]byte("\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR."))
	f.Fuzz(func(t *testing.T, program []byte) {
		v, err := run(program)
		if err != nil {
			return
		}
		file := &File{tensors: map[string]*tensor{}}
		if err := file.collect(v); err != nil {
			return
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(torchtest.File(sample, torchtest.Options{Under: "model"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("another kind of error: %v", err)
			}
			return
		}
		for _, name := range file.Names() {
			_, _ = file.Floats(name)
		}
	})
}
