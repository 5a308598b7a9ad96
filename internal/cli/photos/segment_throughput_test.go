package photos

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/imaging"
)

// BenchmarkFolder says what of a folder run is computation: photos a second of a whole
// run to masks, of Segment alone on the same photos, already decoded, one after the
// other, and the first over the second. The two take turns.
//
//	GROUPVIT_FOLDER=VOC2012/JPEGImages GROUPVIT_FOLDER_PHOTOS=100 [GROUPVIT_FOLDER_MODEL=…] \
//	    [GROUPVIT_FOLDER_FORMAT=mask] go test ./internal/cli/photos -run - -bench Folder -benchtime 3x
func BenchmarkFolder(b *testing.B) {
	folder := os.Getenv("GROUPVIT_FOLDER")
	if folder == "" {
		b.Skip("GROUPVIT_FOLDER names no folder of photos")
	}
	env := &command.Environment{Stdout: io.Discard, Stderr: io.Discard}
	items, err := env.PhotoItems(b.Context(), []string{folder})
	if err != nil {
		b.Fatal(err)
	}
	if n, err := strconv.Atoi(os.Getenv("GROUPVIT_FOLDER_PHOTOS")); err == nil && n < len(items) {
		items = items[:n]
	}
	job := &segmentJob{turns: make(chan struct{}, computedAtOnce), env: env, labels: strings.Split("person,dog,car,grass,sky", ",")}
	formatNames := os.Getenv("GROUPVIT_FOLDER_FORMAT")
	if formatNames == "" {
		formatNames = "mask"
	}
	if job.files, err = parseFormats(formatNames); err != nil {
		b.Fatal(err)
	}
	job.options.Quality = groupvit.Quality(os.Getenv("GROUPVIT_FOLDER_QUALITY"))
	name := os.Getenv("GROUPVIT_FOLDER_MODEL")
	if name == "" {
		name = groupvit.DefaultModel
	}
	if job.model, err = groupvit.Open(b.Context(), name, nil); err != nil {
		b.Fatal(err)
	}
	defer job.model.Close()
	decoded := make([]*imaging.Image, len(items))
	run := &photosRun{segmentJob: job, out: b.TempDir(), items: items}
	for i := range items {
		if decoded[i], err = env.ReadPhoto(b.Context(), items[i].File); err != nil {
			b.Fatal(err)
		}
		items[i].Name = strconv.Itoa(i)
		if _, err := job.model.Segment(b.Context(), decoded[i], job.labels, &job.options); err != nil { // compiles its size
			b.Fatal(err)
		}
	}
	var alone, whole time.Duration
	for b.Loop() {
		runtime.GC()
		start := time.Now()
		for _, p := range decoded {
			if _, err := job.model.Segment(b.Context(), p, job.labels, &job.options); err != nil {
				b.Fatal(err)
			}
		}
		alone += time.Since(start)
		runtime.GC()
		start = time.Now()
		if err := run.all(b.Context()); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(start)
	}
	count := float64(len(items) * b.N)
	b.ReportMetric(count/whole.Seconds(), "photos/s")
	b.ReportMetric(count/alone.Seconds(), "alone/s")
	b.ReportMetric(alone.Seconds()/whole.Seconds(), "share")
	b.ReportMetric(0, "ns/op")
}
