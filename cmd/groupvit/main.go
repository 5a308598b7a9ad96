// Command groupvit segments photos with any text labels, and trains, measures and
// shows the models that do it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/groupvit/groupvit/heif" // reads HEIC and AVIF
	"github.com/groupvit/groupvit/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	cli.LimitMemory()
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	os.Exit(code)
}
