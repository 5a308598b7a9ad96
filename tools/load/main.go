// Command load asks a groupvit server for more than it can answer and says whether
// it holds: answers in time, the rest refused, memory flat, clients that misbehave
// sent away, nothing lost at its end.
//
//	go run . --binary ../../groupvit --duration 3m --report load
//
// It starts the server itself, on a free port of this machine, prints what it
// measures as it goes, and writes load.json and load.md, again each minute. Ctrl-C or
// SIGTERM ends the overload early; what was measured until then is judged and
// written. Exit code 1 says that a bar was missed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o settings
	flag.StringVar(&o.binary, "binary", "groupvit", "the groupvit program")
	flag.StringVar(&o.photo, "photo", "../../examples/photos/cat.jpg", "photo to ask about")
	flag.StringVar(&o.labels, "labels", "cat,sofa,window", "labels to ask for")
	flag.StringVar(&o.quality, "quality", "", "quality to ask for")
	flag.DurationVar(&o.duration, "duration", 3*time.Minute, "how long the overload lasts")
	flag.Float64Var(&o.factor, "factor", 10, "how many times the capacity is asked for")
	flag.IntVar(&o.connections, "connections", 10_000, "connections to hold open in the meantime, each silent after one answer")
	flag.IntVar(&o.guests, "guests", 4, "of each kind of client that misbehaves, how many at a time; 0 for none")
	flag.StringVar(&o.args, "serve-args", "", "more flags for groupvit serve, separated by spaces")
	flag.StringVar(&o.report, "report", "", "write NAME.json and NAME.md")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
	for _, m := range r.Missed {
		fmt.Println("MISSED:", m)
	}
	if len(r.Missed) > 0 {
		os.Exit(1)
	}
	fmt.Println("all bars held")
}
