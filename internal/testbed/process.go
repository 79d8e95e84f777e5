// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/logseal/logseal/internal/testport"
)

// Collector describes a collector process. The same description can be started again after a stop: it then finds the
// state that the former process left.
type Collector struct {
	Name   string            // names its files in Dir
	Binary string            // path of otelcol-logseal
	Config []byte            // one of the shipped configurations
	Dir    string            // gets NAME.yaml and NAME.log
	Env    map[string]string // the LOGSEAL_ variables of the configuration
	Args   []string          // after --config

	HealthPort, MetricsPort int
}

// Process is a running collector.
type Process struct {
	Collector
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts the process and returns when it runs, by its health check, or with the end of its log when it does not.
func (c Collector) Start(ctx context.Context) (*Process, error) {
	config := filepath.Join(c.Dir, c.Name+".yaml")
	if err := os.WriteFile(config, c.Config, 0o600); err != nil {
		return nil, err
	}
	logFile, err := os.OpenFile(c.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()

	cmd := exec.Command(c.Binary, append([]string{"--config", config}, c.Args...)...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.Env = c.environ()
	// Should we be killed, no collector stays behind. A group of its own keeps a Ctrl-C at the terminal for us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{Collector: c, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := p.waitHealthy(ctx); err != nil {
		p.Kill()
		return nil, fmt.Errorf("%s did not start: %w\nthe end of %s:\n%s", c.Name, err, c.LogFile(), tail(c.LogFile(), 2000))
	}
	return p, nil
}

// LogFile is where the process writes its own log.
func (c Collector) LogFile() string { return filepath.Join(c.Dir, c.Name+".log") }

func (p *Process) waitHealthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	return Until(ctx, func() (bool, error) {
		select {
		case <-p.done:
			return false, fmt.Errorf("exited: %w", errors.Join(p.err, errors.New("before it was healthy")))
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+Loopback(p.HealthPort)+"/?pipeline=extensions", nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil // not listening yet
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

// Kill sends SIGKILL and waits.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Signal sends a signal and does not wait.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Stop sends SIGTERM and waits for the process's own exit; past the timeout it is killed, and that is an error.
func (p *Process) Stop(timeout time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-time.After(timeout):
		p.Kill()
		return fmt.Errorf("%s was still running %s after SIGTERM", p.Name, timeout)
	}
}

// Done is closed when the process has exited.
func (p *Process) Done() <-chan struct{} { return p.done }

// Written returns how many bytes the running process has written to files and sockets (wchar of proc(5)).
func (p *Process) Written() (n int64, err error) {
	counters, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(counters), "wchar: ")
	_, err = fmt.Sscan(rest, &n)
	return n, err
}

// Usage returns the CPU time and the peak resident set, in bytes, of an exited process and its children.
func (p *Process) Usage() (cpu time.Duration, maxRSS int64) {
	state := p.cmd.ProcessState
	rusage, _ := state.SysUsage().(*syscall.Rusage)
	return state.UserTime() + state.SystemTime(), rusage.Maxrss * 1024
}

// LogContains tells whether the process's log holds the text.
func (c Collector) LogContains(text string) bool {
	b, err := os.ReadFile(c.LogFile())
	return err == nil && bytes.Contains(b, []byte(text))
}

// FreePorts returns n ports of the loopback interface on which nothing listens. They are held while this process lives, for what listens
// on them is stopped and started again.
func FreePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		port, _, err := testport.Hold()
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// Loopback returns the loopback address with a port.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Until calls cond every 50 ms until it is true, fails, or ctx ends.
func Until(ctx context.Context, cond func() (bool, error)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := cond()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func tail(path string, n int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-n), io.SeekStart)
	}
	b, _ := io.ReadAll(f)
	return strings.TrimSpace(string(b))
}

// Metric returns the sum of a metric's series on the process's own metrics page, 0 when it has none yet; with labels, written as there
// (code="MISSING"), of the series that have them.
func (p *Process) Metric(ctx context.Context, name string, labels ...string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+Loopback(p.MetricsPort)+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	sum := 0.0
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		value := strings.LastIndexByte(line, ' ')
		if metric := line[:max(0, strings.IndexAny(line, "{ "))]; value < 0 || metric != name {
			continue
		}
		if slices.ContainsFunc(labels, func(label string) bool { return !strings.Contains(line[:value], label) }) {
			continue
		}
		v, err := strconv.ParseFloat(line[value+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += v
	}
	return sum, lines.Err()
}
