package groupvit

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/groupvit/groupvit/internal/imaging"
)

// BenchmarkWindows is the image tower alone on the windows of a folder's photos, cut
// out beforehand and computed in the batches in which Segment computes them: what a
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
	var batches [][]*pending
	windows := 0
	for _, n := range names {
		photo := windowsOf(b, m, n, &SegmentOptions{Quality: Quality(os.Getenv("GROUPVIT_FOLDER_QUALITY"))})
		windows += len(photo)
		batches = append(batches, inBatches(m, photo)...)
	}
	run := func() {
		for _, batch := range batches {
			for _, p := range batch {
				p.done, p.out = make(chan struct{}), nil
			}
			m.runBatch(batch)
			if batch[0].err != nil {
				b.Fatal(batch[0].err)
			}
		}
	}
	run() // compiles the sizes
	for b.Loop() {
		run()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(len(names))/seconds, "photos/s")
	b.ReportMetric(float64(windows)/seconds, "windows/s")
	b.ReportMetric(0, "ns/op")
}

// windowsOf are the windows of a photo as the image tower gets them.
func windowsOf(b *testing.B, m *Model, name string, o *SegmentOptions) []*pending {
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
	s, err := m.settings(o)
	must(err)
	rule, err := m.rule(&s)
	must(err)
	t, err := m.techniquesOf(&s)
	must(err)
	if s.Protocol != Best {
		t = Techniques{}
	}
	var list []*pending
	for _, g := range m.glances(rule, t, photo.Width, photo.Height) {
		seen, mean, std, err := m.prepare(photo, g.width, g.height, s.Protocol.reading())
		must(err)
		for _, r := range g.windows {
			part, err := imaging.Crop(seen, r.X, r.Y, r.Width, r.Height)
			must(err)
			list = append(list, &pending{pixels: imaging.Normalize(part, mean, std), height: r.Height, width: r.Width})
		}
	}
	return list
}

// inBatches puts windows of one size together, as many as are computed at a time.
func inBatches(m *Model, windows []*pending) (batches [][]*pending) {
	for len(windows) > 0 {
		own := windows[0]
		var batch []*pending
		for _, p := range windows {
			if p.height == own.height && p.width == own.width && len(batch) < m.batchSize(own.height, own.width) {
				batch = append(batch, p)
			}
		}
		for len(batch)&(len(batch)-1) != 0 { // a power of two, as pendings.take has it
			batch = batch[:len(batch)-1]
		}
		windows = slices.DeleteFunc(slices.Clone(windows), func(p *pending) bool { return slices.Contains(batch, p) })
		batches = append(batches, batch)
	}
	return batches
}
