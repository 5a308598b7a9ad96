package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
	"github.com/groupvit/groupvit/internal/engine/simd/kernels/work"
)

// scattered gives dense strides of sizes in a random order of the axes.
func scattered(r *rand.Rand, size [4]int) (strides [4]int) {
	at := 1
	for _, a := range r.Perm(4) {
		strides[a] = at
		at *= size[a]
	}
	return strides
}

func TestConvGeneral(t *testing.T) {
	pool := work.NewPool(2)
	defer pool.Close()
	kerneltest.OnEachLevel(t, func(t *testing.T) {
		r := kerneltest.Generator(71)
		ran := 0
		for i := range 400 {
			g := General{Batch: 1 + r.IntN(4), Height: 1 + r.IntN(9), Width: 1 + r.IntN(9), In: 1 + r.IntN(9), Out: 1 + r.IntN(12),
				KernelH: 1 + r.IntN(5), KernelW: 1 + r.IntN(5)}
			pair := func(n int) [2]int { return [2]int{r.IntN(n), r.IntN(n)} }
			switch i % 4 {
			case 0:
				g.Strides = pair(4)
			case 1:
				g.InputDilation = pair(4)
			case 2:
				g.KernelDilation = pair(4)
			default:
				g.Strides, g.InputDilation, g.KernelDilation = pair(3), pair(3), pair(3)
			}
			g.PadBefore, g.PadAfter = [2]int{r.IntN(5) - 1, r.IntN(5) - 1}, [2]int{r.IntN(5) - 1, r.IntN(5) - 1}
			h, v := g.Output()
			sizeX, sizeW, sizeY := [4]int{g.Batch, g.Height, g.Width, g.In}, [4]int{g.KernelH, g.KernelW, g.In, g.Out}, [4]int{g.Batch, h, v, g.Out}
			g.X, g.W, g.Y = scattered(r, sizeX), scattered(r, sizeW), scattered(r, sizeY)
			if r.IntN(2) == 0 {
				l := Layout(r.IntN(2))
				g.X, g.Y = dense(sizeX, l), dense(sizeY, l)
			}
			x, w := kerneltest.Draw(r, g.Batch*g.Height*g.Width*g.In), kerneltest.Draw(r, g.KernelH*g.KernelW*g.In*g.Out)
			y := kerneltest.Draw(r, g.Batch*h*v*g.Out)
			before := append([]float32(nil), y...)
			if !g.Run(pool, y, x, w) {
				kerneltest.SameBits(t, "refused", y, before)
				continue
			}
			ran++
			f := g.filled()
			want := make([]float64, len(y))
			for n := range g.Batch {
				for oy := range h {
					for ox := range v {
						for o := range g.Out {
							var sum float64
							for a := range g.KernelH {
								for b := range g.KernelW {
									py, px := oy*f.Strides[0]+a*f.KernelDilation[0]-g.PadBefore[0], ox*f.Strides[1]+b*f.KernelDilation[1]-g.PadBefore[1]
									if py < 0 || px < 0 || py%f.InputDilation[0] != 0 || px%f.InputDilation[1] != 0 {
										continue
									}
									py, px = py/f.InputDilation[0], px/f.InputDilation[1]
									if py >= g.Height || px >= g.Width {
										continue
									}
									for c := range g.In {
										sum += float64(x[n*g.X[0]+py*g.X[1]+px*g.X[2]+c*g.X[3]]) * float64(w[a*g.W[0]+b*g.W[1]+c*g.W[2]+o*g.W[3]])
									}
								}
							}
							want[n*g.Y[0]+oy*g.Y[1]+ox*g.Y[2]+o*g.Y[3]] = sum
						}
					}
				}
			}
			kerneltest.CloseTo(t, fmt.Sprintf("%+v", g), y, want, func(int) float64 { return 2e-5 * math.Sqrt(float64(g.In*g.KernelH*g.KernelW)) })
		}
		if ran < 250 {
			t.Errorf("only %d of 400 cases were taken", ran)
		}
	})
}
