package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/groupvit/groupvit/internal/engine"
)

var (
	// ErrUsage is wrapped by errors about flags and arguments: exit code 2.
	ErrUsage = errors.New("wrong usage")
	// ErrPartial is wrapped where a part of a batch failed: exit code 3.
	ErrPartial = errors.New("part of the work failed")
)

// Usagef makes an error of exit code 2.
func Usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUsage, fmt.Errorf(format, args...))
}

// Environment is what every command shares: where it reads and writes, and the
// flags that all commands have.
type Environment struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Terminal says that stderr is a terminal: progress bars are welcome.
	Terminal bool
	// Quiet leaves out what is neither a result nor a warning: --quiet.
	Quiet bool
	// JSON says that results go to stdout as one JSON object a line.
	JSON bool
	// Engine says what computes.
	Engine engine.Options
	// MaxPixels is the largest photo that is read, in pixels: --max-pixels. 0 is
	// [limits.ImagePixels] for commands without it.
	MaxPixels int64
	// Version is the program's.
	Version string
	// Started is set once flags and arguments have been understood.
	Started bool
}

// Print writes a result as one line of JSON to stdout.
func (e *Environment) Print(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = e.Stdout.Write(append(b, '\n'))
	return err
}

// Warn writes a line to stderr.
func (e *Environment) Warn(format string, args ...any) {
	fmt.Fprintf(e.Stderr, format+"\n", args...)
}

// Say writes a line about the course of things to stderr, unless that is to be quiet.
func (e *Environment) Say(format string, args ...any) {
	if !e.Quiet {
		e.Warn(format, args...)
	}
}

func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
