package stepper

import (
	"fmt"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/groupvit/groupvit/internal/pairs"
)

// matrixFloats bounds a matrix of a block of rows: as many numbers, 4 MB, of which
// a graph has some tens. At a batch of 16,384 with as many prompts these are 32
// rows, enough for products to be fast.
const matrixFloats = 1 << 20

// moment is a mean or an unbiased variance that renews a running statistic.
type moment struct {
	name   string
	values []float32
}

// throughHeads is stage 2: from the features of all pictures and texts to the
// losses, which it adds to the metrics, and the features' gradients. last is the
// batch's last part. It returns what the running statistics are renewed with.
func (t *Stepper) throughHeads(last *pairs.MicroBatch, texts int, metrics map[string]float64) ([]moment, error) {
	h, at := &t.parts.heads, len(t.parts.cut)
	pictures := blocksOf(last.Batch.Size, t.mostRows(texts))
	rows := blocksOf(texts, t.most/t.settings.Model.ProjectionWidth)
	image := passes{t, &h.image, 0, at, pictures}
	text := passes{t, &h.text, at, at + 1, rows}
	units, err := []float32(nil), image.moments()
	if err == nil {
		err = text.moments()
	}
	if err == nil {
		units, err = text.units(texts)
	}
	if err != nil {
		return nil, err
	}
	l := &lossPasses{passes: image, last: last, fits: fitsOf(t.settings.Loss, last)}
	l.sums = sumsOf(t.settings.Loss, last, l.fits, pictures)
	unitGradients, err := l.run(units, metrics)
	if err == nil {
		err = image.through()
	}
	if err == nil {
		err = text.backward(unitGradients)
	}
	if err == nil {
		err = text.through()
	}
	return append(h.image.renewals(last.Batch.Size), h.text.renewals(texts)...), err
}

// mostRows is how many pictures a block has: their matrices with all texts, and
// hidden layers of their parts, stay within the bound.
func (t *Stepper) mostRows(texts int) int {
	each := 1 // groups or patches
	for _, shape := range t.parts.cut {
		if len(shape) == 2 {
			each = max(each, shape[0])
		}
	}
	return t.most / (each * max(texts, t.settings.Model.ProjectionWidth))
}

// passes are those of one head: over features from … to−1 of the lists, in blocks.
type passes struct {
	*Stepper
	*head
	from, to int
	blocks   []block
}

// each calls a graph for each block, with inputs that given adds, then the block's
// features.
func (s passes) each(e *model.Exec, given func(a *arguments, b block), use func(b block, out [][]float32)) error {
	for _, b := range s.blocks {
		a := s.arguments()
		given(a, b)
		s.addFeatures(a, b)
		if err := a.call(e, func(out [][]float32) { use(b, out) }); err != nil {
			return err
		}
	}
	return nil
}

// shape is that of a row of the features at a place of the lists.
func (s passes) shape(i int) []int {
	if p := s.parts; i < len(p.cut) {
		return p.cut[i]
	}
	return []int{s.settings.Model.Text.Width}
}

// addFeatures adds a block's features.
func (s passes) addFeatures(a *arguments, b block) {
	for i := s.from; i < s.to; i++ {
		shape := s.shape(i)
		a.floats(fmt.Sprint("features ", i), rowsOf(s.parts.features[i], shape, b.from, b.size), append([]int{b.size}, shape...)...)
	}
}

// takeGradients puts gradients of a block's features where they belong; add adds
// them to those that are there.
func (s passes) takeGradients(b block, gradients [][]float32, add bool) {
	for i := s.from; i < s.to; i++ {
		to := rowsOf(s.parts.gradients[i], s.shape(i), b.from, b.size)
		if !add {
			copy(to, gradients[i-s.from])
			continue
		}
		for j, v := range gradients[i-s.from] {
			to[j] += v
		}
	}
}

// addMoments adds mean and variance of each use.
func (h *head) addMoments(a *arguments) {
	for i, mean := range h.mean {
		a.floats(h.argument("mean", i), mean, len(mean))
		a.floats(h.argument("variance", i), h.variance[i], len(mean))
	}
}

