package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
)

// Record is a line of a done-log: a photo that is done, or why it is not.
type Record struct {
	Photo string `json:"photo"`
	Name  string `json:"name"`
	// Error is why it failed; "" says that its results are there.
	Error string `json:"error,omitempty"`
	// End is where the output tar ended after it, in bytes.
	End int64 `json:"end,omitempty"`
}

// Log is the done-log of one worker: a JSON object a line, written once the results
// are where they belong. A line that a kill left half is cut off when it is opened
// again, and its photo done again.
type Log struct {
	file *os.File
	done map[[16]byte]struct{} // by name
	end  int64
}

// OpenLog opens or begins a done-log. Two runs that write one at the same time are
// not kept apart here: the caller locks.
func OpenLog(name string) (*Log, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	l := &Log{file: f, done: map[[16]byte]struct{}{}}
	if err := l.read(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

// read takes in what is done and cuts a half line off.
func (l *Log) read() error {
	r := bufio.NewReaderSize(l.file, 1<<16)
	whole := int64(0)
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			break // also of a half line
		}
		if err != nil {
			return err
		}
		var rec Record
		if err := json.Unmarshal(line, &rec); err != nil {
			return fmt.Errorf("%w: at byte %d: %w: remove the log to begin anew", ErrList, whole, err)
		}
		whole += int64(len(line))
		if rec.Error == "" {
			l.done[keyOf(rec.Name)] = struct{}{}
		}
		l.end = max(l.end, rec.End)
	}
	if err := l.file.Truncate(whole); err != nil {
		return err
	}
	_, err := l.file.Seek(whole, io.SeekStart)
	return err
}

// readLine reads a whole line with its end, of bounded length.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > limits.LogLine {
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrList, limits.LogLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// Done tells whether a photo's results are there.
func (l *Log) Done(name string) bool {
	_, ok := l.done[keyOf(name)]
	return ok
}

// Count is how many photos are done.
func (l *Log) Count() int { return len(l.done) }

// End is where the output tar ended after the last photo.
func (l *Log) End() int64 { return l.end }

// Add writes a record, in one piece.
func (l *Log) Add(r Record) error {
	const most = 4096 // of an error's text: a line stays far below its limit
	if len(r.Error) > most {
		r.Error = strings.ToValidUTF8(r.Error[:most], "") + "…"
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(append(bytes.TrimSpace(line), '\n')); err != nil {
		return fmt.Errorf("done-log: %w", err)
	}
	if r.Error == "" {
		l.done[keyOf(r.Name)] = struct{}{}
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }
