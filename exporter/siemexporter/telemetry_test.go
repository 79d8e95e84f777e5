// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/internal/testpki"
)

// testTelemetry keeps the metrics and log lines of an exporter.
type testTelemetry struct {
	*componenttest.Telemetry
	logs *observer.ObservedLogs
	core zapcore.Core
}

func newTestTelemetry(t *testing.T) *testTelemetry {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	tel := &testTelemetry{Telemetry: componenttest.NewTelemetry(), logs: logs, core: core}
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	return tel
}

func (tel *testTelemetry) settings() exporter.Settings {
	set := exportertest.NewNopSettings(NewFactory().Type())
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(tel.core)
	return set
}

// points returns the data points of a metric whose attributes include these (key, value, key, value, …).
func (tel *testTelemetry) points(t testing.TB, name string, attrs ...string) []float64 {
	t.Helper()
	got, err := tel.GetMetric(name)
	if err != nil {
		return nil
	}
	var values []float64
	add := func(set attribute.Set, value float64) {
		for pair := range slices.Chunk(attrs, 2) {
			if v, ok := set.Value(attribute.Key(pair[0])); !ok || v.AsString() != pair[1] {
				return
			}
		}
		values = append(values, value)
	}
	switch data := got.Data.(type) {
	case metricdata.Sum[int64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, float64(point.Value))
		}
	case metricdata.Gauge[int64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, float64(point.Value))
		}
	case metricdata.Gauge[float64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, point.Value)
		}
	default:
		t.Fatalf("%s holds %T", name, got.Data)
	}
	return values
}

// values returns the values of an attribute that a counter's data points have, in order.
func (tel *testTelemetry) values(t testing.TB, name, attr string) []string {
	t.Helper()
	got, err := tel.GetMetric(name)
	require.NoError(t, err)
	var values []string
	for _, point := range got.Data.(metricdata.Sum[int64]).DataPoints {
		value, _ := point.Attributes.Value(attribute.Key(attr))
		values = append(values, value.AsString())
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func (tel *testTelemetry) sum(t testing.TB, name string, attrs ...string) float64 {
	t.Helper()
	total := 0.0
	for _, value := range tel.points(t, name, attrs...) {
		total += value
	}
	return total
}

func (tel *testTelemetry) requireSum(t testing.TB, name string, want int64, attrs ...string) {
	t.Helper()
	require.Eventually(t, func() bool { return tel.sum(t, name, attrs...) == float64(want) }, 30*time.Second, 10*time.Millisecond,
		"%s%v is %v", name, attrs, tel.points(t, name))
}

func startExporterWith(t testing.TB, cfg *Config, set exporter.Settings) exporter.Logs {
	t.Helper()
	exp, stop := startExporterIn(t, cfg, newHost(t, t.TempDir()), set)
	t.Cleanup(stop)
	return exp
}

// statusHost is a host that keeps the status that its component reports.
type statusHost struct {
	host
	mu     sync.Mutex
	events []*componentstatus.Event
}

var (
	_ component.Host           = (*statusHost)(nil)
	_ componentstatus.Reporter = (*statusHost)(nil)
)

func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

func (h *statusHost) last() *componentstatus.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.NewEvent(componentstatus.StatusNone)
	}
	return h.events[len(h.events)-1]
}

