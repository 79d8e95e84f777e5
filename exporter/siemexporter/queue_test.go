// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/logseal/logseal/internal/queuewatch/queuetest"
)

// startQueue starts an exporter whose SIEM is away, and returns it with its telemetry and its stop.
func startQueue(t *testing.T, change func(*Config), wrap func(storage.Extension) component.Component) (*logsExporter, *testTelemetry, *statusHost) {
	t.Helper()
	p := newPKI()
	cfg := testConfig(t, ProtocolGRPC, "127.0.0.1:1", p.ca, p.leaf)
	if change != nil {
		change(cfg)
	}
	inner := newHost(t, t.TempDir())
	if wrap != nil {
		inner[storageID] = wrap(inner[storageID].(storage.Extension))
	}
	h, tel := &statusHost{host: inner}, newTestTelemetry(t)
	exp, stop := startExporterIn(t, cfg, h, tel.settings())
	t.Cleanup(stop)
	return exp.(*logsExporter), tel, h
}

// The queue's size is read out of what exporterhelper stores, which is its own affair: it must be what its metric says.
func TestQueueSizeIsExporterhelpers(t *testing.T) {
	for _, sizer := range []exporterhelper.RequestSizerType{
		exporterhelper.RequestSizerTypeBytes, exporterhelper.RequestSizerTypeItems, exporterhelper.RequestSizerTypeRequests,
	} {
		t.Run(sizer.String(), func(t *testing.T) {
			exp, tel, _ := startQueue(t, func(cfg *Config) { cfg.QueueConfig.Get().Sizer = sizer }, nil)
			for range 30 {
				send(t, exp, "line", 7)
			}
			require.Eventually(t, func() bool {
				held, known := exp.watch.Held()
				return known && held > 0 && float64(held) == tel.sum(t, "otelcol_exporter_queue_size")
			}, 30*time.Second, 10*time.Millisecond)
		})
	}
}

func TestOutageTellsHowLongTheQueueHolds(t *testing.T) {
	exp, tel, _ := startQueue(t, nil, nil)
	send(t, exp, "line", 1000)
	tel.requireSum(t, "otelcol_exporter_siem_healthy", 0)

	lines := tel.logs.FilterMessage("Logs wait in the queue and are sent again").All()
	require.Len(t, lines, 1)
	assert.Regexp(t, `^at the rate of the last hour this queue holds [0-9.]+ (minutes|hours); 0 % of it are in use, and it is full in [0-9.]+ (minutes|hours)$`,
		lines[0].ContextMap()["queue"])
	tolerance, left := tel.sum(t, "otelcol_exporter_siem_queue_outage_tolerance"), tel.sum(t, "otelcol_exporter_siem_queue_time_to_full")
	assert.Positive(t, tolerance)
	assert.Positive(t, left)

	exp.siem.health.remind(time.Hour)
	assert.Zero(t, tel.logs.FilterMessage("Logs still wait").Len())
	exp.siem.health.remind(0)
	assert.Equal(t, 1, tel.logs.FilterMessage("Logs still wait").Len())
	assert.Zero(t, tel.logs.FilterMessage("Exporting failed. Will retry the request after interval.").Len())
}

func TestPace(t *testing.T) {
	begin := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	p := newPace(begin)
	assert.Zero(t, p.perSecond(begin))
	p.add(600, begin)
	assert.InDelta(t, 10, p.perSecond(begin.Add(time.Minute)), 0.01, "since the start")
	for i := range 180 {
		p.add(60, begin.Add(time.Duration(i)*time.Minute))
	}
	assert.InDelta(t, 1, p.perSecond(begin.Add(180*time.Minute-time.Second)), 0.01, "the last hour, and nothing older")
	assert.Zero(t, p.perSecond(begin.Add(5*time.Hour)))
	_, moving := lasts(1, 0)
	assert.False(t, moving)
	d, _ := lasts(1<<62, 1e-9)
	assert.Positive(t, d, "no overflow")
	assert.Equal(t, "3.5 hours", inHours(3*time.Hour+30*time.Minute))
	assert.Equal(t, "48 hours", inHours(48*time.Hour))
	assert.Equal(t, "5 minutes", inHours(5*time.Minute))
}

