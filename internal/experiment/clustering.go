package experiment

import (
	"context"
	"fmt"
	"image"
	"math"

	"github.com/groupvit/groupvit/internal/assign"
	"github.com/groupvit/groupvit/internal/evaluate"
	"github.com/groupvit/groupvit/internal/experiment/cluster"
)

// clustering segments as the baselines of the paper's Table 4 do: a picture's
// patches are clustered by their features, and each cluster gets the word that is
// nearest to the mean of its projected patches.
type clustering struct {
	encoder *encoder
	method  string
	// clusters is their number; mean shift finds its own.
	clusters int
	seed     uint64
	words    [][]float32 // unit vectors, by class of the data set
	// background is the class that is no word, −1 where there is none. A cluster is
	// background where its word's share, by a softmax at the model's temperature over
	// all words, is below the paper's threshold for PASCAL VOC.
	background int
}

// backgroundBelow is that of the paper's code for VOC (its share of the best group is
// left out: clusters have no scores that are one-hot by training).
const backgroundBelow = 0.95

// Predict implements evaluate.Predictor.
func (p *clustering) Predict(ctx context.Context, photo image.Image, thresholds []float64) ([][]uint8, error) {
	l, err := p.encoder.look(ctx, photo)
	if err != nil {
		return nil, err
	}
	w := l.window()
	if l.features == nil {
		return nil, fmt.Errorf("%w: clustering needs a network that projects patches (model.variant.patch_embeddings)", ErrRecipe)
	}
	n := w.GridH * w.GridW
	x := make([]float64, len(l.features))
	for i, v := range l.features {
		x[i] = float64(v)
	}
	of, err := p.group(x, len(x)/n)
	if err != nil {
		return nil, err
	}
	names := p.name(of, w.Patches)
	// The clusters are a stage of hard groups, and become a map as groups do.
	soft := make([]float32, n*len(names))
	for i, c := range of {
		soft[i*len(names)+c] = 1
	}
	w.Stages, w.Assign, w.Groups = [][]float32{soft}, soft, []float32{}
	m, err := assign.GroupMap(ctx, l.view, 0)
	if err != nil {
		return nil, err
	}
	out := make([]uint8, len(m.Labels))
	for i, c := range m.Labels {
		out[i] = names[c-1]
	}
	maps := make([][]uint8, len(thresholds))
	for i := range maps {
		maps[i] = out
	}
	return maps, nil
}

func (p *clustering) group(x []float64, d int) ([]int, error) {
	switch p.method {
	case methodKMeans:
		return cluster.KMeans(x, d, p.clusters, p.seed)
	case methodMeanShift:
		return cluster.MeanShift(x, d, 0)
	case methodSpectral:
		return cluster.Spectral(x, d, p.clusters, p.seed)
	}
	return nil, fmt.Errorf("%w: method %q clusters nothing", ErrRecipe, p.method)
}

// name gives each cluster of the patches [N, P] its word.
func (p *clustering) name(of []int, patches []float32) []uint8 {
	width := len(patches) / len(of)
	clusters := 0
	for _, c := range of {
		clusters = max(clusters, c+1)
	}
	sums := make([]float32, clusters*width)
	for i, c := range of {
		for j, v := range patches[i*width : (i+1)*width] {
			sums[c*width+j] += v
		}
	}
	names := make([]uint8, clusters)
	for c := range names {
		sum := sums[c*width : (c+1)*width]
		assign.Normalize(sum, width)
		names[c] = p.nearest(sum)
	}
	return names
}

// nearest is the class of a unit vector.
func (p *clustering) nearest(v []float32) uint8 {
	scale := 1.0
	if t := p.encoder.weights.Tensors["logit_scale"]; len(t) == 1 {
		scale = min(math.Exp(float64(t[0])), 100)
	}
	best, most, total := -1, 0.0, 0.0
	for k, word := range p.words {
		if k == p.background {
			continue
		}
		score := scale * float64(dot(v, word))
		if best < 0 || score > most {
			best, most = k, score
		}
	}
	if p.background < 0 {
		return uint8(best)
	}
	for k, word := range p.words {
		if k != p.background {
			total += math.Exp(scale*float64(dot(v, word)) - most)
		}
	}
	if 1/total < backgroundBelow {
		return uint8(p.background)
	}
	return uint8(best)
}

func dot(a, b []float32) (sum float32) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// About implements evaluate.Predictor.
func (p *clustering) About() evaluate.About {
	return evaluate.About{
		Protocol: p.method, Background: "off", Engine: p.encoder.backend.Name(),
		Model: evaluate.Model{Name: p.encoder.weights.Source, SHA256: p.encoder.weights.SHA256},
	}
}
