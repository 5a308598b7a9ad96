// Package tensorboard writes event files that TensorBoard reads: numbers and
// pictures by step. The format is TensorFlow's: records framed as in TFRecord
// files, each a protocol buffer Event (tensorflow/core/util/event.proto,
// tensorflow/core/framework/summary.proto).
package tensorboard

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of the messages.
const (
	eventWallTime, eventStep, eventVersion, eventSummary, eventSession = 1, 2, 3, 5, 7

	sessionStatus = 1
	sessionStart  = 1 // of SessionLog.SessionStatus

	summaryValue                      = 1
	valueTag, valueSimple, valueImage = 1, 2, 4

	imageHeight, imageWidth, imageColours, imageEncoded = 1, 2, 3, 4
	coloursRGB                                          = 3
)

// Writer appends events to one file. Its methods are for one goroutine.
type Writer struct {
	file *os.File
	now  func() time.Time
}

// Open makes a new event file in a folder, for a run that has done so many steps:
// what earlier files of the folder say about later steps is void, and TensorBoard
// forgets it.
func Open(dir string, steps int) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	// TensorBoard reads files of a folder in the order of their names, so that of
	// two starts in one second the second needs the larger one.
	var f *os.File
	for second, n := time.Now().Unix(), 0; ; n++ {
		name := fmt.Sprintf("events.out.tfevents.%010d.%04d.%s", second, n, filepath.Base(host))
		f, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			break
		}
		if !os.IsExist(err) || n == 9999 {
			return nil, err
		}
	}
	w := &Writer{file: f, now: time.Now}
	err = w.event(0, func(b []byte) []byte {
		return protowire.AppendString(protowire.AppendTag(b, eventVersion, protowire.BytesType), "brain.Event:2")
	})
	if err == nil && steps > 0 {
		err = w.event(steps+1, func(b []byte) []byte {
			session := protowire.AppendVarint(protowire.AppendTag(nil, sessionStatus, protowire.VarintType), sessionStart)
			return protowire.AppendBytes(protowire.AppendTag(b, eventSession, protowire.BytesType), session)
		})
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// Scalars writes numbers by tag, as "loss/total".
func (w *Writer) Scalars(step int, values map[string]float64) error {
	if len(values) == 0 {
		return nil
	}
	return w.event(step, func(b []byte) []byte {
		var summary []byte
		for _, tag := range slices.Sorted(maps.Keys(values)) {
			value := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), tag)
			value = protowire.AppendFixed32(protowire.AppendTag(value, valueSimple, protowire.Fixed32Type), math.Float32bits(float32(values[tag])))
			summary = protowire.AppendBytes(protowire.AppendTag(summary, summaryValue, protowire.BytesType), value)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, eventSummary, protowire.BytesType), summary)
	})
}

// Picture writes a picture, encoded as PNG or JPEG, of a size in pixels.
func (w *Writer) Picture(step int, tag string, size image.Point, encoded []byte) error {
	return w.event(step, func(b []byte) []byte {
		var picture []byte
		for _, f := range []struct {
			number protowire.Number
			value  int
		}{{imageHeight, size.Y}, {imageWidth, size.X}, {imageColours, coloursRGB}} {
			picture = protowire.AppendVarint(protowire.AppendTag(picture, f.number, protowire.VarintType), uint64(f.value))
		}
		picture = protowire.AppendBytes(protowire.AppendTag(picture, imageEncoded, protowire.BytesType), encoded)
		value := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), tag)
		value = protowire.AppendBytes(protowire.AppendTag(value, valueImage, protowire.BytesType), picture)
		summary := protowire.AppendBytes(protowire.AppendTag(nil, summaryValue, protowire.BytesType), value)
		return protowire.AppendBytes(protowire.AppendTag(b, eventSummary, protowire.BytesType), summary)
	})
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// event writes one event, whole in one call: a reader never waits for the rest.
func (w *Writer) event(step int, body func([]byte) []byte) error {
	seconds := float64(w.now().UnixNano()) / 1e9
	b := protowire.AppendFixed64(protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type), math.Float64bits(seconds))
	b = protowire.AppendVarint(protowire.AppendTag(b, eventStep, protowire.VarintType), uint64(step))
	_, err := w.file.Write(record(body(b)))
	return err
}

// record frames data: length, its checksum, data, its checksum; little-endian.
func record(data []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	out = binary.LittleEndian.AppendUint32(out, checksum(out))
	out = append(out, data...)
	return binary.LittleEndian.AppendUint32(out, checksum(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is a TFRecord's "masked" CRC-32C: a checksum of data that holds
// checksums would be weak.
func checksum(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
