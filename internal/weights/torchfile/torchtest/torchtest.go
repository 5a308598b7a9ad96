// Package torchtest writes torch files for tests: the pickle program that
// torch.save writes for a dictionary of tensors, and the zip file around it.
package torchtest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Tensor is a float32 tensor to write.
type Tensor struct {
	Name   string
	Shape  []int
	Values []float32
	// Strides are given for a tensor that is not row-major.
	Strides []int
}

// Options vary what File writes.
type Options struct {
	// Under puts the tensors into a dictionary under this key; "" puts them at
	// the top.
	Under string
	// Before is pickle code that leaves key and value pairs for the outermost
	// dictionary.
	Before []byte
	// Compress deflates the storages, which torch never does.
	Compress bool
	// Share lets every tensor lie in the first tensor's storage.
	Share bool
	// ByteOrder is the content of the entry "byteorder", if not empty.
	ByteOrder string
}

// File returns the bytes of a torch file.
func File(tensors []Tensor, o Options) []byte {
	var p bytes.Buffer
	p.WriteString("\x80\x02}(")
	p.Write(o.Before)
	if o.Under != "" {
		p.Write(Text(o.Under))
		p.WriteString("ccollections\nOrderedDict\n)R(")
	}
	for i, t := range tensors {
		p.Write(Text(t.Name))
		p.WriteString("ctorch._utils\n_rebuild_tensor_v2\n((")
		p.Write(Text("storage"))
		p.WriteString("ctorch\nFloatStorage\n")
		values := t.Values
		if o.Share {
			i, values = 0, tensors[0].Values
		}
		p.Write(Text(fmt.Sprint(i)))
		p.Write(Text("cpu"))
		p.Write(Int(len(values)))
		p.WriteString("tQ")
		p.Write(Int(0))
		strides := t.Strides
		if strides == nil {
			step := 1
			strides = make([]int, len(t.Shape))
			for i := len(t.Shape) - 1; i >= 0; i-- {
				strides[i] = step
				step *= t.Shape[i]
			}
		}
		for _, list := range [][]int{t.Shape, strides} {
			p.WriteByte('(')
			for _, n := range list {
				p.Write(Int(n))
			}
			p.WriteByte('t')
		}
		p.WriteString("\x89ccollections\nOrderedDict\n)RtR")
	}
	if o.Under != "" {
		p.WriteByte('u')
	}
	p.WriteString("u.")
	return Zip(p.Bytes(), tensors, o)
}

// Zip returns a torch file with any pickle program.
func Zip(program []byte, tensors []Tensor, o Options) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	put := func(name string, b []byte, method uint16) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: method})
		if err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			panic(err)
		}
	}
	put("data.pkl", program, zip.Store)
	if o.ByteOrder != "" {
		put("byteorder", []byte(o.ByteOrder), zip.Store)
	}
	method := zip.Store
	if o.Compress {
		method = zip.Deflate
	}
	for i, t := range tensors {
		if o.Share && i > 0 {
			break
		}
		var b []byte
		for _, x := range t.Values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		put(fmt.Sprintf("data/%d", i), b, method)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// Text is the pickle code of a text.
func Text(s string) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte{'X'}, uint32(len(s))), s...)
}

// Int is the pickle code of a whole number.
func Int(n int) []byte { return binary.LittleEndian.AppendUint32([]byte{'J'}, uint32(int32(n))) }
