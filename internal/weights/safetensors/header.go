package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/groupvit/groupvit/internal/limits"
)

// parse reads the header by tokens, so that neither depth nor a repeated key
// goes unnoticed.
func (f *File) parse(header []byte, base, size int64) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: header: %w", ErrFormat, fmt.Errorf(format, args...))
	}
	if len(header) == 0 || header[0] != '{' {
		return bad("it does not start with '{'")
	}
	d := json.NewDecoder(bytes.NewReader(header))
	d.UseNumber()
	_, err := d.Token() // the '{'
	for err == nil && d.More() {
		var name string
		if name, err = text(d); err != nil {
			break
		}
		if name == "__metadata__" {
			if f.Metadata != nil {
				return bad("__metadata__ comes twice")
			}
			f.Metadata, err = metadata(d)
			continue
		}
		if _, twice := f.index[name]; twice {
			return bad("tensor %.200q comes twice", name)
		}
		if len(f.tensors) >= limits.Tensors {
			return bad("more than %d tensors: %w", limits.Tensors, limits.ErrTooLarge)
		}
		var info Info
		if info, err = tensor(d); err != nil {
			err = fmt.Errorf("tensor %.200q: %w", name, err)
			break
		}
		info.Name = name
		f.index[name] = -1
		f.tensors = append(f.tensors, info)
	}
	if err == nil {
		_, err = d.Token() // the '}'
	}
	if err != nil {
		return bad("%w", err)
	}
	if rest := bytes.TrimRight(header[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return bad("%d bytes follow its end", len(rest))
	}
	return f.place(base, size)
}

// place checks that the tensors lie one after the other and fill the file.
func (f *File) place(base, size int64) error {
	slices.SortFunc(f.tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Length, b.Length))
	})
	end := int64(0)
	for i, t := range f.tensors {
		switch {
		case t.Offset < end:
			return fmt.Errorf("%w: tensor %.200q starts at byte %d, inside the one before it, which ends at %d", ErrFormat, t.Name, t.Offset, end)
		case t.Offset > end:
			return fmt.Errorf("%w: %d bytes before tensor %.200q belong to no tensor", ErrFormat, t.Offset-end, t.Name)
		case t.Length > size-base-end:
			return fmt.Errorf("%w: tensor %.200q needs %d bytes, %d are left: the file is cut off: fetch it again", ErrFormat, t.Name, t.Length, size-base-end)
		}
		end += t.Length
		f.tensors[i].Offset += base
	}
	if end != size-base {
		return fmt.Errorf("%w: %d bytes after the last tensor", ErrFormat, size-base-end)
	}
	slices.SortFunc(f.tensors, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	for i, t := range f.tensors {
		f.index[t.Name] = i
	}
	return nil
}

func text(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("a text is needed, found %v", t)
	}
	return s, nil
}

func delim(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err == nil && t != want {
		err = fmt.Errorf("%v is needed, found %v", want, t)
	}
	return err
}

func metadata(d *json.Decoder) (map[string]string, error) {
	out := map[string]string{}
	if err := delim(d, '{'); err != nil {
		return nil, err
	}
	for d.More() {
		key, err := text(d)
		if err != nil {
			return nil, err
		}
		value, err := text(d)
		if err != nil {
			return nil, fmt.Errorf("__metadata__: %.200q: %w", key, err)
		}
		out[key] = value
	}
	return out, delim(d, '}')
}

func tensor(d *json.Decoder) (Info, error) {
	var info Info
	var shape, offsets []int64
	seen := map[string]bool{}
	if err := delim(d, '{'); err != nil {
		return info, err
	}
	for d.More() {
		key, err := text(d)
		if err != nil {
			return info, err
		}
		if seen[key] {
			return info, fmt.Errorf("%.200q comes twice", key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			var s string
			s, err = text(d)
			info.DType = DType(s)
		case "shape":
			shape, err = numbers(d, maxAxes)
		case "data_offsets":
			offsets, err = numbers(d, 2)
		default:
			err = errors.New("unknown key")
		}
		if err != nil {
			return info, fmt.Errorf("%.200q: %w", key, err)
		}
	}
	if err := delim(d, '}'); err != nil {
		return info, err
	}
	if len(seen) != 3 || len(offsets) != 2 {
		return info, errors.New("it needs dtype, shape and two data_offsets")
	}
	unit := info.DType.Bytes()
	if unit == 0 {
		return info, fmt.Errorf("dtype %.200q is not supported", string(info.DType))
	}
	info.Offset, info.Length = offsets[0], offsets[1]-offsets[0]
	if info.Length < 0 {
		return info, fmt.Errorf("data_offsets [%d, %d] end before they start", offsets[0], offsets[1])
	}
	elements := int64(1)
	for _, n := range shape {
		if n > limits.TensorElements || n > 0 && elements > limits.TensorElements/n {
			return info, fmt.Errorf("shape %v has more than %d elements: %w", shape, limits.TensorElements, limits.ErrTooLarge)
		}
		elements *= n
		info.Shape = append(info.Shape, int(n))
	}
	if elements*unit != info.Length {
		return info, fmt.Errorf("shape %v of %s needs %d bytes, data_offsets give %d", shape, info.DType, elements*unit, info.Length)
	}
	return info, nil
}

// numbers reads a list of at most most numbers, none negative.
func numbers(d *json.Decoder, most int) ([]int64, error) {
	if err := delim(d, '['); err != nil {
		return nil, err
	}
	out := []int64{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("a number is needed, found %v", t)
		}
		v, err := strconv.ParseUint(n.String(), 10, 64)
		if err != nil || v > math.MaxInt64/16 {
			return nil, fmt.Errorf("%.40s is not a number that can be", n.String())
		}
		if len(out) == most {
			return nil, fmt.Errorf("more than %d numbers", most)
		}
		out = append(out, int64(v))
	}
	return out, delim(d, ']')
}
