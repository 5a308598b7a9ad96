// Command load asks a groupvit server for more than it can answer and says whether
// it holds: answers in time, the rest refused, memory flat, nothing lost at its end.
//
//	go run . --binary ../../groupvit --duration 3m
//
// It starts the server itself, on a free port of this machine, and prints what it
// measured. Exit code 1 says that a bar was missed.
package main

import (
	"flag"
	"fmt"
	"os"
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
	flag.IntVar(&o.connections, "connections", 10_000, "idle connections to hold open in the meantime")
	flag.StringVar(&o.args, "serve-args", "", "more flags for groupvit serve, separated by spaces")
	flag.Parse()
	missed, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
	for _, m := range missed {
		fmt.Println("MISSED:", m)
	}
	if len(missed) > 0 {
		os.Exit(1)
	}
	fmt.Println("all bars held")
}
