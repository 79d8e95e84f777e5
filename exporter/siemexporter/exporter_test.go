// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
)

func nopSettings() exporter.Settings { return exportertest.NewNopSettings(NewFactory().Type()) }

func plogOf(prefix string) plog.Logs {
	logs, _ := records(prefix, 1)
	return logs
}

// TestHoldsAcrossRestart: what was queued when the process ended is delivered by the next one.
func TestHoldsAcrossRestart(t *testing.T) {
	p := newPKI()
	s := newSink()
	addr, stopServer := s.serveGRPC(t, anyPort, serverTLS(p.leaf))
	stopServer()
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	storage, settings := newHost(t, t.TempDir()), nopSettings() // the queue's name is made of the exporter's ID

	var sent []string
	first, stop := startExporterIn(t, cfg, storage, settings)
	for i := range 5 {
		sent = append(sent, send(t, first, "batch"+string(rune('a'+i)), 10)...)
	}
	stop() // does not wait for a SIEM that is away, else the test does not end

	s.serveGRPC(t, addr, serverTLS(p.leaf))
	_, stop = startExporterIn(t, cfg, storage, settings)
	t.Cleanup(stop)
	requireDelivered(t, s, sent)
}

// TestLargeRecord: exporterhelper's own cut drops a whole request for one record above the bound. Here the record goes by
// itself, and when even the server finds it too large it is a dead letter; its neighbours are delivered.
func TestLargeRecord(t *testing.T) {
	p := newPKI()
	s := newSink()
	addr, _ := s.serveGRPC(t, anyPort, serverTLS(p.leaf)) // refuses what is above 4 MiB
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.DeadLetter.Directory = t.TempDir()
	setTimeout(cfg, 10*time.Second)
	exp := startExporter(t, cfg)

	logs := plog.NewLogs()
	scope := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	var sent []string
	for i, size := range []int{10, 3_500_000, 10, 5_000_000, 10} {
		body := string(rune('a'+i)) + strings.Repeat("x", size)
		scope.LogRecords().AppendEmpty().Body().SetStr(body)
		if size < 4<<20 {
			sent = append(sent, body)
		}
	}
	require.NoError(t, exp.ConsumeLogs(t.Context(), logs))
	requireDelivered(t, s, sent)
	require.Eventually(t, func() bool {
		files, err := filepath.Glob(filepath.Join(cfg.DeadLetter.Directory, "*.jsonl"))
		if err != nil || len(files) != 1 {
			return false
		}
		letters, err := os.ReadFile(files[0])
		return err == nil && strings.Count(string(letters), "\n") == 1 && strings.Contains(string(letters), causeTooLarge)
	}, time.Minute, 10*time.Millisecond)
}

// TestLargeRequestIsSplit: no request is larger than the configured bound, whatever a receiver hands over.
func TestLargeRequestIsSplit(t *testing.T) {
	p := newPKI()
	s := newSink()
	addr, _ := s.serveGRPC(t, anyPort, serverTLS(p.leaf)) // gRPC servers refuse what is above 4 MiB
	exp := startExporter(t, testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf))

	logs := plog.NewLogs()
	scope := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	var sent []string
	filler := make([]byte, 100_000)
	for i := range filler {
		filler[i] = 'x'
	}
	for i := range 100 {
		body := string(rune('A'+i%26)) + string(rune('a'+i/26)) + string(filler)
		scope.LogRecords().AppendEmpty().Body().SetStr(body)
		sent = append(sent, body)
	}
	require.NoError(t, exp.ConsumeLogs(t.Context(), logs))
	requireDelivered(t, s, sent)
	assert.GreaterOrEqual(t, s.requestCount(), 4)
}
