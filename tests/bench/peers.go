// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/logseal/logseal/internal/testbed"
)

// peer is one way to bring a file's lines to another place. The first of the list is what the others are compared with.
type peer struct {
	name string
	// share is how much of the heavy load it reads: one line of so many. What is slow need not take the most time.
	share int
	// absent says how to install what is missing, or nothing.
	absent func(options) string
	// prepare makes the configuration of a process that reads input, and the sink that it delivers to.
	prepare func(o options, site *testbed.Site, input string) (command, sink, error)
}

var peers = []peer{
	{"logseal agent", 1, func(options) string { return "" }, prepareAgent},
	{"the build before", 1, beforeAbsent, prepareBefore},
	{"splunk_hec", 1, func(options) string { return "" }, prepareHEC},
	{"syslog", 1, func(options) string { return "" }, prepareSyslog},
	{"otlp_grpc", 1, func(options) string { return "" }, prepareStock},
	{"rsyslog", 1, rsyslogAbsent, prepareRsyslog},
	{"rsyslog on disk", 3, rsyslogAbsent, prepareRsyslogDisk},
	{"syslog-ng", 1, syslogNGAbsent, prepareSyslogNG},
	{"syslog-ng slog", 10, syslogNGAbsent, prepareSlog},
}

// cost is what a peer's run took.
type cost struct {
	sample
	lines int
	wall  time.Duration // until everything had arrived
	bytes int64         // that arrived
}

// peerRun is a peer at work.
type peerRun struct {
	daemon *daemon
	sink   sink
	dir    string
}

func startPeer(o options, p peer, input string) (r peerRun, err error) {
	if r.dir, err = os.MkdirTemp(o.dir, "peer-"); err != nil {
		return r, err
	}
	site, err := testbed.NewSite(r.dir, o.collector)
	if err != nil {
		return r, err
	}
	c, sink, err := p.prepare(o, site, input)
	if err != nil {
		return r, err
	}
	if r.daemon, err = c.start(); err != nil {
		return r, errors.Join(err, sink.Close())
	}
	r.sink = sink
	return r, nil
}

// finish waits until all lines have arrived, ends the process and returns what it cost. Its folder goes with it: a later
// run is not to pay for writing it back.
func (r peerRun) finish(ctx context.Context, lines int) (c cost, err error) {
	c.lines = lines
	defer func() {
		r.daemon.kill()
		err = errors.Join(err, r.sink.Close())
		if err == nil {
			err = os.RemoveAll(r.dir)
		}
	}()
	waiting, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	arrived := int64(0)
	err = testbed.Until(waiting, func() (bool, error) {
		select {
		case <-r.daemon.done:
			return false, errors.New("the process ended early")
		default:
		}
		var err error
		arrived, err = r.sink.lines()
		return arrived >= int64(lines), err
	})
	c.wall = time.Since(r.daemon.started)
	if err != nil {
		return c, fmt.Errorf("%d of %d lines arrived: %w\n%s", arrived, lines, err, r.daemon.output())
	}
	if c.sample, err = r.daemon.stop(time.Minute); err != nil {
		return c, fmt.Errorf("%w\n%s", err, r.daemon.output())
	}
	if arrived, err = r.sink.lines(); err == nil && arrived != int64(lines) {
		err = fmt.Errorf("%d lines arrived of %d", arrived, lines)
	}
	c.bytes = r.sink.bytes()
	return c, err
}

// presentPeers are the agent, and those that are asked for and are there.
func presentPeers(o options) (present []peer, err error) {
	var only []string
	if o.only != "" {
		only = strings.Split(o.only, ",")
	}
	for _, name := range only {
		if !slices.ContainsFunc(peers, func(p peer) bool { return p.name == name }) {
			return nil, fmt.Errorf("-only: there is no peer %q", name)
		}
	}
	for i, p := range peers {
		if i > 0 && only != nil && !slices.Contains(only, p.name) {
			continue
		}
		if hint := p.absent(o); hint != "" {
			fmt.Printf("  %s is left out: %s\n", p.name, hint)
			continue
		}
		present = append(present, p)
	}
	return present, nil
}

// measurePeers has all peers that are there read the same new input, round after round, and prints their table. Every
// round begins with another peer.
func measurePeers(ctx context.Context, o options) error {
	present, err := presentPeers(o)
	if err != nil {
		return err
	}
	costs := make([][]cost, len(present))
	for round := range o.pairs {
		seed := uint64(time.Now().UnixNano())
		for i := range present {
			which := (i + round) % len(present)
			progress("round %d of %d: %s", round+1, o.pairs, present[which].name)
			got, err := heavyPeer(ctx, o, present[which], seed)
			if err != nil {
				return fmt.Errorf("%s: %w", present[which].name, err)
			}
			costs[which] = append(costs[which], got)
		}
	}
	progress("")
	printPeers(present, "as fast as it goes", costs)
	if o.light <= 0 {
		return nil
	}
	progress("light load: 50 lines/s for %s, all at the same time", o.light)
	if costs, err = lightPeers(ctx, o, present); err != nil {
		return fmt.Errorf("light load: %w", err)
	}
	progress("")
	printPeers(present, fmt.Sprintf("50 lines/s for %s", o.light), costs)
	return nil
}