// TestVisible: an outage shows as status, gauge, metrics and one log line, with its reason, and so does its end.
func TestVisible(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		impostor, right := newSink(), newSink()
		addr, stop := impostor.serve(t, protocol, anyPort, serverTLS(p.impostor))
		cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
		tel := newTestTelemetry(t)
		h := &statusHost{host: newHost(t, t.TempDir())}
		exp, stopExporter := startExporterIn(t, cfg, h, tel.settings())
		t.Cleanup(stopExporter)
		tel.requireSum(t, "otelcol_exporter_siem_healthy", 1)

		logs, sent := records("seen", 3)
		for _, resource := range logs.ResourceLogs().All() {
			record := resource.ScopeLogs().At(0).LogRecords().At(0)
			record.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Hour)))
		}
		require.NoError(t, exp.ConsumeLogs(t.Context(), logs))
		require.Eventually(t, func() bool { return h.last().Status() == componentstatus.StatusRecoverableError }, 30*time.Second, time.Millisecond)
		require.Eventually(t, func() bool {
			return tel.sum(t, "otelcol_exporter_siem_retries", "cause", "handshake_pin_mismatch") >= 2
		}, 30*time.Second, 10*time.Millisecond)
		assert.ErrorContains(t, h.last().Err(), "handshake_pin_mismatch")
		assert.ErrorContains(t, h.last().Err(), "no certificate of the server's verified chain carries a pinned key")
		assert.Zero(t, tel.sum(t, "otelcol_exporter_siem_healthy"))
		assert.InDelta(t, 1, tel.sum(t, "otelcol_exporter_siem_untrusted_peer"), 0)
		assert.GreaterOrEqual(t, tel.sum(t, "otelcol_exporter_siem_refused_handshakes", "reason", "pin_mismatch"), 1.0)
		assert.Empty(t, tel.points(t, "otelcol_exporter_siem_connections"))
		assert.Empty(t, tel.points(t, "otelcol_exporter_siem_peer_certificate_expiry"))
		assert.InDelta(t, 3600, tel.sum(t, "otelcol_exporter_siem_oldest_queued_age"), 1800)
		assert.Equal(t, 1, tel.logs.FilterMessageSnippet("Somebody else answers").FilterLevelExact(zap.ErrorLevel).FilterField(zap.String("cause", "handshake_pin_mismatch")).Len())

		stop()
		right.serve(t, protocol, addr, serverTLS(p.leaf))
		requireDelivered(t, right, sent)
		require.Eventually(t, func() bool { return h.last().Status() == componentstatus.StatusOK }, 30*time.Second, time.Millisecond)
		tel.requireSum(t, "otelcol_exporter_siem_healthy", 1)
		tel.requireSum(t, "otelcol_exporter_siem_untrusted_peer", 0)
		tel.requireSum(t, "otelcol_exporter_siem_connections", 1, "tls_version", "TLS 1.3", "key_exchange", "X25519MLKEM768")
		tel.requireSum(t, "otelcol_exporter_siem_oldest_queued_age", 0)
		assert.InDelta(t, 24*3600, tel.sum(t, "otelcol_exporter_siem_peer_certificate_expiry"), 1800)
		assert.Equal(t, 1, tel.logs.FilterMessage("The SIEM takes logs again").Len())
		for _, entry := range tel.logs.All() {
			assert.NotContains(t, entry.Message, "seen-")
			for _, field := range entry.Context {
				assert.NotContains(t, field.String, "seen-", "a record's content is in our log")
			}
		}
	})
}

// TestHandshakeReasons: each way to be the wrong party has its word.
func TestHandshakeReasons(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		tls12 := serverTLS(p.leaf)
		tls12.MaxVersion = tls.VersionTLS12
		mutual := serverTLS(p.leaf)
		mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, p.ca.Pool()
		classic := serverTLS(p.leaf)
		classic.CurvePreferences = []tls.CurveID{tls.X25519}
		for reason, tt := range map[string]struct {
			server *tls.Config
			change func(*Config)
		}{
			"pin_mismatch":       {serverTLS(p.impostor), nil},
			"wrong_name":         {serverTLS(p.leaf), func(c *Config) { c.tls().ServerName = "elsewhere.example.com" }},
			"untrusted_chain":    {serverTLS(p.leaf), func(c *Config) { c.tls().CAFile, _ = testpki.NewCA("ca").WriteFiles(t, t.TempDir(), "other") }},
			"tls_version":        {tls12, nil},
			"not_tls":            {nil, nil},
			"client_certificate": {mutual, nil},
			"key_exchange":       {classic, func(c *Config) { c.RequirePostQuantum = true }},
		} {
			if protocol == ProtocolSyslog && tt.server == nil {
				continue // a receiver in the clear hangs up without a word
			}
			t.Run(reason, func(t *testing.T) {
				t.Parallel()
				s := newSink()
				addr, _ := s.serve(t, protocol, anyPort, tt.server)
				cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
				if tt.change != nil {
					tt.change(cfg)
				}
				tel := newTestTelemetry(t)
				exp := startExporterWith(t, cfg, tel.settings())
				send(t, exp, "held", 1)
				require.Eventually(t, func() bool {
					return tel.sum(t, "otelcol_exporter_siem_refused_handshakes", "reason", reason) >= 1
				}, 30*time.Second, 10*time.Millisecond, "%v", tel.logs.All())
				assert.Zero(t, s.requestCount())
			})
		}
	})
}

