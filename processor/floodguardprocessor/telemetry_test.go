// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/logseal/logseal/processor/floodguardprocessor/internal/metadata"
	"github.com/logseal/logseal/processor/floodguardprocessor/internal/metadatatest"
)

// watched starts a guard whose clock stands still and whose metrics can be read.
func watched(t *testing.T, cfg *Config, next *sink) (*floodGuard, *componenttest.Telemetry) {
	t.Helper()
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := metadatatest.NewSettings(tel)
	set.ID = componentID
	f, err := newFloodGuard(cfg, set, next)
	require.NoError(t, err)
	f.now = func() time.Duration { return 0 }
	require.NoError(t, f.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, f.Shutdown(context.Background())) })
	return f, tel
}

var (
	componentID = component.NewIDWithName(metadata.Type, "metrics")
	ofProcessor = attribute.String("processor", "flood_guard/metrics")
	noTime      = metricdatatest.IgnoreTimestamp()
)

func byOutcome(kept, shed, held int64) (points []metricdata.DataPoint[int64]) {
	for outcome, n := range map[string]int64{"kept": kept, "shed": shed, "held": held} {
		points = append(points, metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(ofProcessor, attribute.String("outcome", outcome))})
	}
	return points
}

func ofKey(name, key string, n int64) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(ofProcessor, attribute.String("key_name", name), attribute.String("key", key))}
}

func plain(n int64) []metricdata.DataPoint[int64] {
	return []metricdata.DataPoint[int64]{{Value: n, Attributes: attribute.NewSet(ofProcessor)}}
}

// size is what a batch is charged with.
func size(ld plog.Logs) (n int64) {
	for _, rl := range ld.ResourceLogs().All() {
		n += int64(resourceSize(rl))
		for _, sl := range rl.ScopeLogs().All() {
			n += int64(scopeSize(sl))
			for _, lr := range sl.LogRecords().All() {
				n += int64(sizer.LogRecordSize(lr))
			}
		}
	}
	return n
}

// Every record that was received is in one of the outcomes, with its bytes; of the sources only the ten worst are named.
func TestMetrics(t *testing.T) {
	next := &sink{}
	cfg := config(50)
	cfg.MaxKeys = 12
	f, tel := watched(t, cfg, next)
	// What the next component refuses was not received: it comes again.
	next.set(true)
	require.Error(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood-0", 10)))
	next.set(false)
	var received, bytes int64
	send := func(path string, n int) {
		ld := fromFile(path, n)
		received += int64(n)
		bytes += size(ld)
		require.NoError(t, f.ConsumeLogs(t.Context(), ld))
	}
	var top []metricdata.DataPoint[int64]
	for i := range 12 {
		path := fmt.Sprintf("/var/log/flood-%d", i)
		send(path, 50+i) // of which i are shed
		if i > 12-topKeys {
			top = append(top, ofKey("log.file.path", path, int64(i)))
		}
	}
	send("/var/log/one too many", 40)
	send("/var/log/and another", 40) // 30 are shed: both have one budget
	top = append(top, ofKey("newcomers", "", 30))
	require.Len(t, top, topKeys)

	const shed = 11*12/2 + 30
	metadatatest.AssertEqualProcessorFloodGuardRecords(t, tel, byOutcome(received-shed, shed, 0), noTime)
	assert.Len(t, next.bodies, int(received-shed))
	metadatatest.AssertEqualProcessorFloodGuardTopKeys(t, tel, top, noTime)
	metadatatest.AssertEqualProcessorFloodGuardKeys(t, tel, plain(12), noTime)
	metadatatest.AssertEqualProcessorFloodGuardNewcomerRecords(t, tel, plain(80), noTime)

	metric, err := tel.GetMetric("otelcol_processor_flood_guard_bytes")
	require.NoError(t, err)
	var counted int64
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		counted += point.Value
	}
	assert.Equal(t, bytes, counted)

	require.NoError(t, f.Shutdown(t.Context()))
	metadatatest.AssertEqualProcessorFloodGuardReports(t, tel, plain(int64(len(next.reports))), noTime)
	var inReports int64
	for _, outcome := range []string{"kept.records", "shed.records", "held.records"} {
		inReports += sum(next.reports, outcome)
	}
	assert.Equal(t, sum(next.reports, "received.records"), inReports)
	assert.Equal(t, int64(shed), sum(next.reports, "shed.records"))
}

// With hold, a batch that is held counts each time it comes: what was received is what was kept and what was held.
func TestMetricsOfHold(t *testing.T) {
	next := &sink{}
	cfg := config(50)
	cfg.OnExceed = onExceedHold
	f, tel := watched(t, cfg, next)
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 60)))
	for range 3 {
		require.ErrorIs(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 20)), errHeld)
	}
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/quiet", 5)))
	metadatatest.AssertEqualProcessorFloodGuardRecords(t, tel, byOutcome(65, 0, 60), noTime)
	metadatatest.AssertEqualProcessorFloodGuardTopKeys(t, tel, []metricdata.DataPoint[int64]{ofKey("log.file.path", "/var/log/flood", 60)}, noTime)
}
