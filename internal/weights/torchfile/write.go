package torchfile

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/groupvit/groupvit/internal/weights/safetensors"
)

// Saved is a tensor to write: Floats, or Ints (whole numbers of 64 bits).
type Saved struct {
	Name  string
	Shape []int
	// Floats are row-major, as many as Shape says.
	Floats []float32
	// Half writes them in half precision, rounded to the nearest.
	Half bool
	// Ints stand in for Floats where they are not nil.
	Ints []int64
}

func (t Saved) storage() (class string, count int) {
	switch {
	case t.Ints != nil:
		return "LongStorage", len(t.Ints)
	case t.Half:
		return "HalfStorage", len(t.Floats)
	}
	return "FloatStorage", len(t.Floats)
}

// Write writes a file that torch.load reads (also with weights_only=True) as
// {under: {name: tensor, …}}: a zip file, not compressed, of a pickle program and
// one entry a tensor, as torch.save has written since PyTorch 1.6.
func Write(w io.Writer, under string, tensors []Saved) error {
	z := zip.NewWriter(w)
	put := func(name string, write func(io.Writer) error) error {
		entry, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
		if err != nil {
			return err
		}
		return write(entry)
	}
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	if err := put("data.pkl", text(program(under, tensors))); err != nil {
		return err
	}
	if err := put("byteorder", text("little")); err != nil {
		return err
	}
	for i, t := range tensors {
		if err := put(fmt.Sprintf("data/%d", i), t.write); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	if err := put("version", text("3\n")); err != nil {
		return err
	}
	return z.Close()
}

// write writes the tensor's elements, the lowest byte first.
func (t Saved) write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	var e [8]byte
	for _, x := range t.Ints {
		binary.LittleEndian.PutUint64(e[:], uint64(x))
		b.Write(e[:8]) // bufio keeps the error for Flush
	}
	for _, x := range t.Floats {
		if t.Half {
			binary.LittleEndian.PutUint16(e[:], safetensors.ToF16(x))
			b.Write(e[:2])
			continue
		}
		binary.LittleEndian.PutUint32(e[:], math.Float32bits(x))
		b.Write(e[:4])
	}
	return b.Flush()
}

// program is the pickle program (protocol 2) of the dictionary. Each tensor is
// rebuilt from a storage that the zip file holds under its number.
func program(under string, tensors []Saved) string {
	var p bytes.Buffer
	p.WriteString("\x80\x02}") // protocol 2, an empty dict
	pickleText(&p, under)
	p.WriteString("ccollections\nOrderedDict\n)R(")
	for i, t := range tensors {
		pickleText(&p, t.Name)
		p.WriteString("ctorch._utils\n_rebuild_tensor_v2\n((")
		class, count := t.storage()
		pickleText(&p, "storage")
		p.WriteString("ctorch\n" + class + "\n")
		pickleText(&p, fmt.Sprint(i))
		pickleText(&p, "cpu")
		pickleInt(&p, count)
		p.WriteString("tQ") // the storage, by its persistent id
		pickleInt(&p, 0)
		pickleTuple(&p, t.Shape)
		pickleTuple(&p, strides(t.Shape))
		p.WriteString("\x89ccollections\nOrderedDict\n)RtR") // no gradient, no hooks
	}
	p.WriteString("us.") // the items; the pair; the end
	return p.String()
}

// strides of a row-major tensor, in elements.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = step
		step *= shape[i]
	}
	return s
}

func pickleText(p *bytes.Buffer, s string) {
	p.Write(binary.LittleEndian.AppendUint32([]byte{'X'}, uint32(len(s))))
	p.WriteString(s)
}

func pickleInt(p *bytes.Buffer, n int) {
	p.Write(binary.LittleEndian.AppendUint32([]byte{'J'}, uint32(n)))
}

func pickleTuple(p *bytes.Buffer, list []int) {
	p.WriteByte('(')
	for _, n := range list {
		pickleInt(p, n)
	}
	p.WriteByte('t')
}
