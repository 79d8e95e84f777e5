// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/logseal/logseal/internal/testbed"
)

const drainTimeout = 5 * time.Minute

// bench is one measured process with the server that it sends to, if any.
type bench struct {
	process *testbed.Process
	sink    *testbed.Process // not measured
}

const sinkConfig = `
extensions:
  health_check: {endpoint: "${env:LOGSEAL_HEALTH_ENDPOINT}"}
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: ${env:LOGSEAL_LISTEN}
        tls: {cert_file: "${env:LOGSEAL_SERVER_CERT_FILE}", key_file: "${env:LOGSEAL_SERVER_KEY_FILE}", client_ca_file: "${env:LOGSEAL_CLIENT_CA_FILE}", min_version: "1.3"}
exporters:
  nop:
service:
  extensions: [health_check]
  pipelines: {logs: {receivers: [otlp], exporters: [nop]}}
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:LOGSEAL_METRICS_PORT}"}}}}]}}
`

// config writes the measured pipeline.
func config(s side, input string) []byte {
	name, _, _ := strings.Cut(strings.TrimSpace(s.exporter), ":")
	processors := ""
	if s.processors != "" {
		processors = "processors:\n" + s.processors
	}
	storage, extensions := "encrypted_storage", "health_check, file_storage, encrypted_storage"
	ours := "  encrypted_storage: {directory: \"${env:LOGSEAL_STATE_DIR}\"}\n"
	if s.stock {
		storage, extensions, ours = "file_storage", "health_check, file_storage", ""
	}
	return []byte(`
extensions:
  health_check: {endpoint: "${env:LOGSEAL_HEALTH_ENDPOINT}"}
  file_storage: {directory: "${env:LOGSEAL_STATE_DIR}/stock", create_directory: true}
` + ours + `receivers:
  file_log:
    include: [` + input + `]
    start_at: beginning
    storage: ` + storage + `
    retry_on_failure: {enabled: true, max_elapsed_time: 0}
` + processors + `
exporters:
` + s.exporter + `
service:
  extensions: [` + extensions + `]
  pipelines: {logs: {receivers: [file_log], processors: [` + s.order + `], exporters: [` + name + `]}}
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:LOGSEAL_METRICS_PORT}"}}}}]}}
`)
}

// buildStock builds the collector of stock parts, from the modules of the measured one.
func buildStock(ctx context.Context, o options) (string, error) {
	binary := filepath.Join(o.dir, "stock")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", binary, "./tests/bench/stock")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the stock collector: %w\n%s", err, out)
	}
	return binary, nil
}

// startSide starts one side in a folder of its own.
func startSide(ctx context.Context, o options, s side, input string) (b bench, err error) {
	dir, err := os.MkdirTemp(o.dir, "run-")
	if err != nil {
		return b, err
	}
	collector := o.collector
	if s.stock {
		if collector, err = buildStock(ctx, o); err != nil {
			return b, err
		}
	}
	site, err := testbed.NewSite(dir, collector)
	if err != nil {
		return b, err
	}
	if s.network() {
		sink := site.SIEM
		sink.Config = []byte(sinkConfig)
		if b.sink, err = sink.Start(ctx); err != nil {
			return b, err
		}
	}
	site.AgentToSIEM()
	agent := site.Agent
	s.exporter = strings.NewReplacer(
		"@ENDPOINT@", agent.Env["LOGSEAL_SIEM_ENDPOINT"], "@PINS@", agent.Env["LOGSEAL_SIEM_PINS"],
		"@PKI@", filepath.Join(dir, "pki"),
	).Replace(s.exporter)
	s.processors = strings.ReplaceAll(s.processors, "@DIR@", dir)
	agent.Config = config(s, input)
	if b.process, err = agent.Start(ctx); err != nil {
		b.stopSink()
	}
	return b, err
}

// finish waits until all records are through, ends the process and returns what it cost.
func (b bench) finish(ctx context.Context, records int) (sample, error) {
	defer b.stopSink()
	waiting, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err := testbed.Until(waiting, func() (bool, error) {
		select {
		case <-b.process.Done():
			return false, errors.New("the process ended early: see " + b.process.LogFile())
		default:
		}
		through, err := b.process.Metric(waiting, "otelcol_receiver_accepted_log_records")
		if err != nil || int(through) < records || b.sink == nil {
			return int(through) >= records, err
		}
		through, err = b.sink.Metric(waiting, "otelcol_receiver_accepted_log_records")
		return int(through) >= records, err
	})
	if err != nil {
		b.process.Kill()
		return sample{}, fmt.Errorf("not everything came through: %w", err)
	}
	if err := b.process.Stop(time.Minute); err != nil {
		return sample{}, err
	}
	cpu, rss := b.process.Usage()
	return sample{cpu: cpu, rss: rss}, nil
}

func (b bench) stopSink() {
	if b.sink != nil {
		b.sink.Kill()
	}
}

// heavy has one side read the whole input.
func heavy(ctx context.Context, o options, s scenario, which int, input string) (sample, error) {
	b, err := startSide(ctx, o, s.sides[which], input)
	if err != nil {
		return sample{}, err
	}
	return b.finish(ctx, o.lines)
}

// light has both sides follow a file that grows by 50 lines a second, at the same time: what is measured then is mostly
// what a process costs when it idles, and a pair one after the other would take twice as long.
func light(ctx context.Context, o options, s scenario) (a, b sample, records int, err error) {
	input := filepath.Join(o.dir, "light.log")
	f, err := os.Create(input)
	if err != nil {
		return a, b, 0, err
	}
	defer f.Close()
	var benches [2]bench
	for i := range benches {
		if benches[i], err = startSide(ctx, o, s.sides[i], input); err != nil {
			return a, b, 0, err
		}
	}
	if records, err = writeSlowly(ctx, f, o.light); err != nil {
		return a, b, 0, err
	}
	a, errA := benches[0].finish(ctx, records)
	b, errB := benches[1].finish(ctx, records)
	return a, b, records, errors.Join(errA, errB)
}
