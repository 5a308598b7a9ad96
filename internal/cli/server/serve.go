package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/netutil"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/serve"
)

type serveFlags struct {
	model, listen, tokenFile string
	logLevel, logFormat      string
	drain                    time.Duration
	verbose                  bool
	options                  serve.Options
}

func NewServeCommand(env *command.Environment) *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve an HTTP API and a web demo",
		Long: `Serve an HTTP API, described at /openapi.yaml, a web demo at /, metrics for Prometheus
at /metrics, and the routes of a Label Studio ML backend.

It listens on this machine alone unless --listen says otherwise; others should
then need a token, from --token-file or $GROUPVIT_TOKEN. Requests are bounded in
bytes, pixels, labels and time. Nothing that a request names is fetched (but from
the one Label Studio of --label-studio), and no model is loaded over HTTP.

A burst of requests waits its turn, --queue at most, and is answered in the order in
which it came. A request is refused with status 429 and a Retry-After header where the
queue is full or its turn would not come within --timeout. Where refusals go on for a
second and more, it is overload: the newest are answered in time, and those that have
waited longer than --wait are refused too, until it is over.

Pages of other sites may use the API where --allow-origin names them. On an address of
this machine alone, requests for another host than localhost are refused unless there is
a token or --allow-host names the host.

Every flag may be set in the environment as well: --max-images as $GROUPVIT_MAX_IMAGES.
Each request has a line in the log, with an ID that its answer has as X-Request-Id.

SIGTERM and Ctrl-C end it: /readyz answers 503, requests that came are answered,
then it exits. A second Ctrl-C ends it at once.`,
		Example: `  groupvit serve
  # then open http://127.0.0.1:8080, or ask:
  curl -F image=@cat.jpg -F labels="cat,sofa" http://127.0.0.1:8080/v1/segment
  curl -F image=@cat.jpg -F labels=cat -F formats=overlay -H 'Accept: image/png' \
    http://127.0.0.1:8080/v1/segment -o cat.png

  # Encode once, ask often
  curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg' http://127.0.0.1:8080/v1/images

  # For others, with a token
  GROUPVIT_TOKEN=$(openssl rand -hex 16) groupvit serve --listen :8080

  # As the ML backend of a Label Studio on this machine
  groupvit serve --listen 127.0.0.1:9090 --label-studio http://localhost:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, env) },
	}
	command.ModelFlag(cmd, &f.model)
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address and port; port 0 takes a free one")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the token that requests must carry (default $GROUPVIT_TOKEN, else none)")
	flags.DurationVar(&f.drain, "drain", time.Second, "how long /readyz answers 503 before the server stops listening")
	flags.StringVar(&f.logLevel, "log-level", "info", "least level of the log: debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "text", "format of the log: text or json")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "log health checks too; the same as --log-level debug")
	o := &f.options
	flags.StringSliceVar(&o.Origins, "allow-origin", nil, "pages of other sites that may use the API, as https://app.example.com; a part of the host or the port may be *; repeatable")
	flags.StringSliceVar(&o.Hosts, "allow-host", nil, "further names of this server on an address of this machine alone, as a proxy's; * is any; repeatable")
	flags.IntVar(&o.Workers, "workers", 0, "requests computed at a time; 0 means half the number of processors")
	flags.IntVar(&o.Queue, "queue", limits.ServeQueue, "requests that may wait")
	flags.DurationVar(&o.Wait, "wait", 0, "how long a request may wait under lasting overload; 0 means half of what an answer takes")
	flags.DurationVar(&o.Timeout, "timeout", limits.ServeSeconds*time.Second, "how long a request may take, waiting included")
	flags.Int64Var(&o.ImageBytes, "max-image-bytes", limits.ServeImageBytes, "largest photo, in bytes of its file")
	flags.Int64Var(&o.ImagePixels, "max-image-pixels", limits.ImagePixels, "largest photo, in pixels")
	flags.IntVar(&o.Images, "max-images", limits.ServeImages, "photos of one request")
	flags.IntVar(&o.Labels, "max-labels", limits.Labels, "labels of one request")
	flags.Int64Var(&o.HandleBytes, "cache-bytes", limits.ServeHandles, "memory for photos encoded by /v1/images")
	flags.StringVar(&o.LabelStudio, "label-studio", "", "the Label Studio whose photos may be fetched, as http://localhost:8080 (its token in $LABEL_STUDIO_TOKEN)")
	return cmd
}

func (f *serveFlags) run(cmd *cobra.Command, env *command.Environment) error {
	if err := flagsFromEnv(cmd); err != nil {
		return err
	}
	if err := f.secrets(); err != nil {
		return err
	}
	if f.verbose {
		f.logLevel = "debug"
	}
	var err error
	if f.options.Log, err = newLog(env.Stderr, f.logLevel, f.logFormat); err != nil {
		return err
	}
	f.options.Version = env.Version
	model, err := env.Open(cmd, f.model)
	if err != nil {
		return err
	}
	defer model.Close()
	// One thread of Go's would let connections wait for whatever is computed, 10 ms at a
	// time; the system shares a processor better.
	if runtime.GOMAXPROCS(0) == 1 && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2)
	}
	handler, err := serve.New(model, &f.options)
	if errors.Is(err, groupvit.ErrOption) {
		return command.Usagef("%w", err)
	}
	if err != nil {
		return err
	}
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // which knows no filters, that refuseNew needs
	listener, err := plain.Listen(cmd.Context(), "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", f.listen, err)
	}
	env.Warn("groupvit: model %s on engine %s; open http://%s", f.model, model.Engine(), listener.Addr())
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); f.options.Token == "" && !net.ParseIP(host).IsLoopback() {
		env.Warn("groupvit: note: no token set: anyone who can reach %s can use it; $GROUPVIT_TOKEN sets one", listener.Addr())
	}
	return f.serve(cmd.Context(), listener, handler)
}

// secrets reads what is not for a command line, which others can see.
func (f *serveFlags) secrets() error {
	f.options.Token = os.Getenv("GROUPVIT_TOKEN")
	f.options.LabelStudioToken = os.Getenv("LABEL_STUDIO_TOKEN")
	if f.tokenFile == "" {
		return nil
	}
	b, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return command.Usagef("--token-file: %w", err)
	}
	if f.options.Token = strings.TrimSpace(string(b)); f.options.Token == "" {
		return command.Usagef("--token-file %s: it is empty", f.tokenFile)
	}
	return nil
}

// endPause is the time between the last question that is taken and the end of
// listening.
const endPause = 300 * time.Millisecond

// serve answers until ctx ends, and then what has been asked.
func (f *serveFlags) serve(ctx context.Context, listener net.Listener, handler *serve.Server) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: limits.ServeStallSeconds * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    limits.ServeHeaderBytes,
		ErrorLog:          slog.NewLogLogger(f.options.Log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(netutil.LimitListener(listener, limits.ServeConnections)) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	handler.Drain()
	time.Sleep(f.drain)
	handler.End()
	time.Sleep(endPause)
	awaitAccepted(listener)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.options.Timeout+limits.ServeStallSeconds*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		return fmt.Errorf("some requests were not answered in time: %w", err)
	}
	return nil
}