// A stop in the middle of an outage: what waits stays on disk, so the log does not say that it is dropped.
func TestNothingIsSaidToBeDroppedThatIsNot(t *testing.T) {
	p := newPKI()
	cfg := testConfig(t, ProtocolGRPC, "127.0.0.1:1", p.ca, p.leaf)
	tel := newTestTelemetry(t)
	exp, stop := startExporterIn(t, cfg, newHost(t, t.TempDir()), tel.settings())
	for range 20 {
		send(t, exp, "line", 10)
	}
	tel.requireSum(t, "otelcol_exporter_siem_healthy", 0)
	stop()
	for _, entry := range tel.logs.All() {
		assert.NotContains(t, entry.Message, "Dropping data")
		assert.NotContains(t, entry.Message, "Exporting failed")
		assert.Empty(t, entry.Stack)
	}

	t.Run("in memory it is dropped, and said", func(t *testing.T) {
		cfg := testConfig(t, ProtocolGRPC, "127.0.0.1:1", p.ca, p.leaf)
		cfg.QueueConfig.Get().StorageID, cfg.AllowMemoryQueue = nil, true
		tel := newTestTelemetry(t)
		exp, stop := startExporterIn(t, cfg, newHost(t, t.TempDir()), tel.settings())
		send(t, exp, "line", 10)
		tel.requireSum(t, "otelcol_exporter_siem_healthy", 0)
		stop()
		assert.Positive(t, tel.logs.FilterMessage("Exporting failed. Dropping data.").Len())
	})
}

func TestFullDiskShows(t *testing.T) {
	var full atomic.Bool
	exp, tel, h := startQueue(t, nil, func(ext storage.Extension) component.Component { return queuetest.Disk{Extension: ext, Full: &full} })
	full.Store(true)
	logs, _ := records("line", 10)
	require.ErrorIs(t, exp.ConsumeLogs(t.Context(), logs), syscall.ENOSPC)
	assert.Equal(t, componentstatus.StatusRecoverableError, h.last().Status())
	assert.ErrorContains(t, h.last().Err(), "no space left on device")
	require.Equal(t, 1, tel.logs.FilterMessageSnippet("The queue cannot be written").Len())

	full.Store(false)
	require.NoError(t, exp.ConsumeLogs(t.Context(), logs))
	require.Equal(t, 1, tel.logs.FilterMessage("The queue can be written again").Len())
}

// exporterhelper counts what its storage refused as held. A disk that was full for long while the SIEM took all there was
// left a queue that is empty and counts as full: it must go on when there is room again.
func TestFullDiskHealsAfterMoreThanTheQueueWasRefused(t *testing.T) {
	p := newPKI()
	s := newSink()
	addr, _ := s.serveGRPC(t, anyPort, serverTLS(p.leaf))
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.QueueConfig.Get().QueueSize = 20_000
	var full atomic.Bool
	h := newHost(t, t.TempDir())
	h[storageID] = queuetest.Disk{Extension: h[storageID].(storage.Extension), Full: &full}
	exp, stop := startExporterIn(t, cfg, h, newTestTelemetry(t).settings())
	t.Cleanup(stop)
	requireDelivered(t, s, send(t, exp, "before", 10))

	full.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	logs, refused := records("refused", 100)
	for range 100 {
		require.ErrorIs(t, exp.ConsumeLogs(ctx, logs), syscall.ENOSPC)
	}
	full.Store(false)
	require.NoError(t, exp.ConsumeLogs(ctx, logs))
	requireDelivered(t, s, refused)
}

func TestFullQueueShows(t *testing.T) {
	exp, tel, h := startQueue(t, func(cfg *Config) {
		cfg.QueueConfig.Get().Sizer, cfg.QueueConfig.Get().QueueSize = exporterhelper.RequestSizerTypeRequests, 2
	}, nil)
	send(t, exp, "a", 1)
	send(t, exp, "b", 1)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() { waiting <- exp.ConsumeLogs(ctx, plogOf("c")) }()
	require.Eventually(t, func() bool {
		why := h.last().Err()
		return why != nil && strings.Contains(why.Error(), "the queue is full")
	}, 30*time.Second, 10*time.Millisecond)
	assert.Equal(t, 1, tel.logs.FilterMessageSnippet("The queue is full").Len())
	cancel()
	require.Error(t, <-waiting)
	require.Eventually(t, func() bool { return tel.logs.FilterMessage("There is room in the queue again").Len() == 1 }, 30*time.Second, 10*time.Millisecond)
}

// A request that is larger than the queue would wait for ever: it is cut, and one record that is larger is a dead letter.
func TestRequestLargerThanTheQueueIsCut(t *testing.T) {
	p := newPKI()
	s := newSink()
	addr, _ := s.serveGRPC(t, anyPort, serverTLS(p.leaf))
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.QueueConfig.Get().QueueSize = 100_000
	cfg.DeadLetter.Directory = t.TempDir()
	exp := startExporter(t, cfg)

	logs := plog.NewLogs()
	scope := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	var sent []string
	for i := range 50 {
		body := strings.Repeat(string(rune('0'+i)), 10_000)
		scope.LogRecords().AppendEmpty().Body().SetStr(body)
		sent = append(sent, body)
	}
	scope.LogRecords().AppendEmpty().Body().SetStr(strings.Repeat("x", 200_000))
	require.NoError(t, exp.ConsumeLogs(t.Context(), logs))
	requireDelivered(t, s, sent)
	letters, err := os.ReadFile(exp.(*logsExporter).siem.letters.path)
	require.NoError(t, err)
	assert.Contains(t, string(letters), "larger than the queue")
}

