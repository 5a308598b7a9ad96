package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
)

// linePause is how often progress is told where stderr is no terminal.
const linePause = 30 * time.Second

// progress is how far a piece of work is: a bar on a terminal, else a line now
// and then.
type progress struct {
	mutex sync.Mutex
	bar   *progressbar.ProgressBar // nil without a terminal
	say   func(done int)
	last  time.Time
}

// progress starts a bar of so many steps.
func (e *environment) progress(what string, steps int) *progress {
	p := &progress{last: time.Now(), say: func(done int) { e.warn("%s: %d of %d", what, done, steps) }}
	if e.terminal {
		p.bar = progressbar.NewOptions(steps,
			progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(e.stderr), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
		)
	}
	return p
}

// bytesProgress starts a bar of so many bytes.
func (e *environment) bytesProgress(what string, size int64) *progress {
	p := &progress{last: time.Now(), say: func(done int) {
		e.warn("%s: %s of %s", what, humanize.IBytes(uint64(done)), humanize.IBytes(uint64(size)))
	}}
	if e.terminal {
		p.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(e.stderr), progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
		)
	}
	return p
}

// set says how many steps are done.
func (p *progress) set(done int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case p.bar != nil:
		_ = p.bar.Set(done)
	case time.Since(p.last) >= linePause:
		p.last = time.Now()
		p.say(done)
	}
}

// done takes the bar away.
func (p *progress) done() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// clearLine takes away the line that stands on the terminal.
func (e *environment) clearLine() {
	if e.terminal {
		fmt.Fprint(e.stderr, "\r\x1b[K")
	}
}
