// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/logseal/logseal/internal/testbed"
)

const (
	smallBacklogMiB = 128
	linesOfAFile    = 20_000
	accessLinesEach = 10 // one line of a backlog is so many of an access log, 1,570 bytes: filling 8 GiB is not to take an hour
	backlogTimeout  = 2 * time.Hour
)

// drained is what it took to deliver a backlog.
type drained struct {
	lines int
	bytes int64 // that waited
	wall  time.Duration
	cpu   time.Duration
	rss   [2]int64 // bytes, the most in the first and in the second half of the lines
}

func (d drained) rate() float64   { return float64(d.lines) / d.wall.Seconds() }
func (d drained) micros() float64 { return d.cpu.Seconds() * 1e6 / float64(d.lines) }

// measureBacklog fills the shipped agent's queue while the SIEM is away, and compares how fast it drains with how fast a small
// one does, before and after. The agent's memory and page cache are bounded, so that most of the large one comes from the disk.
func measureBacklog(ctx context.Context, o options) error {
	collector, bound, remove, err := bounded(o)
	if err != nil {
		return err
	}
	defer remove()
	o.collector = collector
	fmt.Printf("  memory and page cache of the agent: %s\n", bound)
	fmt.Printf("  %12s %10s %8s %10s %9s  %s\n", "MiB waiting", "lines", "s", "lines/s", "µs/line", "RSS MiB, first and second half")
	var runs []drained
	for _, mib := range []int64{smallBacklogMiB, o.backlogMiB, smallBacklogMiB} {
		d, err := drain(ctx, o, mib<<20)
		if err != nil {
			return fmt.Errorf("%d MiB: %w", mib, err)
		}
		progress("")
		fmt.Printf("  %12d %10d %8.1f %10.0f %9.2f  %d, %d\n", d.bytes>>20, d.lines, d.wall.Seconds(), d.rate(), d.micros(), d.rss[0]>>20, d.rss[1]>>20)
		runs = append(runs, d)
	}
	rate := (runs[0].rate() + runs[2].rate()) / 2
	micros := (runs[0].micros() + runs[2].micros()) / 2
	fmt.Printf("  the large one drains at %.2f times the rate of the small one, for %.2f times its CPU a line\n", runs[1].rate()/rate, runs[1].micros()/micros)
	return nil
}

// bounded returns a program that runs the collector in a memory cgroup, what that bounds, and what removes the group. Where
// none can be made, the collector runs without.
func bounded(o options) (program, bound string, remove func(), err error) {
	group, limit := "/sys/fs/cgroup/logseal-bench", "memory.max"
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil {
		group, limit = "/sys/fs/cgroup/memory/logseal-bench", "memory.limit_in_bytes" // version 1
	}
	err = os.Mkdir(group, 0o750)
	if err == nil || errors.Is(err, os.ErrExist) {
		err = os.WriteFile(filepath.Join(group, limit), []byte(strconv.Itoa(o.memoryMiB<<20)), 0o600)
	}
	if err != nil {
		return o.collector, fmt.Sprintf("not bounded, this needs root and the memory controller (%v)", err), func() {}, nil
	}
	program = filepath.Join(o.dir, "bounded-collector")
	script := fmt.Sprintf("#!/bin/sh\necho $$ > %s/cgroup.procs || exit 1\nexec %s \"$@\"\n", group, o.collector)
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil { //nolint:gosec // it is executed
		return "", "", nil, err
	}
	return program, fmt.Sprintf("%d MiB (%s)", o.memoryMiB, group), func() { _ = os.Remove(group) }, nil
}

