package serve

import (
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/serve/labelstudio"
)

// Options of [New]. nil and the zero value are the defaults; every cap may be
// lowered, and those on photos never raised above what the library reads.
type Options struct {
	// Token, if not empty, is what requests must carry: "Authorization: Bearer
	// TOKEN", or as the password of basic authentication. The page itself, the
	// health checks and the API's description need none.
	Token string
	// ImageBytes and ImagePixels are the largest photo, in bytes of its file
	// (32 MiB) and in pixels (50 million).
	ImageBytes, ImagePixels int64
	// BodyBytes is the largest request (64 MiB); Bodies is how much of all
	// requests and answers may be in memory (256 MiB).
	BodyBytes, Bodies int64
	// DecodePixels is how many pixels may be decoded at a time, over all requests
	// (100 million).
	DecodePixels int64
	// Images is the largest number of photos of a request (16), Labels that
	// of its labels (256).
	Images, Labels int
	// Workers is how many requests are worked on at a time (half as many as threads of
	// Go: each computes on all of them, and answers stay quick beside others), Queue
	// how many may wait (100).
	Workers, Queue int
	// Wait is how long a request may wait under lasting overload, that is, while
	// others are refused because the queue is full or their time too short. 0 is half
	// of what an answer takes, which keeps answers quick.
	Wait time.Duration
	// Timeout is how long a request may take (30 s), Stall how long its client may
	// send nothing (10 s).
	Timeout, Stall time.Duration
	// HandleBytes is what encoded photos may keep (256 MiB).
	HandleBytes int64
	// LabelStudio is the one address from which photos of Label Studio's
	// tasks are fetched, as "http://localhost:8080"; empty fetches none.
	LabelStudio string
	// LabelStudioToken is the access token for it: a personal access token (a JSON
	// Web Token, exchanged for short-lived ones) or a legacy token.
	LabelStudioToken string
	// Origins are the pages of other sites that may use the API from a browser (CORS),
	// as "https://app.example.com"; a part of the host or the port may be "*", and "*"
	// alone allows every page. None by default.
	Origins []string
	// Hosts are further names under which requests may come to an address of this
	// machine alone, as those of a proxy; "*" is any. Without a token all others than
	// localhost, numbers and the machine's own name are refused, so that no page can
	// reach the server by a name that leads here (DNS rebinding).
	Hosts []string
	// Log gets one line a request: at level error what failed, at warn what was refused
	// for want of room or time, at info the others, at debug health checks. nil is
	// silent.
	Log *slog.Logger
	// Version is the program's, for the metrics.
	Version string
	// Registry gets the metrics; nil makes one, with those of Go and the process.
	Registry *prometheus.Registry
}

func (o *Options) withDefaults() (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	for _, d := range []struct {
		name          string
		value         *int64
		standard, cap int64
	}{
		{"ImageBytes", &s.ImageBytes, limits.ServeImageBytes, limits.ImageBytes},
		{"ImagePixels", &s.ImagePixels, limits.ImagePixels, limits.ImagePixels},
		{"BodyBytes", &s.BodyBytes, limits.ServeBodyBytes, 0},
		{"Bodies", &s.Bodies, limits.ServeBodies, 0},
		{"DecodePixels", &s.DecodePixels, limits.ServePixels, 0},
		{"HandleBytes", &s.HandleBytes, limits.ServeHandles, 0},
	} {
		if err := fill(d.name, d.value, d.standard, d.cap); err != nil {
			return s, err
		}
	}
	for _, d := range []struct {
		name          string
		value         *int
		standard, cap int
	}{
		{"Images", &s.Images, limits.ServeImages, 0},
		{"Labels", &s.Labels, limits.Labels, limits.Labels},
		{"Workers", &s.Workers, max(1, runtime.GOMAXPROCS(0)/2), 0},
		{"Queue", &s.Queue, limits.ServeQueue, 0},
	} {
		if err := fill(d.name, d.value, d.standard, d.cap); err != nil {
			return s, err
		}
	}
	if err := fill("Timeout", &s.Timeout, limits.ServeSeconds*time.Second, 0); err != nil {
		return s, err
	}
	if s.Wait < 0 {
		return s, fmt.Errorf("%w: Wait is %v: give a positive time, or 0", groupvit.ErrOption, s.Wait)
	}
	if err := fill("Stall", &s.Stall, limits.ServeStallSeconds*time.Second, 0); err != nil {
		return s, err
	}
	s.DecodePixels = max(s.DecodePixels, s.ImagePixels) // else the largest would wait for ever
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if _, err := labelstudio.Origin(s.LabelStudio); s.LabelStudio != "" && err != nil {
		return s, err
	}
	return s, nil
}

// fill puts a default in the place of zero; a cap of 0 is none.
func fill[T int | int64 | time.Duration](name string, value *T, standard, most T) error {
	switch {
	case *value == 0:
		*value = standard
	case *value < 0:
		return fmt.Errorf("%w: %s is %v: give a positive number, or 0 for %v", groupvit.ErrOption, name, *value, standard)
	case most > 0 && *value > most:
		return fmt.Errorf("%w: %s is %v, the most is %v", groupvit.ErrOption, name, *value, most)
	}
	return nil
}
