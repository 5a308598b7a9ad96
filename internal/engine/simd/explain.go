package simd

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// explainEnv is an environment variable for who works on this package: after that many executions of an executable,
// the time that each kind of step took goes to stderr.
const explainEnv = "GROUPVIT_SIMD_EXPLAIN"

var explainAfter, _ = strconv.Atoi(os.Getenv(explainEnv))

// explanation counts the time of an executable's steps.
type explanation struct {
	mutex sync.Mutex
	runs  int
	spent []time.Duration // by step
}

// run does the steps and takes the time.
func (x *explanation) run(e *Executable, f *frame) error {
	spent := make([]time.Duration, len(e.steps))
	for i := range e.steps {
		began := time.Now()
		if err := e.steps[i].run(f); err != nil {
			return err
		}
		spent[i] = time.Since(began)
	}
	x.mutex.Lock()
	defer x.mutex.Unlock()
	if x.runs++; x.runs == 1 {
		x.spent = spent // the smallest of each step: others may have been interrupted
		if p := &e.backend.profile; p.on.Load() {
			p.add(e)
		}
	}
	for i, d := range spent {
		x.spent[i] = min(x.spent[i], d)
	}
	if x.runs == explainAfter {
		x.print(os.Stderr, e)
	}
	return nil
}

func (x *explanation) print(w io.Writer, e *Executable) {
	type row struct {
		name  string
		count int
		spent time.Duration
	}
	rows := map[string]*row{}
	var all time.Duration
	for i, s := range e.steps {
		r := rows[s.name]
		if r == nil {
			r = &row{name: s.name}
			rows[s.name] = r
		}
		r.count++
		r.spent += x.spent[i]
		all += x.spent[i]
	}
	var list []*row
	for _, r := range rows {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *row) int { return int(b.spent - a.spent) })
	fmt.Fprintf(w, "%q: %d steps, %v, arena %d KB\n", e.name, len(e.steps), all, e.bytes>>10)
	for _, r := range list {
		fmt.Fprintf(w, "%10v %5d  %.200s\n", r.spent, r.count, r.name)
	}
}