// drain fills a queue with so many bytes, starts the SIEM and waits until all has arrived.
func drain(ctx context.Context, o options, size int64) (d drained, err error) {
	ctx, cancel := context.WithTimeout(ctx, backlogTimeout)
	defer cancel()
	dir, err := os.MkdirTemp(o.dir, "backlog-")
	if err != nil {
		return d, err
	}
	defer os.RemoveAll(dir)
	site, err := testbed.NewSite(dir, o.collector)
	if err != nil {
		return d, err
	}
	sink, err := newOTLPSink(pki(site), nil)
	if err != nil {
		return d, err
	}
	defer sink.Close()
	site.SetInclude(filepath.Join(dir, "in-*.log"))
	site.AgentToSIEM()
	agent := site.Agent
	agent.Args = []string{"--config", fmt.Sprintf("yaml:exporters::siem::sending_queue: {queue_size: %d}", 2*size)}
	if d.lines, d.bytes, err = fill(ctx, agent, size); err != nil {
		return d, fmt.Errorf("fill the queue: %w", err)
	}

	agent.Env["LOGSEAL_SIEM_ENDPOINT"] = sink.Addr().String()
	process, err := agent.Start(ctx)
	if err != nil {
		return d, err
	}
	begun := time.Now()
	err = testbed.Until(ctx, func() (bool, error) {
		rss, err := process.Metric(ctx, "otelcol_process_memory_rss")
		if err != nil {
			return false, fmt.Errorf("%w; see %s", err, agent.LogFile())
		}
		lines, err := sink.lines()
		if lines == 0 {
			begun = time.Now()
		}
		half := min(1, 2*lines/int64(d.lines))
		d.rss[half] = max(d.rss[half], int64(rss))
		progress("%d MiB: %d of %d lines delivered", d.bytes>>20, lines, d.lines)
		return lines >= int64(d.lines), err
	})
	d.wall = time.Since(begun)
	if err != nil {
		process.Kill()
		return d, err
	}
	if err := process.Stop(time.Minute); err != nil {
		return d, err
	}
	d.cpu, _ = process.Usage()
	if lines, _ := sink.lines(); lines != int64(d.lines) {
		return d, fmt.Errorf("%d lines arrived of %d", lines, d.lines)
	}
	return d, nil
}

// fill has the agent read files, one after the other, until its queue holds so many bytes. Nothing answers at its endpoint.
func fill(ctx context.Context, agent testbed.Collector, size int64) (lines int, waiting int64, err error) {
	content, err := longLines(linesOfAFile - 1)
	if err != nil {
		return 0, 0, err
	}
	agent.Env["LOGSEAL_SIEM_ENDPOINT"] = testbed.Loopback(1)
	process, err := agent.Start(ctx)
	if err != nil {
		return 0, 0, err
	}
	for n := 0; waiting < size; n++ {
		name := filepath.Join(agent.Dir, fmt.Sprintf("in-%d.log", n))
		first := fmt.Sprintf("file %d begins as no other does\n", n) // files are told apart by their first bytes
		if err = os.WriteFile(name, append([]byte(first), content...), 0o600); err != nil {
			break
		}
		lines += linesOfAFile
		err = testbed.Until(ctx, func() (bool, error) {
			read, err := process.Metric(ctx, "otelcol_receiver_accepted_log_records")
			return int(read) >= lines, err
		})
		if err != nil {
			break
		}
		held, metricErr := process.Metric(ctx, "otelcol_exporter_queue_size")
		if err = errors.Join(metricErr, os.Remove(name)); err != nil {
			break
		}
		waiting = int64(held)
		progress("%d of %d MiB wait", waiting>>20, size>>20)
	}
	if err != nil {
		process.Kill()
		return lines, waiting, fmt.Errorf("%w; see %s", err, agent.LogFile())
	}
	return lines, waiting, process.Stop(time.Minute)
}

func longLines(n int) ([]byte, error) {
	var content bytes.Buffer
	for log := newAccessLog(uint64(time.Now().UnixNano())); log.n < n*accessLinesEach; {
		if err := log.writeLine(&content); err != nil {
			return nil, err
		}
		if log.n%accessLinesEach != 0 {
			content.Bytes()[content.Len()-1] = ' '
		}
	}
	return content.Bytes(), nil
}