// heavyPeer has a peer read its share of the lines that the seed stands for, in a new file.
func heavyPeer(ctx context.Context, o options, p peer, seed uint64) (cost, error) {
	input := filepath.Join(o.dir, "input.log")
	if err := writeAccessLog(input, o.lines/p.share, seed); err != nil {
		return cost{}, err
	}
	r, err := startPeer(o, p, input)
	if err != nil {
		return cost{}, err
	}
	return r.finish(ctx, o.lines/p.share)
}

// lightPeers has all peers follow a file that grows by 50 lines a second, at the same time.
func lightPeers(ctx context.Context, o options, present []peer) (costs [][]cost, err error) {
	input := filepath.Join(o.dir, "light.log")
	f, err := os.Create(input)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	runs := make([]peerRun, len(present))
	for i, p := range present {
		if runs[i], err = startPeer(o, p, input); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		defer runs[i].daemon.kill()
	}
	lines, err := writeSlowly(ctx, f, o.light)
	if err != nil {
		return nil, err
	}
	for i, r := range runs {
		got, err := r.finish(ctx, lines)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", present[i].name, err)
		}
		costs = append(costs, []cost{got})
	}
	return costs, nil
}

func printPeers(present []peer, load string, costs [][]cost) {
	fmt.Printf("  %-20s %8s %8s %9s  %-24s %7s %9s %11s\n", load, "lines", "CPU s", "µs/line", "times the first", "RSS MiB", "lines/s", "bytes/line")
	micros := func(c cost) float64 { return c.cpu.Seconds() * 1e6 / float64(c.lines) }
	for i, p := range present {
		times := make([]float64, len(costs[i]))
		for round, c := range costs[i] {
			times[round] = micros(c) / micros(costs[0][round])
		}
		slices.Sort(times)
		fmt.Printf("  %-20s %8d %8.2f %9.2f  %-24s %7.0f %9.0f %11.0f\n", p.name, costs[i][0].lines,
			median(costs[i], func(c cost) float64 { return c.cpu.Seconds() }),
			median(costs[i], micros),
			fmt.Sprintf("%.3f (%.3f to %.3f)", times[len(times)/2], times[0], times[len(times)-1]),
			median(costs[i], func(c cost) float64 { return float64(c.rss) / (1 << 20) }),
			median(costs[i], func(c cost) float64 { return float64(c.lines) / c.wall.Seconds() }),
			median(costs[i], func(c cost) float64 { return float64(c.bytes) / float64(c.lines) }))
	}
}

func beforeAbsent(o options) string {
	if o.before == "" {
		return "name a source tree of it with `-before DIR`, with its bin/ built"
	}
	return ""
}

// prepareBefore is the agent of an earlier source tree, as it was shipped.
func prepareBefore(o options, site *testbed.Site, input string) (command, sink, error) {
	shipped, err := os.ReadFile(filepath.Join(o.before, "distributions", "agent", "config.yaml"))
	if err != nil {
		return command{}, nil, err
	}
	site.Agent.Config = shipped
	o.collector = filepath.Join(o.before, "bin", "otelcol-logseal")
	return prepareAgent(o, site, input)
}

// prepareAgent is the agent as it is shipped.
func prepareAgent(o options, site *testbed.Site, input string) (command, sink, error) {
	sink, err := newOTLPSink(pki(site), nil)
	if err != nil {
		return command{}, nil, err
	}
	agent := site.Agent
	site.SetInclude(input)
	site.AgentToSIEM()
	agent.Env["LOGSEAL_SIEM_ENDPOINT"] = sink.Addr().String()
	config := filepath.Join(site.Dir, "agent.yaml")
	if err := os.WriteFile(config, agent.Config, 0o600); err != nil {
		return command{}, nil, errors.Join(err, sink.Close())
	}
	c := command{dir: site.Dir, path: o.collector, args: []string{"--config", config}, env: []string{
		"LOGSEAL_HEALTH_ENDPOINT=" + testbed.Loopback(agent.HealthPort), fmt.Sprint("LOGSEAL_METRICS_PORT=", agent.MetricsPort),
	}}
	for name, value := range agent.Env {
		c.env = append(c.env, name+"="+value)
	}
	return c, sink, nil
}

// stockOverlay takes redact, stamp and siem out of the shipped agent, and puts the stock exporter and storage in their place.
const stockOverlay = `
extensions:
  file_storage: {directory: "${env:LOGSEAL_STATE_DIR}", create_directory: true}
receivers:
  file_log: {storage: file_storage}
exporters:
` + otlpExporter + queue + `
service:
  extensions: [health_check, file_storage]
  pipelines: {logs: {processors: [memory_limiter, resource], exporters: [otlp_grpc]}}
`

// prepareStock is the agent without what is ours; gzip is gRPC's own only in a build before.
func prepareStock(o options, site *testbed.Site, input string) (command, sink, error) {
	prepare := prepareAgent
	if o.before != "" {
		prepare = prepareBefore
	}
	c, sink, err := prepare(o, site, input)
	if err != nil {
		return command{}, nil, err
	}
	overlay := strings.NewReplacer("@ENDPOINT@", site.Agent.Env["LOGSEAL_SIEM_ENDPOINT"], "@PKI@", pki(site)).
		Replace(fmt.Sprintf(stockOverlay, "gzip", onStock))
	c.args = append(c.args, "--config", "yaml:"+overlay)
	return c, sink, nil
}
