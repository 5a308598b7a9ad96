package speed

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/groupvit/groupvit/internal/engine"
)

// Result is what was measured of a case. Null is a number without meaning for
// the work, or one that the system does not tell.
type Result struct {
	Engine string `json:"engine"`
	// Precision is what was asked for, Computed what the engine computes in, where that is another: float32 where bf16
	// would be slower.
	Precision string `json:"precision"`
	Computed  string `json:"computed,omitempty"`
	Work      Work   `json:"work"`
	ImageSize *int   `json:"image_size"`
	Batch     *int   `json:"batch"`
	Threads   int    `json:"threads"`
	// Shape is that of a product, MxKxN.
	Shape string `json:"shape,omitempty"`
	// MsMedian and MsMin are milliseconds of a run, Runs how many there were.
	MsMedian float64 `json:"ms_median"`
	MsMin    float64 `json:"ms_min"`
	Runs     int     `json:"runs"`
	// GFLOPS is 10⁹ operations a second at the median; two for each multiply-add
	// of a product or convolution, nothing else counts. FLOP are those of a run.
	GFLOPS float64 `json:"gflops"`
	FLOP   int64   `json:"flop"`
	// SGEMMShare is GFLOPS over SGEMMGFLOPS, the rate of a product of 1024³ on
	// as many threads, at the median of its runs between those of the work.
	SGEMMShare  float64 `json:"sgemm_share"`
	SGEMMGFLOPS float64 `json:"sgemm_gflops"`
	// WindowsPerSecond is pictures a second, of image and train.
	WindowsPerSecond *float64 `json:"windows_per_second"`
	// PeakRSSMB is the program's largest memory while the work ran, in MiB.
	PeakRSSMB *float64 `json:"peak_rss_mb"`
}

func newResult(c Case) Result {
	r := Result{Engine: c.Engine, Precision: cmp.Or(c.Precision, engine.Float32), Work: c.Work, Threads: c.Threads, FLOP: c.FLOP()}
	if c.Engine == engine.SIMD {
		if computed := engine.Computed(r.Precision); computed != r.Precision {
			r.Computed = computed
		}
	}
	if c.Work == Product {
		r.Shape = c.Shape.String()
		return r
	}
	r.Batch = &c.Batch
	if c.Work != Text {
		r.ImageSize = &c.ImageSize
	}
	return r
}

// fill takes the times of the work and of the reference product.
func (r *Result) fill(times, reference1024 []time.Duration) {
	middle := median(times)
	r.MsMedian, r.MsMin, r.Runs = milliseconds(middle), milliseconds(slices.Min(times)), len(times)
	rate := float64(r.FLOP) / middle.Seconds() / 1e9
	product := 2 * float64(reference.M*reference.K*reference.N) / median(reference1024).Seconds() / 1e9
	r.GFLOPS, r.SGEMMGFLOPS, r.SGEMMShare = round(rate, 2), round(product, 2), round(rate/product, 4)
	if r.ImageSize != nil {
		windows := round(float64(*r.Batch)/middle.Seconds(), 3)
		r.WindowsPerSecond = &windows
	}
}

func milliseconds(d time.Duration) float64 { return round(d.Seconds()*1e3, 4) }

func round(v float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(v*scale) / scale
}

// WriteText writes results as a table for people.
func WriteText(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "engine\tprecision\twork\tsize\tbatch\tthreads\tms median\tms min\truns\tGFLOP/s\tof SGEMM\twindows/s\tpeak MiB\t")
	for _, r := range results {
		size := number(r.ImageSize)
		if r.Shape != "" {
			size = r.Shape
		}
		precision := precisionText(r.Precision, r.Computed)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%.3f\t%.3f\t%d\t%.2f\t%.1f %%\t%s\t%s\t\n", r.Engine, precision, r.Work, size, number(r.Batch), r.Threads,
			r.MsMedian, r.MsMin, r.Runs, r.GFLOPS, 100*r.SGEMMShare, number(r.WindowsPerSecond), number(r.PeakRSSMB))
	}
	return t.Flush()
}

// precisionText is what was asked for, and what computes where that is another.
func precisionText(asked, computed string) string {
	if computed == "" {
		return asked
	}
	return asked + " (in " + computed + ")"
}

// number writes a number, "–" where there is none.
func number[T any](p *T) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprint(*p)
}
