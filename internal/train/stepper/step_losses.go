package stepper

import (
	"fmt"
	"maps"
	"math"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/train/settings"
)

// lossPasses are the passes of the losses over the pictures.
type lossPasses struct {
	passes
	last    *pairs.MicroBatch
	fits    *fits
	sums    sums
	columns [][]float32
}

// run finds the columns, then the losses and all gradients; it returns those of
// the units.
func (l *lossPasses) run(units []float32, metrics map[string]float64) ([]float32, error) {
	dims := []int{len(units) / l.settings.Model.EmbedWidth, l.settings.Model.EmbedWidth}
	texts, err := onDevice(l.Upload.backend, units, dims...)
	if err != nil {
		return nil, err
	}
	defer finalize(texts)
	if l.settings.Loss.Kind == settings.LossSoftmax {
		if err := l.findColumns(texts); err != nil {
			return nil, err
		}
	}
	sum, err := onDevice(l.Upload.backend, make([]float32, len(units)), dims...)
	if err != nil {
		return nil, err
	}
	shares := map[string]float64{}
	for _, b := range l.blocks {
		if sum, err = l.block(b, texts, sum, shares); err != nil {
			return nil, err
		}
	}
	defer finalize(sum)
	maps.Copy(metrics, shares)
	var gradients []float32
	err = exceptions.TryCatch[error](func() { gradients = tensors.MustCopyFlatData[float32](sum) })
	return gradients, err
}

// targets adds a block's rows of the targets.
func (l *lossPasses) targets(a *arguments, b block) {
	batch := l.last.Batch
	a.floats("block's weight", batch.CaptionWeight[b.from:b.from+b.size], b.size)
	a.floats("weight", batch.CaptionWeight, batch.Size)
	a.floats("block's fits", l.fits.rows(b.from, b.from+b.size), b.size, batch.Size)
	if batch.U == 0 {
		return
	}
	targets, known, explains := l.last.Rows(b.from, b.from+b.size)
	a.floats("block's targets", targets, b.size, batch.U)
	a.floats("block's known", known, b.size, batch.U)
	if l.settings.Loss.Explains() {
		a.floats("block's explains", explains, b.size, batch.U)
	}
	if batch.Labels != nil {
		n := len(batch.Labels) / batch.Size
		from, to := b.from*n, (b.from+b.size)*n
		a.ids("block's labels", batch.Labels[from:to], b.size, n)
		a.floats("block's words", batch.Word[from:to], b.size, n)
		a.floats("block's background", batch.Background[from:to], b.size, n)
		a.floats("block's competing", l.last.Competing(b.from, b.from+b.size), b.size, batch.U)
		a.floats("stuff", batch.Stuff, batch.U)
	}
}

// findColumns adds up log Σ exp over the pictures.
func (l *lossPasses) findColumns(texts *tensors.Tensor) error {
	var columns [][]float64
	err := l.each(l.parts.heads.columns, func(a *arguments, b block) {
		a.add(texts)
		l.addMoments(a)
		l.targets(a, b)
	}, func(_ block, out [][]float32) {
		for i, x := range out {
			if i == len(columns) {
				columns = append(columns, nil)
			}
			columns[i] = addExp(columns[i], x)
		}
	})
	l.columns = nil
	for _, wide := range columns {
		narrow := make([]float32, len(wide))
		for c, v := range wide {
			narrow[c] = float32(v)
		}
		l.columns = append(l.columns, narrow)
	}
	return err
}

// addExp is log(exp(a) + exp(b)) for each; nil is −∞.
func addExp(a []float64, b []float32) []float64 {
	if a == nil {
		a = make([]float64, len(b))
		for i := range a {
			a[i] = math.Inf(-1)
		}
	}
	for i, y := range b {
		top, low := max(a[i], float64(y)), min(a[i], float64(y))
		a[i] = top + math.Log1p(math.Exp(low-top))
	}
	return a
}

// block adds a block's share of the losses to the metrics, and its gradients; it
// gives the new sum of the units' gradients for the old.
func (l *lossPasses) block(b block, texts, sum *tensors.Tensor, metrics map[string]float64) (*tensors.Tensor, error) {
	h := &l.parts.heads
	a := l.arguments()
	a.floats("start", first(b.from))
	a.add(sum, texts)
	l.addMoments(a)
	l.targets(a, b)
	a.floats("sum of fits", l.sums.captions, len(l.sums.captions))
	if u := l.last.Batch.U; u > 0 {
		a.floats("sum of targets", l.sums.prompts, u)
		a.floats("named", l.sums.named, u)
		a.floats("pictures", []float32{l.sums.pictures})
		a.floats("explained", []float32{l.sums.explained})
		a.floats("labelled", []float32{l.sums.labelled})
	}
	for i, x := range l.columns {
		a.floats(fmt.Sprint("columns ", i), x, len(x))
	}
	l.addFeatures(a, b)
	outputs, err := a.run(h.losses)
	finalize(sum)
	if err != nil {
		return nil, err
	}
	err = exceptions.TryCatch[error](func() {
		read := func(i int) []float32 {
			defer finalize(outputs[i])
			return tensors.MustCopyFlatData[float32](outputs[i])
		}
		for name, v := range named(read(0), lossMetricNames, h.metrics) {
			metrics[name] += v
		}
		var gradients [][]float32
		for i := 2; i < len(outputs); i++ {
			gradients = append(gradients, read(i))
		}
		l.takeMoments(gradients)
		l.takeGradients(b, gradients[2*len(l.layers):], false)
	})
	return outputs[1], err
}

func finalize(x *tensors.Tensor) {
	_ = exceptions.TryCatch[error](func() { x.MustFinalizeAll() })
}
