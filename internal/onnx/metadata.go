package onnx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/onnx/onnxpb"
	"github.com/groupvit/groupvit/internal/weights"
)

// Versions of what is written. Opset 17 has LayerNormalization and is read by ONNX
// Runtime from 1.12 on; 8 is the format's version of that time.
const (
	opset     = 17
	irVersion = 8
)

// encode puts a graph into a file: with the names of the model, and with what a
// program has to know of it.
func (g *graph) encode(m *weights.Model, o Options, metadata map[string]string) ([]byte, error) {
	if g.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExport, g.err)
	}
	g.prune()
	scale := 0.0
	if theta := m.Tensors[network.LogitScale]; len(theta) == 1 {
		scale = math.Exp(float64(theta[0]))
	}
	for key, v := range map[string]string{
		"model": o.Name, "sha256": m.SHA256, "license": o.License, "architecture": "GroupViT",
		"logit_scale": strconv.FormatFloat(scale, 'g', 9, 64),
		"map":         string(m.Config.Map()),
	} {
		metadata[key] = v
	}
	if eval := m.Extra["eval.json"]; eval != nil {
		var b bytes.Buffer
		if json.Compact(&b, eval) == nil {
			metadata["eval"] = b.String()
		}
	}
	file := &onnxpb.ModelProto{
		IrVersion: proto.Int64(irVersion), OpsetImport: []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(opset)}},
		ProducerName: proto.String("groupvit"), ProducerVersion: proto.String(o.Version), Graph: g.proto,
		DocString: proto.String("GroupViT (Xu et al., CVPR 2022): " + g.proto.GetName()),
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if metadata[key] != "" {
			file.MetadataProps = append(file.MetadataProps, &onnxpb.StringStringEntryProto{Key: proto.String(key), Value: proto.String(metadata[key])})
		}
	}
	if size := proto.Size(file); size > math.MaxInt32 {
		return nil, fmt.Errorf("%w: the file would have %d bytes, ONNX files end at 2 GiB: store halves", ErrExport, size)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(file)
}

// pixels says what the input of the image graph is.
func (o Options) pixels(m *weights.Model) string {
	if o.Normalised {
		return fmt.Sprintf("RGB, (x − mean)/std of x in 0 … 1; mean %s, std %s", list(m.Mean), list(m.Std))
	}
	return "RGB in 0 … 1; the graph normalises"
}

// imageMetadata is what a program has to know to use the image graph.
func (t *tower) imageMetadata(o Options) map[string]string {
	pixels := "0..1"
	if o.Normalised {
		pixels = "normalised"
	}
	return map[string]string{
		"image_size": strconv.Itoa(t.config.ImageSize),
		"patch_size": strconv.Itoa(t.config.PatchSize),
		"mean":       list(t.model.Mean),
		"std":        list(t.model.Std),
		"pixels":     pixels,
	}
}

// textMetadata is what a program has to know to use the text graph.
func (t *tower) textMetadata() map[string]string {
	c := t.config.Text
	return map[string]string{
		"vocabulary": strconv.Itoa(c.Vocabulary),
		"context":    strconv.Itoa(c.Context),
		"start":      strconv.Itoa(c.Vocabulary - 2),
		"end":        strconv.Itoa(c.Vocabulary - 1),
	}
}

func (t *tower) idsAbout() string {
	c := t.config.Text
	return fmt.Sprintf("token ids: %d (start), words, %d (end), then any smaller ones; at most %d", c.Vocabulary-2, c.Vocabulary-1, c.Context)
}

// list writes three numbers as JSON.
func list(v [3]float32) string {
	var b []byte
	for i, x := range v {
		b = append(b, "[,,"[i])
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return string(append(b, ']'))
}
