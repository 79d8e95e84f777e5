#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: whether the OpenTelemetry Collector copies records where a pipeline fans out is decided by what each consumer there says of itself,
# `Capabilities().MutatesData`. A connector that looks on beside an exporter, says false, and sends a few records of its own into another
# pipeline, gets the very records that the exporter gets.
#
# True: a connector of logs to logs (and of any signal to the same one) is taken for one that mutates as soon as anything in a pipeline that it
# feeds does, one `resource` processor for example. All that it looks at is copied for it, though nothing of that ever goes there. Since the
# exporter beside it is then the only one that does not mutate, the original is not marked as read-only either: a consumer that may keep only
# what is marked copies once more. Nothing shows it but a profile. A connector of logs to metrics is not treated so.
#
# Since: seen with v0.160.0.
#
# Source: go.opentelemetry.io/collector/service, internal/graph/connector.go (aggregateCap; "must inherit capabilities of all nexts"), and
# internal/fanoutconsumer/logs.go.
set -euo pipefail

version=v0.160.0
stable=v1.66.0 # the stable modules of the same release
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<END
module example.com/finding

go 1.26

require (
	github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor $version
	go.opentelemetry.io/collector/component $stable
	go.opentelemetry.io/collector/confmap $stable
	go.opentelemetry.io/collector/confmap/provider/yamlprovider $stable
	go.opentelemetry.io/collector/connector $version
	go.opentelemetry.io/collector/consumer $stable
	go.opentelemetry.io/collector/exporter $stable
	go.opentelemetry.io/collector/exporter/nopexporter $version
	go.opentelemetry.io/collector/otelcol $version
	go.opentelemetry.io/collector/pdata $stable
	go.opentelemetry.io/collector/processor $stable
	go.opentelemetry.io/collector/receiver $stable
	go.opentelemetry.io/collector/service $version
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

const config = `
receivers: {source: }
processors: {resource: {attributes: [{action: upsert, key: a, value: b}]}}
connectors: {observer: }
exporters: {beside: , nop: }
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    logs: {receivers: [source], exporters: [beside, observer]}
    logs/own: {receivers: [observer], processors: [%s], exporters: [nop]}
`

// looker is an exporter or a connector that keeps what it gets, changes nothing and says so.
type looker struct {
	component.StartFunc
	component.ShutdownFunc
	got chan plog.Logs
}

func (l looker) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: false} }
func (l looker) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	l.got <- ld
	return nil
}

// source sends one request.
type source struct {
	component.ShutdownFunc
	next consumer.Logs
}

func (s source) Start(ctx context.Context, _ component.Host) error {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("a line")
	return s.next.ConsumeLogs(ctx, ld)
}

func empty() component.Config { return &struct{}{} }

// run tells whether exporter and connector get the same records.
func run(processors string) bool {
	beside, observer := looker{got: make(chan plog.Logs, 1)}, looker{got: make(chan plog.Logs, 1)}
	kind := component.MustNewType
	factories := func() (otelcol.Factories, error) {
		resource := resourceprocessor.NewFactory()
		nop := nopexporter.NewFactory()
		return otelcol.Factories{
			Telemetry: otelconftelemetry.NewFactory(),
			Receivers: map[component.Type]receiver.Factory{kind("source"): receiver.NewFactory(kind("source"), empty, receiver.WithLogs(
				func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Logs) (receiver.Logs, error) {
					return source{next: next}, nil
				}, component.StabilityLevelStable))},
			Processors: map[component.Type]processor.Factory{resource.Type(): resource},
			Connectors: map[component.Type]connector.Factory{kind("observer"): connector.NewFactory(kind("observer"), empty, connector.WithLogsToLogs(
				func(context.Context, connector.Settings, component.Config, consumer.Logs) (connector.Logs, error) { return observer, nil },
				component.StabilityLevelStable))},
			Exporters: map[component.Type]exporter.Factory{nop.Type(): nop, kind("beside"): exporter.NewFactory(kind("beside"), empty, exporter.WithLogs(
				func(context.Context, exporter.Settings, component.Config) (exporter.Logs, error) { return beside, nil },
				component.StabilityLevelStable))},
		}, nil
	}
	c, err := otelcol.NewCollector(otelcol.CollectorSettings{
		Factories: factories, DisableGracefulShutdown: true,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs: []string{"yaml:" + fmt.Sprintf(config, processors)}, ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		}},
	})
	check(err)
	done := make(chan error)
	go func() { done <- c.Run(context.Background()) }()
	var a, b plog.Logs
	for range 2 {
		select {
		case a = <-beside.got:
		case b = <-observer.got:
		case err := <-done:
			check(fmt.Errorf("the collector ended: %w", err))
		}
	}
	c.Shutdown()
	check(<-done)
	return a == b
}

func main() {
	fmt.Println("nothing behind the connector: exporter and connector share the records:", run(""))
	fmt.Println("a resource processor behind it: exporter and connector share the records:", run("resource"))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
echo "building with the collector $version" >&2
GOFLAGS=-mod=mod go build -o finding . >&2
./finding | tee seen
printf '%s\n' 'nothing behind the connector: exporter and connector share the records: true' \
	'a resource processor behind it: exporter and connector share the records: false' > expected
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: what is behind the connector decides whether all that it looks at is copied"
