// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/logseal/logseal/distributions"
	"github.com/logseal/logseal/internal/testbed"
)

// measureWatch has the shipped gateway take what agents have sent and hand it on to a SIEM, all over TLS with certificates on both sides, with the
// connector verify as it ships and without, in alternating pairs on new records; with a build before that verifies as a third, if there is one.
func measureWatch(ctx context.Context, o options) error {
	sides, err := watchSides(o)
	if err != nil {
		return err
	}
	site, err := testbed.NewSite(o.dir, o.collector)
	if err != nil {
		return err
	}
	site.AgentToSIEM()
	delete(site.Gateway.Env, "LOGSEAL_HEARTBEAT") // as it ships
	costs := make([][]watchCost, len(sides))
	for pair := range o.pairs {
		progress("pair %d of %d: agents write", pair+1, o.pairs)
		t, err := record(ctx, o, site)
		if err != nil {
			return fmt.Errorf("agents: %w", err)
		}
		for i := range sides {
			which := (i + pair) % len(sides)
			progress("pair %d of %d: %s", pair+1, o.pairs, sides[which].name)
			got, err := sides[which].run(ctx, o, site, t)
			if err != nil {
				return fmt.Errorf("%s: %w", sides[which].name, err)
			}
			costs[which] = append(costs[which], got)
		}
	}
	progress("")
	printWatch(sides, costs)
	return nil
}

// watchSides are what takes turns: with the connector, without, and the build before with it.
func watchSides(o options) ([]watchSide, error) {
	without, err := withoutVerify(distributions.Gateway)
	if err != nil {
		return nil, err
	}
	sides := []watchSide{
		{name: "with verify", config: distributions.Gateway, verifies: true, collector: o.collector},
		{name: "without", config: without, collector: o.collector},
	}
	if o.before != "" {
		shipped, err := os.ReadFile(filepath.Join(o.before, "distributions", "gateway", "config.yaml"))
		if err != nil {
			return nil, err
		}
		sides = append(sides, watchSide{name: "with, before", config: shipped, verifies: true, collector: filepath.Join(o.before, "bin", "otelcol-logseal")})
	}
	return sides, nil
}

// watchCost is what a gateway's run took.
type watchCost struct {
	cost
	unchecked int // records that the connector had no time for
}

// watchSide is the gateway in one of its forms.
type watchSide struct {
	name      string
	config    []byte
	verifies  bool
	collector string // the binary
}

// withoutVerify is a gateway's configuration without the connector, and without the pipeline of what it finds.
func withoutVerify(shipped []byte) ([]byte, error) {
	var config struct {
		Service map[string]any `yaml:"service"`
		Rest    map[string]any `yaml:",inline"`
	}
	if err := yaml.Unmarshal(shipped, &config); err != nil {
		return nil, err
	}
	pipelines, _ := config.Service["pipelines"].(map[string]any)
	logs, _ := pipelines["logs"].(map[string]any)
	if logs == nil {
		return nil, errors.New("the gateway has no pipeline `logs`")
	}
	logs["exporters"] = []string{"siem"}
	delete(pipelines, "logs/findings")
	delete(config.Rest, "connectors")
	return yaml.Marshal(config)
}

// run starts a gateway with nothing in its state, sends it everything, and ends it when all of that has arrived and was verified.
func (s watchSide) run(ctx context.Context, o options, site *testbed.Site, t traffic) (c watchCost, err error) {
	c.lines = t.records()
	dir, err := os.MkdirTemp(site.Dir, "gateway-")
	if err != nil {
		return c, err
	}
	sink, err := newOTLPSink(pki(site), nil)
	if err != nil {
		return c, err
	}
	defer sink.Close()
	gateway, err := elsewhere(site.Gateway, dir)
	if err != nil {
		return c, err
	}
	gateway.Config, gateway.Binary = s.config, s.collector
	gateway.Env["LOGSEAL_SIEM_ENDPOINT"] = sink.Addr().String()
	process, err := gateway.Start(ctx)
	if err != nil {
		return c, err
	}
	begun := time.Now()
	err = t.replay(ctx, site, gateway.Env["LOGSEAL_LISTEN"])
	if err == nil {
		err = awaitRecords(ctx, process, sink, c.lines)
	}
	if err == nil && s.verifies {
		c.unchecked, err = awaitVerified(ctx, process, c.lines, o.lines/agents*agents)
	}
	if err != nil {
		process.Kill()
		return c, err
	}
	c.wall = time.Unix(0, sink.last.Load()).Sub(begun)
	if err := process.Stop(time.Minute); err != nil {
		return c, err
	}
	c.cpu, c.rss = process.Usage()
	return c, os.RemoveAll(dir)
}

// awaitVerified waits until the connector has passed so many records, so many different ones among them, and returns how many of these it has
// not verified. It asks as often as the connector counts anew: each answer is work that the other side does not have.
func awaitVerified(ctx context.Context, gateway *testbed.Process, records, different int) (unchecked int, err error) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	passed := 0.0
	behind := func(err error) error {
		return fmt.Errorf("the connector has passed %.0f of %d records: %w; see %s", passed, records, err, gateway.LogFile())
	}
	for int(passed) < records {
		select {
		case <-ctx.Done():
			return 0, behind(ctx.Err())
		case <-ticker.C:
		}
		now, err := gateway.Metric(ctx, "otelcol_connector_verify_records")
		if err != nil {
			return 0, behind(err)
		}
		passed = now
	}
	verified, err := gateway.Metric(ctx, "otelcol_connector_verify_lag_records")
	return different - int(verified), err
}

func printWatch(sides []watchSide, costs [][]watchCost) {
	rate := func(c watchCost) float64 { return float64(c.lines) / c.wall.Seconds() }
	micros := func(c watchCost) float64 { return c.cpu.Seconds() * 1e6 / float64(c.lines) }
	fmt.Printf("  %-14s %8s %8s %12s %10s %10s\n", "the gateway", "records", "CPU s", "µs/record", "records/s", "RSS MiB")
	for i := range costs {
		fmt.Printf("  %-14s %8d %8.2f %12.2f %10.0f %10.0f\n", sides[i].name, costs[i][0].lines,
			median(costs[i], func(c watchCost) float64 { return c.cpu.Seconds() }), median(costs[i], micros), median(costs[i], rate),
			median(costs[i], func(c watchCost) float64 { return float64(c.rss) / (1 << 20) }))
	}
	without := costs[1]
	for i, with := range costs {
		if !sides[i].verifies {
			continue
		}
		more, rates := make([]float64, len(with)), make([]float64, len(with))
		for pair := range with {
			more[pair], rates[pair] = micros(with[pair])-micros(without[pair]), rate(with[pair])/rate(without[pair])
		}
		slices.Sort(more)
		slices.Sort(rates)
		mid, last := len(more)/2, len(more)-1
		fmt.Printf("  median pair, %s: %+.2f µs of CPU a record (%+.2f to %+.2f), %.3f times the throughput (%.3f to %.3f)\n",
			sides[i].name, more[mid], more[0], more[last], rates[mid], rates[0], rates[last])
		if most := slices.MaxFunc(with, func(a, b watchCost) int { return a.unchecked - b.unchecked }); most.unchecked > 0 {
			fmt.Printf("  up to %d of %d records were not looked at\n", most.unchecked, most.lines)
		}
	}
}
