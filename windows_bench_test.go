package groupvit

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/tower"
)

// BenchmarkWindows is the image tower alone on the windows of a folder's photos, cut
// out beforehand and computed as many at a time as Encode does: what a
// run over the folder could reach at best (BenchmarkFolder in internal/cli measures
// what it does).
//
//	GROUPVIT_FOLDER=VOC2012/JPEGImages GROUPVIT_FOLDER_PHOTOS=100 [GROUPVIT_FOLDER_MODEL=…] \
//	    [GROUPVIT_FOLDER_QUALITY=fast] go test . -run - -bench Windows -benchtime 3x
func BenchmarkWindows(b *testing.B) {
	folder := os.Getenv("GROUPVIT_FOLDER")
	if folder == "" {
		b.Skip("GROUPVIT_FOLDER names no folder of photos")
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.jpg"))
	if err != nil {
		b.Fatal(err)
	}
	if n, err := strconv.Atoi(os.Getenv("GROUPVIT_FOLDER_PHOTOS")); err == nil && n < len(names) {
		names = names[:n]
	}
	name := os.Getenv("GROUPVIT_FOLDER_MODEL")
	if name == "" {
		name = DefaultModel
	}
	m, err := Open(b.Context(), name, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	var windows []normalized
	for _, n := range names {
		windows = append(windows, windowsOf(b, m, n, &EncodeOptions{Quality: Quality(os.Getenv("GROUPVIT_FOLDER_QUALITY"))})...)
	}
	run := func() {
		var group errgroup.Group
		group.SetLimit(tower.MaxBatch)
		for _, w := range windows {
			group.Go(func() error {
				_, err := m.towers.Image(b.Context(), w.pixels, w.height, w.width)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	run() // compiles the sizes
	for b.Loop() {
		run()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(len(names))/seconds, "photos/s")
	b.ReportMetric(float64(len(windows))/seconds, "windows/s")
	b.ReportMetric(0, "ns/op")
}

// normalized is a window as the image tower gets it.
type normalized struct {
	pixels        []float32
	height, width int
}

// windowsOf are the windows of a photo.
func windowsOf(b *testing.B, m *Model, name string, o *EncodeOptions) (list []normalized) {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	f, err := os.Open(name)
	must(err)
	defer f.Close()
	photo, err := imaging.Decode(f, imaging.Options{Name: name})
	must(err)
	e, err := m.newEncoded(o)
	must(err)
	mean, std := e.method.normalization(m)
	for _, p := range m.passes(e.rule, e.techniques, photo.Width, photo.Height) {
		seen, err := e.method.read(photo, p.width, p.height)
		must(err)
		for _, r := range p.windows {
			part, err := imaging.Crop(seen, r.X, r.Y, r.Width, r.Height)
			must(err)
			list = append(list, normalized{imaging.Normalize(part, mean, std), r.Height, r.Width})
		}
	}
	return list
}