// moments finds the moments of the head's BatchNorm over all blocks.
func (s passes) moments() error {
	if s.settings.Model.Variant.PlainProjection {
		return nil
	}
	var merged []merge
	err := s.each(s.head.moments, func(*arguments, block) {}, func(b block, out [][]float32) {
		if merged == nil {
			merged = make([]merge, len(s.layers))
		}
		for i := range merged {
			merged[i].add(float64(b.size*s.rows[i]), out[2*i], out[2*i+1])
		}
	})
	s.mean, s.variance, s.meanGradient, s.varianceGradient = nil, nil, nil, nil
	for i := range merged {
		mean, variance := merged[i].moments()
		s.mean, s.variance = append(s.mean, mean), append(s.variance, variance)
		s.meanGradient, s.varianceGradient = append(s.meanGradient, make([]float64, len(mean))), append(s.varianceGradient, make([]float64, len(mean)))
	}
	return err
}

// units are the unit vectors of all texts [texts, P].
func (s passes) units(texts int) ([]float32, error) {
	width := s.settings.Model.EmbedWidth
	units := make([]float32, texts*width)
	err := s.each(s.parts.heads.units, func(a *arguments, _ block) { s.addMoments(a) },
		func(b block, out [][]float32) { copy(units[b.from*width:], out[0]) })
	return units, err
}

// backward passes the units' gradients on to the features, the weights and the
// moments.
func (s passes) backward(units []float32) error {
	width := s.settings.Model.EmbedWidth
	return s.each(s.head.backward, func(a *arguments, b block) {
		a.floats("start", first(b.from))
		s.addMoments(a)
		a.floats("gradients of units", units[b.from*width:(b.from+b.size)*width], b.size, width)
	}, func(b block, out [][]float32) {
		s.takeGradients(b, out, false)
		s.takeMoments(out[s.to-s.from:])
	})
}

// takeMoments adds gradients of the moments.
func (h *head) takeMoments(gradients [][]float32) {
	for i := range h.layers {
		for c, v := range gradients[2*i] {
			h.meanGradient[i][c] += float64(v)
		}
		for c, v := range gradients[2*i+1] {
			h.varianceGradient[i][c] += float64(v)
		}
	}
}

// through passes the moments' gradients on to features and weights.
func (s passes) through() error {
	if len(s.layers) == 0 {
		return nil
	}
	total := 0
	for _, b := range s.blocks {
		total += b.size
	}
	shared := func(gradient []float64, use int) []float32 {
		out := make([]float32, len(gradient))
		for c, v := range gradient {
			out[c] = float32(v / float64(total*s.rows[use]))
		}
		return out
	}
	return s.each(s.head.through, func(a *arguments, _ block) {
		for i, mean := range s.mean {
			a.floats(s.argument("mean", i), mean, len(mean))
			a.floats(s.argument("gradient of mean", i), shared(s.meanGradient[i], i), len(mean))
			a.floats(s.argument("gradient of variance", i), shared(s.varianceGradient[i], i), len(mean))
		}
	}, func(b block, out [][]float32) { s.takeGradients(b, out, true) })
}

// renewals are mean and unbiased variance of the first use of each layer, over
// total rows of features.
func (h *head) renewals(total int) []moment {
	var out []moment
	for _, i := range h.firstUses() {
		n := float64(total * h.rows[i])
		unbiased := make([]float32, len(h.variance[i]))
		for c, v := range h.variance[i] {
			unbiased[c] = float32(float64(v) * n / max(n-1, 1))
		}
		out = append(out, moment{h.argument("mean", i), h.mean[i]}, moment{h.argument("unbiased variance", i), unbiased})
	}
	return out
}

// merge adds up means and sums of squares of blocks (Chan, Golub and LeVeque, 1983).
type merge struct {
	n             float64
	mean, squares []float64
}

func (m *merge) add(n float64, mean, squares []float32) {
	if m.mean == nil {
		m.mean, m.squares = make([]float64, len(mean)), make([]float64, len(mean))
	}
	all := m.n + n
	for c := range mean {
		d := float64(mean[c]) - m.mean[c]
		m.mean[c] += d * n / all
		m.squares[c] += float64(squares[c]) + d*d*m.n*n/all
	}
	m.n = all
}

// moments are the mean and the variance of all.
func (m *merge) moments() (mean, variance []float32) {
	for c := range m.mean {
		mean, variance = append(mean, float32(m.mean[c])), append(variance, float32(m.squares[c]/m.n))
	}
	return mean, variance
}
