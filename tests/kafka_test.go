// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logseal/logseal/internal/testbed"
)

// An agent writes to a broker in requests that are larger than a message may be; the gateway behind it is killed while the
// SIEM is away and its queue full.
func TestKafkaBetweenLosesNothing(t *testing.T) {
	const total = 600
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "otlp_logs"))
	require.NoError(t, err)
	t.Cleanup(broker.Close)
	brokers := "brokers: ['" + strings.Join(broker.ListenAddrs(), "', '") + "']"

	site := newSite(t)
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	tally := testbed.Tally{Prefix: "kafka line "}
	var text strings.Builder
	for i := range total {
		fmt.Fprintf(&text, "%s%d %s\n", tally.Prefix, i, strings.Repeat("lorem ipsum ", 2000)) // 24 kB: 2.4 MB a request
	}
	appendFile(t, logFile, text.String())

	agent, gateway := site.Agent, site.Gateway
	agent.Args = []string{"--config", "yaml:" +
		"exporters: {kafka: {" + brokers + ", sending_queue: {storage: encrypted_storage}}}\n" +
		"service: {pipelines: {logs: {exporters: [kafka]}}}"}
	gateway.Args = []string{"--config", "yaml:" +
		"receivers: {kafka: {" + brokers + "}}\n" +
		"exporters: {siem: {sending_queue: {sizer: requests, queue_size: 3}}}\n" +
		"service: {pipelines: {logs: {receivers: [kafka]}}}"}
	a := start(t, agent)
	g := start(t, gateway)
	awaitMetric(t, g, "otelcol_exporter_queue_size", 3)
	g.Kill()
	start(t, gateway)
	start(t, site.SIEM)
	archive := testbed.Archive{Path: site.ArchivePath()}
	awaitLines(t, &archive, &tally, total, time.Minute)
	t.Logf("%d lines, %d duplicates", total, tally.Duplicates)
	assert.False(t, a.LogContains("Dropping data"))
	assertNoStackTraces(t, a)
}

func TestKafkaOptionsThatLoseLogsAreRefused(t *testing.T) {
	site := newSite(t)
	for overlay, want := range map[string]string{
		"receivers: {kafka: {message_marking: {after: false}}}\nservice: {pipelines: {logs: {receivers: [kafka]}}}": "message_marking.after: false",
		"exporters: {kafka: {}}\nservice: {pipelines: {logs: {exporters: [kafka]}}}":                                "sending_queue.storage is not set",
	} {
		out, status := validate(t, site.Agent, string(site.Agent.Config), overlay)
		assert.NotZero(t, status)
		assert.Contains(t, out, want)
	}
}
