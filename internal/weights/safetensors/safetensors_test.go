package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func parse(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestRoundTrip(t *testing.T) {
	tensors := []Tensor{
		{Name: "b", DType: F16, Shape: []int{3}, Floats: []float32{1, -2.5, 65504}},
		{Name: "scalar", DType: F32, Shape: nil, Floats: []float32{2.6592600}},
		{Name: "a", DType: F32, Shape: []int{2, 2}, Floats: []float32{1, 2, 3, float32(math.Inf(1))}},
		{Name: "count", DType: I64, Shape: []int{}, Ints: []int64{-7}},
		{Name: "half", DType: BF16, Shape: []int{2}, Floats: []float32{1, -3}},
		{Name: "raw", DType: U8, Shape: []int{3}, Bytes: []byte{1, 2, 3}},
		{Name: "empty", DType: F32, Shape: []int{0, 4}, Floats: []float32{}},
	}
	var out bytes.Buffer
	if err := Write(&out, tensors, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	f, err := parse(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if f.Metadata["format"] != "pt" || len(f.Tensors()) != len(tensors) {
		t.Errorf("metadata %v, %d tensors", f.Metadata, len(f.Tensors()))
	}
	for _, want := range tensors {
		info, ok := f.Lookup(want.Name)
		if !ok || info.DType != want.DType || len(info.Shape) != len(want.Shape) {
			t.Errorf("%s: found %+v", want.Name, info)
		}
		switch {
		case want.Floats != nil:
			got, err := f.Floats(want.Name)
			if err != nil || !cmp.Equal(got, want.Floats) {
				t.Errorf("%s: %v, %v", want.Name, got, err)
			}
		case want.Ints != nil:
			got, err := f.Ints(want.Name)
			if err != nil || !cmp.Equal(got, want.Ints) {
				t.Errorf("%s: %v, %v", want.Name, got, err)
			}
		default:
			got, err := f.Bytes(want.Name)
			if err != nil || !cmp.Equal(got, want.Bytes) {
				t.Errorf("%s: %v, %v", want.Name, got, err)
			}
		}
	}
	if _, err := f.Floats("count"); err == nil {
		t.Error("whole numbers were read as floats")
	}
	var again bytes.Buffer
	tensors[0], tensors[3] = tensors[3], tensors[0]
	if err := Write(&again, tensors, map[string]string{"format": "pt"}); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the order of the tensors changed the file")
	}
}

func TestBadFiles(t *testing.T) {
	const ok = `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	if _, err := parse(file(ok, 8)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "at least 8"},
		{"header of 2^63 bytes", append(binary.LittleEndian.AppendUint64(nil, 1<<63), ok...), "limit"},
		{"header of 2^64-1 bytes", append(binary.LittleEndian.AppendUint64(nil, 1<<64-1), ok...), "limit"},
		{"header longer than file", append(binary.LittleEndian.AppendUint64(nil, 1000), ok...), "cut off"},
		{"data cut off", file(ok, 7), "cut off"},
		{"data left over", file(ok, 9), "after the last"},
		{"no object", file(`[]`, 0), "'{'"},
		{"not JSON", file(`{nonsense`, 0), "invalid"},
		{"text after the header", file(ok+`x`, 8), "follow its end"},
		{"unknown type", file(`{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}`, 8), "F31"},
		{"shape against bytes", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "needs 12 bytes"},
		{"negative", file(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), "-2"},
		{"fraction", file(`{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}`, 8), "2.5"},
		{"overflow", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "elements"},
		{"huge number", file(`{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}`, 8), "not a number"},
		{"offsets reversed", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), "end before"},
		{"overlap", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), "inside"},
		{"hole", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), "no tensor"},
		{"tensor twice", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16), "twice"},
		{"key twice", file(`{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), "twice"},
		{"unknown key", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8), "unknown key"},
		{"key missing", file(`{"a":{"dtype":"F32","shape":[2]}}`, 8), "data_offsets"},
		{"deep", file(`{"a":`+strings.Repeat("[", 100000), 0), "needed"},
		{"metadata not text", file(`{"__metadata__":{"a":{}}}`, 0), "text is needed"},
		{"too many axes", file(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", 20)+`1],"data_offsets":[0,4]}}`, 4), "more than 16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.file)
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an ErrFormat with %q", err, c.want)
			}
		})
	}
}

// Every half is widened and rounded back to itself, and a float32 between two
// halves goes to the nearer, on a tie to the even one.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		x := FromF16(uint16(h))
		back := ToF16(x)
		if x == x && back != uint16(h) || x != x && FromF16(back) == FromF16(back) {
			t.Fatalf("half %04x became %g and %04x", h, x, back)
		}
	}
	for h := range 0x7bff { // positive, finite
		low, high := FromF16(uint16(h)), FromF16(uint16(h+1))
		middle := low + (high-low)/2
		even := uint16(h + h&1)
		for _, c := range []struct {
			x    float32
			want uint16
		}{
			{middle, even}, {math.Nextafter32(middle, low), uint16(h)}, {math.Nextafter32(middle, high), uint16(h + 1)},
		} {
			if got := ToF16(c.x); got != c.want {
				t.Fatalf("%g became %04x, want %04x", c.x, got, c.want)
			}
		}
	}
	if ToF16(65520) != 0x7c00 || ToF16(65519.9) != 0x7bff {
		t.Error("overflow does not start at 65520")
	}
	if ToBF16(1+1.0/256) != 0x3f80 || ToBF16(1+3.0/256) != 0x3f82 {
		t.Error("bfloat16 ties do not go to even")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Add(file(`{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}   `, 2))
	f.Add(file(`{}`, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("another kind of error: %v", err)
			}
			return
		}
		for _, info := range s.Tensors() {
			if raw, err := s.Bytes(info.Name); err != nil || len(raw) != int(info.DType.Bytes())*info.Elements() {
				t.Errorf("%+v: %d bytes, %v", info, len(raw), err)
			}
			if _, err := s.Floats(info.Name); (err == nil) != (info.DType.IsFloat() || info.Length == 0) {
				t.Errorf("%+v: %v", info, err)
			}
		}
	})
}