// TestRecordCausesDoNotFlap: a record that the server does not take keeps the status bad while others are delivered.
func TestRecordCausesDoNotFlap(t *testing.T) {
	p := newPKI()
	s := newSink()
	s.respond(refuseBodies(status.Error(codes.InvalidArgument, "no"), "bad-0"))
	addr, _ := s.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	tel := newTestTelemetry(t)
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.RetryConfig.MaxInterval = time.Minute
	exp := startExporterWith(t, cfg, tel.settings())
	send(t, exp, "bad", 1)
	tel.requireSum(t, "otelcol_exporter_siem_healthy", 0)
	requireDelivered(t, s, send(t, exp, "good", 10))
	assert.Zero(t, tel.sum(t, "otelcol_exporter_siem_healthy"))
	assert.Equal(t, 1, tel.logs.FilterMessageSnippet("Logs wait in the queue").Len())
}

func TestAges(t *testing.T) {
	a, now := newAges(), time.Now()
	minuteAgo, hourAgo := now.Add(-time.Minute), now.Add(-time.Hour)
	assert.Zero(t, a.oldest(now))
	a.begin(minuteAgo)
	a.begin(hourAgo)
	a.begin(time.Time{})
	assert.Equal(t, time.Hour, a.oldest(now))
	a.end(hourAgo, hourAgo) // it waits
	a.end(minuteAgo, time.Time{})
	assert.Equal(t, time.Hour, a.oldest(now))
	a.begin(hourAgo) // the next attempt
	a.end(hourAgo, minuteAgo)
	assert.Equal(t, time.Minute, a.oldest(now), "its first record was delivered, the rest waits")
	a.begin(minuteAgo)
	a.end(minuteAgo, time.Time{})
	assert.Zero(t, a.oldest(now))
	assert.Empty(t, a.attempts)
	assert.Empty(t, a.waiting)
	a.begin(now.Add(time.Hour))
	assert.Zero(t, a.oldest(now), "a record of the future has no age")
}

// TestMetricsDoNotWait: while a server keeps requests waiting, and connections are being made anew, the metrics are there.
func TestMetricsDoNotWait(t *testing.T) {
	for protocol, counts := range map[Protocol]bool{ProtocolGRPC: false, ProtocolHTTP: false, ProtocolSplunkHEC: true, ProtocolSyslog: true} {
		p := newPKI()
		tel := newTestTelemetry(t)
		exp := startExporterWith(t, testConfig(t, protocol, "127.0.0.1:1", p.ca, p.leaf), tel.settings())
		target := exp.(*logsExporter).siem.targets.list[0]
		target.mu.Lock()
		target.link.mu.Lock()
		read := make(chan []float64, 1)
		go func() { read <- tel.points(t, "otelcol_exporter_siem_unacknowledged_records") }()
		select {
		case points := <-read:
			assert.Equal(t, counts, len(points) == 1, protocol)
		case <-time.After(30 * time.Second):
			t.Errorf("%s: the metrics wait", protocol)
		}
		target.link.mu.Unlock()
		target.mu.Unlock()
	}
}
