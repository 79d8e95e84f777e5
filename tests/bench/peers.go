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
	// absent says how to install what is missing, or nothing.
	absent func(options) string
	// prepare makes the configuration of a process that reads input, and the sink that it delivers to.
	prepare func(o options, site *testbed.Site, input string) (command, sink, error)
}

var peers = []peer{
	{"logseal agent", func(options) string { return "" }, prepareAgent},
	{"otlp_grpc", func(options) string { return "" }, prepareStock},
	{"rsyslog", rsyslogAbsent, prepareRsyslog},
	{"syslog-ng", syslogNGAbsent, prepareSyslogNG},
	{"syslog-ng slog", syslogNGAbsent, prepareSlog},
}

// cost is what a peer's run took.
type cost struct {
	sample
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
		return r, errors.Join(err, sink.close())
	}
	r.sink = sink
	return r, nil
}

// finish waits until all lines have arrived, ends the process and returns what it cost. Its folder goes with it: a later
// run is not to pay for writing it back.
func (r peerRun) finish(ctx context.Context, lines int) (c cost, err error) {
	defer func() {
		r.daemon.kill()
		err = errors.Join(err, r.sink.close())
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
	c.bytes = r.sink.bytes()
	if arrived, err = r.sink.lines(); err == nil && arrived != int64(lines) {
		err = fmt.Errorf("%d lines arrived of %d", arrived, lines)
	}
	return c, err
}

// measurePeers has all peers that are there read the same new input, round after round, and prints their table. Every
// round begins with another peer.
func measurePeers(ctx context.Context, o options) error {
	var present []peer
	for _, p := range peers {
		if hint := p.absent(o); hint != "" {
			fmt.Printf("  %s is left out: %s\n", p.name, hint)
			continue
		}
		present = append(present, p)
	}
	costs := make([][]cost, len(present))
	for round := range o.pairs {
		input := filepath.Join(o.dir, "input.log")
		if err := writeAccessLog(input, o.lines, uint64(time.Now().UnixNano())); err != nil {
			return err
		}
		for i := range present {
			which := (i + round) % len(present)
			progress("round %d of %d: %s", round+1, o.pairs, present[which].name)
			r, err := startPeer(o, present[which], input)
			if err != nil {
				return fmt.Errorf("%s: %w", present[which].name, err)
			}
			got, err := r.finish(ctx, o.lines)
			if err != nil {
				return fmt.Errorf("%s: %w", present[which].name, err)
			}
			costs[which] = append(costs[which], got)
		}
	}
	progress("")
	printPeers(present, fmt.Sprintf("%d lines", o.lines), o.lines, costs)
	if o.light <= 0 {
		return nil
	}
	progress("light load: 50 lines/s for %s, all at the same time", o.light)
	costs, lines, err := lightPeers(ctx, o, present)
	if err != nil {
		return fmt.Errorf("light load: %w", err)
	}
	progress("")
	printPeers(present, fmt.Sprintf("50 lines/s for %s", o.light), lines, costs)
	return nil
}

// lightPeers has all peers follow a file that grows by 50 lines a second, at the same time.
func lightPeers(ctx context.Context, o options, present []peer) (costs [][]cost, lines int, err error) {
	input := filepath.Join(o.dir, "light.log")
	f, err := os.Create(input)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	runs := make([]peerRun, len(present))
	for i, p := range present {
		if runs[i], err = startPeer(o, p, input); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", p.name, err)
		}
		defer runs[i].daemon.kill()
	}
	if lines, err = writeSlowly(ctx, f, o.light); err != nil {
		return nil, 0, err
	}
	for i, r := range runs {
		got, err := r.finish(ctx, lines)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", present[i].name, err)
		}
		costs = append(costs, []cost{got})
	}
	return costs, lines, nil
}

func printPeers(present []peer, load string, lines int, costs [][]cost) {
	fmt.Printf("  %-22s %8s %9s %-24s %8s %10s %11s\n", load, "CPU s", "µs/line", " ratio to the first", "RSS MiB", "lines/s", "bytes/line")
	for i, p := range present {
		cpu := median(costs[i], func(c cost) float64 { return c.cpu.Seconds() })
		ratios := make([]float64, len(costs[i]))
		for round, c := range costs[i] {
			ratios[round] = c.cpu.Seconds() / costs[0][round].cpu.Seconds()
		}
		slices.Sort(ratios)
		fmt.Printf("  %-22s %8.2f %9.2f  %-24s %7.0f %10.0f %11.0f\n", p.name, cpu, cpu*1e6/float64(lines),
			fmt.Sprintf("%.3f (%.3f to %.3f)", ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1]),
			median(costs[i], func(c cost) float64 { return float64(c.rss) / (1 << 20) }),
			median(costs[i], func(c cost) float64 { return float64(lines) / c.wall.Seconds() }),
			median(costs[i], func(c cost) float64 { return float64(c.bytes) / float64(lines) }))
	}
}

// prepareAgent is the agent as it is shipped.
func prepareAgent(o options, site *testbed.Site, input string) (command, sink, error) {
	sink, err := newOTLPSink(pki(site))
	if err != nil {
		return command{}, nil, err
	}
	agent := site.Agent
	site.SetInclude(input)
	site.AgentToSIEM()
	agent.Env["LOGSEAL_SIEM_ENDPOINT"] = sink.Addr().String()
	config := filepath.Join(site.Dir, "agent.yaml")
	if err := os.WriteFile(config, agent.Config, 0o600); err != nil {
		return command{}, nil, errors.Join(err, sink.close())
	}
	c := command{dir: site.Dir, path: o.collector, args: []string{"--config", config}, env: []string{
		"LOGSEAL_HEALTH_ENDPOINT=" + testbed.Loopback(agent.HealthPort), fmt.Sprint("LOGSEAL_METRICS_PORT=", agent.MetricsPort),
	}}
	for name, value := range agent.Env {
		c.env = append(c.env, name+"="+value)
	}
	return c, sink, nil
}

// stockOverlay takes redact, stamp and siem out of the shipped agent, and puts the stock exporter in siem's place.
const stockOverlay = `
exporters:
` + otlpExporter + queue + `
service: {pipelines: {logs: {processors: [memory_limiter, resource], exporters: [otlp_grpc]}}}
`

// prepareStock is the agent without what is ours.
func prepareStock(o options, site *testbed.Site, input string) (command, sink, error) {
	c, sink, err := prepareAgent(o, site, input)
	if err != nil {
		return command{}, nil, err
	}
	overlay := strings.NewReplacer("@ENDPOINT@", site.Agent.Env["LOGSEAL_SIEM_ENDPOINT"], "@PKI@", pki(site)).
		Replace(fmt.Sprintf(stockOverlay, "gzip", onDisk))
	c.args = append(c.args, "--config", "yaml:"+overlay)
	return c, sink, nil
}