// onDisk is a storage extension that keeps its files in a directory.
type onDisk struct {
	storage.Extension
	dir string
}

func (d onDisk) Directory() string { return d.dir }

func TestQueueTakesAtMostHalfOfItsDisk(t *testing.T) {
	dir := t.TempDir()
	size, err := fileSystemSize(dir)
	require.NoError(t, err)
	exp, tel, _ := startQueue(t, func(cfg *Config) { cfg.QueueConfig.Get().QueueSize = 2 * size },
		func(ext storage.Extension) component.Component { return onDisk{ext, dir} })
	assert.Equal(t, size/2, exp.capacity)
	assert.Equal(t, float64(size/2), tel.sum(t, "otelcol_exporter_queue_capacity"))
	assert.Equal(t, 1, tel.logs.FilterMessageSnippet("The queue's disk is small").Len())

	_, err = fileSystemSize(filepath.Join(dir, "nothing"))
	assert.True(t, errors.Is(err, os.ErrNotExist))
}

// gated makes the sink answer nothing until the returned function is called.
func gated(s *sink) (open func()) {
	gate := make(chan struct{})
	s.respond(func(plog.Logs) (plogotlp.ExportResponse, error) {
		<-gate
		return plogotlp.NewExportResponse(), nil
	})
	return sync.OnceFunc(func() { close(gate) })
}

// The seal that closes an agent's stream enters the queue last, a moment before the exporter is stopped.
func TestStopSendsWhatTheQueueHolds(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p, s := newPKI(), newSink()
		open := gated(s)
		defer open()
		addr, _ := s.serve(t, protocol, anyPort, serverTLS(p.leaf))
		exp, stop := startExporterIn(t, oneByOne(testConfig(t, protocol, addr, p.ca, p.leaf)), newHost(t, t.TempDir()), nopSettings())
		exp.(*logsExporter).drainTime = time.Minute
		var sent []string
		for i := range 20 {
			sent = append(sent, send(t, exp, fmt.Sprint("request", i), 1)...)
		}
		stopped := make(chan struct{})
		go func() { defer close(stopped); stop() }()
		open()
		<-stopped
		taken := s.snapshot()
		for _, body := range sent {
			assert.Equal(t, 1, taken[body], body)
		}
	})
}

// A SIEM that is slow holds a stop up for so long and no longer, and one that is away not at all. What it has not taken is not lost.
func TestStopDoesNotWaitForASlowSIEM(t *testing.T) {
	for name, c := range map[string]struct{ timeout, drainTime time.Duration }{
		"slow": {time.Hour, time.Millisecond},
		"away": {time.Millisecond, time.Hour}, // no request is answered in time
	} {
		t.Run(name, func(t *testing.T) {
			p, s := newPKI(), newSink()
			open := gated(s)
			defer open()
			addr, _ := s.serveGRPC(t, anyPort, serverTLS(p.leaf))
			cfg, storage, settings := oneByOne(testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)), newHost(t, t.TempDir()), nopSettings()
			setTimeout(cfg, c.timeout)
			exp, stop := startExporterIn(t, cfg, storage, settings)
			l := exp.(*logsExporter)
			l.drainTime = c.drainTime
			var sent []string
			for i := range 20 {
				sent = append(sent, send(t, exp, fmt.Sprint("request", i), 1)...)
			}
			stopped := make(chan struct{})
			go func() { defer close(stopped); stop() }()
			select {
			case <-l.siem.stop: // while the SIEM has answered nothing
			case <-time.After(time.Minute):
				t.Error("the stop waits for the SIEM")
			}
			open()
			<-stopped

			setTimeout(cfg, time.Minute)
			_, stop = startExporterIn(t, cfg, storage, settings)
			t.Cleanup(stop)
			requireDelivered(t, s, sent)
		})
	}
}

// oneByOne has requests sent as they came, one after the other.
func oneByOne(cfg *Config) *Config {
	queue := cfg.QueueConfig.Get()
	queue.Batch, queue.NumConsumers = configoptional.None[exporterhelper.BatchConfig](), 1
	return cfg
}
