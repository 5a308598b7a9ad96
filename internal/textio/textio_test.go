package textio

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/unicode"
)

func utf16(t testing.TB, order unicode.Endianness, policy unicode.BOMPolicy, text string) []byte {
	t.Helper()
	b, err := unicode.UTF16(order, policy).NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	const text = "né,猫\na,b\n"
	for name, b := range map[string][]byte{
		"UTF-8":                  []byte(text),
		"with a mark":            []byte("\uFEFF" + text),
		"UTF-16LE":               utf16(t, unicode.LittleEndian, unicode.UseBOM, text),
		"UTF-16BE":               utf16(t, unicode.BigEndian, unicode.UseBOM, text),
		"UTF-16LE without mark":  utf16(t, unicode.LittleEndian, unicode.IgnoreBOM, text),
		"UTF-16BE of plain text": utf16(t, unicode.BigEndian, unicode.IgnoreBOM, text),
	} {
		if got := string(Decode(b)); got != text {
			t.Errorf("%s: %q", name, got)
		}
		got, err := io.ReadAll(NewReader(iotest.OneByteReader(bytes.NewReader(b))))
		if err != nil || string(got) != text || string(Normalize(b)) != text {
			t.Errorf("%s, byte by byte: %q, %v", name, got, err)
		}
	}
	for in, want := range map[string]string{"a\r\nb\rc\n\rd\r": "a\nb\nc\n\nd\n", "\r\r\n\n": "\n\n\n", "": "", "a": "a", "ab": "ab", "\xff": "\xff", "\xffab": "\xffab"} {
		got, err := io.ReadAll(NewReader(iotest.HalfReader(strings.NewReader(in))))
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestUnmarshalJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"a": NaN, "b": [Infinity, -Infinity, -1]}`: `{"a":null,"b":[null,null,-1]}`,
		"\uFEFF" + `{"a":"NaN \" NaN"}`:              `{"a":"NaN \" NaN"}`,
		`{"a":"NaN","b":NaN}`:                        `{"a":"NaN","b":null}`,
		`{"a":"\\","b":NaN}`:                         `{"a":"\\","b":null}`,
	} {
		var v any
		err := UnmarshalJSON([]byte(in), &v)
		got, _ := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "{", `{"a":Nan}`, `NaNa`, `{"a":--Infinity}`} {
		var v any
		if err := UnmarshalJSON([]byte(in), &v); err == nil {
			t.Errorf("%q is read as %v", in, v)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("a\r\nb"))
	f.Add(utf16(f, unicode.LittleEndian, unicode.UseBOM, "a,é\r\n"))
	f.Add([]byte("\xfe\xff\xd8"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := io.ReadAll(NewReader(bytes.NewReader(b)))
		if err != nil || len(got) > 3*len(b) || bytes.ContainsRune(got, '\r') {
			t.Errorf("%q: %q, %v", b, got, err)
		}
		whole := bytes.ReplaceAll(bytes.ReplaceAll(Decode(b), []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
		if !bytes.Equal(got, whole) {
			t.Errorf("%q: %q as a stream, %q at once", b, got, whole)
		}
	})
}

func FuzzUnmarshalJSON(f *testing.F) {
	f.Add([]byte(`{"a":NaN,"b":"NaN"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var plain, lenient any
		if json.Unmarshal(b, &plain) == nil && decoderOf(b) == nil {
			if err := UnmarshalJSON(b, &lenient); err != nil {
				t.Errorf("%q: JSON that is not read: %v", b, err)
			}
		}
	})
}
