// SPDX-License-Identifier: Apache-2.0

package redactprocessor

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/logseal/logseal/pkg/redact"
	"github.com/logseal/logseal/processor/redactprocessor/internal/metadata"
	"github.com/logseal/logseal/processor/redactprocessor/internal/metadatatest"
)

// start runs a processor as the collector does and returns it with what it sends on.
func start(t *testing.T, tel *componenttest.Telemetry, logger *zap.Logger, change func(*Config)) (processor.Logs, *consumertest.LogsSink) {
	t.Helper()
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	set := processortest.NewNopSettings(metadata.Type)
	if tel != nil {
		set.TelemetrySettings = tel.NewTelemetrySettings()
	}
	if logger != nil {
		set.Logger = logger
	}
	sink := &consumertest.LogsSink{}
	p, err := NewFactory().CreateLogs(context.Background(), set, cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p, sink
}

func logs(bodies ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("db.password", "hunter2hunter2")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, b := range bodies {
		records.AppendEmpty().Body().SetStr(b)
	}
	return ld
}

func TestRedactsAndCounts(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	core, seen := observer.New(zap.DebugLevel)
	p, sink := start(t, tel, zap.New(core), func(c *Config) {
		c.Allow = []redact.Allow{{Rule: "email", Match: "*@example.com"}}
	})
	require.True(t, p.Capabilities().MutatesData)
	require.NoError(t, p.ConsumeLogs(context.Background(), logs("paid with 4111 1111 1111 1111 by a@example.com", "nothing here")))

	require.Len(t, sink.AllLogs(), 1)
	rl := sink.AllLogs()[0].ResourceLogs().At(0)
	records := rl.ScopeLogs().At(0).LogRecords()
	assert.Equal(t, "paid with [REDACTED:pan] by a@example.com", records.At(0).Body().Str())
	assert.Equal(t, "nothing here", records.At(1).Body().Str())
	password, _ := rl.Resource().Attributes().Get("db.password")
	assert.Equal(t, "[REDACTED:password]", password.Str())

	metadatatest.AssertEqualProcessorRedactMatches(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("rule", "pan"), attribute.String("action", "mask"), attribute.String("location", "body"))},
		{Value: 1, Attributes: attribute.NewSet(attribute.String("rule", "password"), attribute.String("action", "mask"), attribute.String("location", "resource"))},
	}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorRedactSuppressed(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("rule", "email"))},
	}, metricdatatest.IgnoreTimestamp())
	m, err := tel.GetMetric("otelcol_processor_redact_scanned_bytes")
	require.NoError(t, err)
	assert.NotEmpty(t, m.Data.(metricdata.Sum[int64]).DataPoints)
	for _, entry := range seen.All() {
		assert.NotContains(t, entry.Message, "4111")
	}
}

func TestDroppedRecords(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	p, sink := start(t, tel, nil, func(c *Config) {
		c.Rules = []redact.Rule{{ID: "track", Action: "drop_record"}}
	})
	track := "swipe ;4111111111111111=29121011000012300?"
	require.NoError(t, p.ConsumeLogs(context.Background(), logs(track, "kept")))
	require.NoError(t, p.ConsumeLogs(context.Background(), logs(track)), "a batch of which nothing is left is no error")
	require.Equal(t, 1, sink.LogRecordCount())
	metadatatest.AssertEqualProcessorRedactDroppedRecords(t, tel, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
}

// A limit that is exceeded is handled as configured, counted, and harms no other record.
func TestLimit(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	p, sink := start(t, tel, nil, nil)
	huge := make([]byte, 16<<20)
	for i := range huge {
		huge[i] = 'a'
	}
	require.NoError(t, p.ConsumeLogs(context.Background(), logs(string(huge), "other")))
	records := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	assert.Equal(t, "[REDACTED:limit]", records.At(0).Body().Str())
	assert.Equal(t, "other", records.At(1).Body().Str())
	metadatatest.AssertEqualProcessorRedactFailures(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "value_bytes"))},
	}, metricdatatest.IgnoreTimestamp())
}

func TestMissingKeyFileRefusesStart(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.PseudonymKey.ID, cfg.PseudonymKey.File = "k1", filepath.Join(t.TempDir(), "none")
	cfg.Rules = []redact.Rule{{ID: "email", Action: "pseudonymize"}}
	_, err := NewFactory().CreateLogs(context.Background(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.ErrorContains(t, err, "pseudonym_key.file")
	require.ErrorContains(t, err, "/dev/urandom", "the error names the remedy")
}
