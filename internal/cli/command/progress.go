package command

import (
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
)

// LinePause is how often progress is told where stderr is no terminal.
const LinePause = 30 * time.Second

// Progress is how far a piece of work is: a bar on a terminal, else a line now
// and then.
type Progress struct {
	mutex sync.Mutex
	bar   *progressbar.ProgressBar // nil without a terminal
	say   func(done int)
	last  time.Time
}

// Progress starts a bar of so many steps.
func (e *Environment) Progress(what string, steps int) *Progress {
	p := &Progress{last: time.Now(), say: func(done int) { e.Warn("%s: %d of %d", what, done, steps) }}
	if e.Terminal {
		p.bar = progressbar.NewOptions(steps,
			progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(e.Stderr), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
		)
	}
	return p
}

// bytesProgress starts a bar of so many bytes.
func (e *Environment) bytesProgress(what string, size int64) *Progress {
	p := &Progress{last: time.Now(), say: func(done int) {
		e.Warn("%s: %s of %s", what, humanize.IBytes(uint64(done)), humanize.IBytes(uint64(size)))
	}}
	if e.Terminal {
		p.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(e.Stderr), progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
		)
	}
	return p
}

// Set says how many steps are done.
func (p *Progress) Set(done int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case p.bar != nil:
		_ = p.bar.Set(done)
	case time.Since(p.last) >= LinePause:
		p.last = time.Now()
		p.say(done)
	}
}

// Done takes the bar away.
func (p *Progress) Done() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// ClearLine takes away the line that stands on the terminal.
func (e *Environment) ClearLine() {
	if e.Terminal {
		fmt.Fprint(e.Stderr, "\r\x1b[K")
	}
}
