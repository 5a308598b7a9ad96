package cli

import (
	"sync"

	"github.com/schollz/progressbar/v3"
)

// progress is how far a piece of work is: a bar on a terminal, else nothing.
// A nil *progress is none.
type progress struct {
	mutex sync.Mutex
	bar   *progressbar.ProgressBar
}

// progress starts a bar of so many steps.
func (e *environment) progress(what string, steps int) *progress {
	if !e.terminal {
		return nil
	}
	return &progress{bar: progressbar.NewOptions(steps,
		progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(e.stderr), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100_000_000),
	)}
}

// set says how many steps are done.
func (p *progress) set(done int) {
	if p == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	_ = p.bar.Set(done)
}

// done takes the bar away.
func (p *progress) done() {
	if p == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	_ = p.bar.Clear()
}
