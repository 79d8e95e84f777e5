// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// command is a process that stays in the foreground until SIGTERM.
type command struct {
	dir  string // gets daemon.log
	path string
	args []string
	env  []string // on top of ours
}

// daemon is a command that runs.
type daemon struct {
	command
	cmd     *exec.Cmd
	started time.Time
	done    chan struct{}
	err     error // of the process, once done is closed
}

func (c command) start() (*daemon, error) {
	log, err := os.Create(c.logFile())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, log, log
	cmd.Env = append(os.Environ(), c.env...)
	// As testbed's collectors: none stays behind, and a Ctrl-C at the terminal is ours.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	d := &daemon{command: c, cmd: cmd, started: time.Now(), done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		d.err = cmd.Wait()
		close(d.done)
	}()
	return d, nil
}

func (c command) logFile() string { return filepath.Join(c.dir, "daemon.log") }

// output is the end of what the process has written.
func (c command) output() string {
	b, err := os.ReadFile(c.logFile())
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// stop sends SIGTERM, waits for the process's own exit and returns what it and its children took.
func (d *daemon) stop(timeout time.Duration) (sample, error) {
	rss, err := d.peakRSS()
	if err != nil {
		return sample{}, err
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(timeout):
		return sample{}, fmt.Errorf("still running %s after SIGTERM", timeout)
	}
	state := d.cmd.ProcessState
	return sample{cpu: state.UserTime() + state.SystemTime(), rss: rss}, d.err
}

// peakRSS is the peak of the process's resident memory. The one in an exited process's rusage begins at ours: until exec
// the child has our memory, which is more than rsyslog ever takes.
func (d *daemon) peakRSS() (int64, error) {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(d.cmd.Process.Pid), "status"))
	if err != nil {
		return 0, err
	}
	return parsePeakRSS(status)
}

// parsePeakRSS finds VmHWM in /proc/PID/status and returns it in bytes.
func parsePeakRSS(status []byte) (int64, error) {
	for line := range bytes.Lines(status) {
		var kib int64
		if _, err := fmt.Sscanf(string(line), "VmHWM: %d kB", &kib); err == nil {
			return kib << 10, nil
		}
	}
	return 0, errors.New("no VmHWM in the process's status")
}

// kill ends the process if it is still there, and waits.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill()
	<-d.done
}
