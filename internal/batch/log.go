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
	"unicode/utf8"

	"github.com/groupvit/groupvit/internal/limits"
)

// Record is a line of a done-log: a photo that is done, or why it is not.
type Record struct {
	Photo string `json:"photo"`
	Name  string `json:"name"`
	// ID is [Item.ID] where that is not Photo.
	ID string `json:"id,omitempty"`
	// Stamp is [Item.Stamp].
	Stamp string `json:"stamp,omitempty"`
	// Error is why it failed; "" says that its results are there.
	Error string `json:"error,omitempty"`
	// End is where the output tar ended after it, in bytes.
	End int64 `json:"end,omitempty"`
	// IDBytes and NameBytes are ID and Name where those are no UTF-8, which JSON cannot
	// hold.
	IDBytes   []byte `json:"id_bytes,omitempty"`
	NameBytes []byte `json:"name_bytes,omitempty"`
}

// RecordOf makes the record of an item.
func RecordOf(item Item) Record {
	r := Record{Photo: item.Photo, Name: item.Name, Stamp: item.Stamp}
	if item.ID != item.Photo {
		r.ID = item.ID
	}
	if !utf8.ValidString(item.ID) {
		r.IDBytes = []byte(item.ID)
	}
	if !utf8.ValidString(item.Name) {
		r.NameBytes = []byte(item.Name)
	}
	return r
}

// id is what the photo is known by.
func (r *Record) id() string {
	switch {
	case r.IDBytes != nil:
		return string(r.IDBytes)
	case r.ID != "":
		return r.ID
	}
	return r.Photo
}

// name is what its results are called.
func (r *Record) name() string {
	if r.NameBytes != nil {
		return string(r.NameBytes)
	}
	return r.Name
}

// Log is the done-log of one worker: a JSON object a line, written once the results
// are where they belong. A line that a kill left half is cut off when it is opened
// again, and its photo done again. Its first line holds the hash of the settings.
type Log struct {
	file *os.File
	hash string
	done map[key]entry // by name
	end  int64
}

// entry is a photo that is done: what it is known by, and the hash of its stamp (zero
// where it has none).
type entry struct{ id, stamp key }

// head is the first line of a log.
type head struct {
	Settings string `json:"settings_sha256"`
}

// OpenLog opens or begins a done-log; with overwrite it begins it anew. One that is
// there must be of the same settings, or the error wraps [ErrOtherSettings]. Two runs
// that write one at the same time are not kept apart here: the caller locks.
func OpenLog(name string, settings Settings, overwrite bool) (*Log, error) {
	flags := os.O_RDWR | os.O_CREATE
	if overwrite {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		return nil, err
	}
	l := &Log{file: f, hash: settings.hash(), done: map[key]entry{}}
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
		if err := l.take(line, whole == 0); err != nil {
			return fmt.Errorf("at byte %d: %w", whole, err)
		}
		whole += int64(len(line))
	}
	if err := l.file.Truncate(whole); err != nil {
		return err
	}
	if _, err := l.file.Seek(whole, io.SeekStart); err != nil || whole > 0 {
		return err
	}
	return l.write(head{l.hash})
}

// take takes in a line.
func (l *Log) take(line []byte, first bool) error {
	if first {
		var h head
		if err := json.Unmarshal(line, &h); err != nil {
			return fmt.Errorf("%w: %w; remove the log to start over", ErrList, err)
		}
		if h.Settings != l.hash {
			return fmt.Errorf("%w, or of an earlier version of this program", ErrOtherSettings)
		}
		return nil
	}
	var rec Record
	if err := json.Unmarshal(line, &rec); err != nil {
		return fmt.Errorf("%w: %w; remove the log to start over", ErrList, err)
	}
	if rec.Error == "" {
		l.add(&rec)
	}
	l.end = max(l.end, rec.End)
	return nil
}

func (l *Log) add(r *Record) {
	e := entry{id: keyOf(r.id())}
	if r.Stamp != "" {
		e.stamp = keyOf(r.Stamp)
	}
	l.done[nameKey(r.name())] = e
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

// State is what a log knows of a photo.
type State int

// The states.
const (
	// New says that the photo is to be done.
	New State = iota
	// Done says that its results are there.
	Done
	// Changed says that they are there, and that the photo is another one since.
	Changed
	// Taken says that the results of another photo have its name.
	Taken
)

// State returns what is known of a photo.
func (l *Log) State(item Item) State {
	e, known := l.done[nameKey(item.Name)]
	switch {
	case !known:
		return New
	case e.id != keyOf(item.ID):
		return Taken
	case item.Stamp != "" && e.stamp != (key{}) && e.stamp != keyOf(item.Stamp):
		return Changed
	}
	return Done
}

// owned reports whether a name belongs to a photo that is done; owner is which.
func (l *Log) owned(name string) bool {
	if l == nil {
		return false
	}
	_, ok := l.done[nameKey(name)]
	return ok
}

func (l *Log) owner(name string) key { return l.done[nameKey(name)].id }

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
	if err := l.write(r); err != nil {
		return err
	}
	if r.Error == "" {
		l.add(&r)
	}
	return nil
}

// write writes a line, in one piece.
func (l *Log) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(append(bytes.TrimSpace(line), '\n')); err != nil {
		return fmt.Errorf("done-log: %w", err)
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }
