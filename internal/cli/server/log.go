package server

import (
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/cli/command"
)

// Levels and formats of the server's log.
var (
	logLevels  = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	logFormats = []string{"text", "json"}
)

// newLog makes the server's log.
func newLog(w io.Writer, level, format string) (*slog.Logger, error) {
	least, ok := logLevels[level]
	if !ok {
		return nil, command.Usagef("--log-level %q: choose debug, info, warn or error", level)
	}
	if !slices.Contains(logFormats, format) {
		return nil, command.Usagef("--log-format %q: choose %s", format, strings.Join(logFormats, " or "))
	}
	o := &slog.HandlerOptions{Level: least}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}
