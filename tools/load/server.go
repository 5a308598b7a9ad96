package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is a running server.
type program struct {
	cmd     *exec.Cmd
	address string
	ended   chan error
}

// start runs the server on a free port and waits until it is ready.
func start(binary, args string) (*program, error) {
	cmd := exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(args)...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for us
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &program{cmd: cmd, ended: make(chan error, 1)}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "open "); ok {
			p.address = strings.TrimSpace(address)
			break
		}
	}
	if p.address == "" {
		return nil, errors.New("the server did not start")
	}
	go func() {
		io.Copy(os.Stderr, out)
		p.ended <- cmd.Wait()
	}()
	for range 100 {
		if a, err := http.Get(p.address + "/readyz"); err == nil {
			a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, errors.New("the server is never ready")
}

// rss is the server's resident memory in MiB (Linux).
func (p *program) rss() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// metrics are those of the server without labels.
func (p *program) metrics() (map[string]float64, error) {
	a, err := client.Get(p.address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	m := map[string]float64{}
	lines := bufio.NewScanner(a.Body)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && name != "#" {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				m[name] = v
			}
		}
	}
	return m, lines.Err()
}

// end asks the server to end and waits for it.
func (p *program) end() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(60 * time.Second):
		p.cmd.Process.Kill()
		return errors.New("it did not end within a minute")
	}
}
