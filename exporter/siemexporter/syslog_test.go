// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/original"
)

// newReceiver returns a syslog receiver and what it was given: the messages' MSG.
func newReceiver() (*receiverOf, *inbox) {
	got := &inbox{}
	return &receiverOf{take: func(message string) error {
		got.put(msgOf(message))
		return nil
	}}, got
}

func syslogConfig(t *testing.T, p *pki, addr string) *Config {
	t.Helper()
	cfg := testConfig(t, ProtocolSyslog, addr, p.ca, p.leaf)
	cfg.DeadLetter.Directory = t.TempDir()
	return cfg
}

func TestSyslogCorpora(t *testing.T) {
	p := newPKI()
	receiver, got := newReceiver()
	addr, _ := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	testCorpora(t, startExporter(t, syslogConfig(t, p, addr)), got.all)
}

func TestSyslogMessage(t *testing.T) {
	at := func(change func(plog.LogRecord)) plog.LogRecord {
		record := plog.NewLogRecord()
		record.SetTimestamp(1764324672_012345678)
		record.Body().SetStr("line")
		change(record)
		return record
	}
	for name, tt := range map[string]struct {
		record plog.LogRecord
		text   bool
		want   string
	}{
		"original": {
			at(func(r plog.LogRecord) { r.Body().SetStr("a\nb") }), false,
			`<13>1 2025-11-28T10:11:12.012345Z web-17 - - original [logseal@32473 time_unix_nano="1764324672012345678"] {"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web-17"}}]},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":"1764324672012345678","body":{"stringValue":"a\nb"}}]}]}]}`,
		},
		"text":      {at(func(plog.LogRecord) {}), true, `<13>1 2025-11-28T10:11:12.012345Z web-17 - - text [logseal@32473 time_unix_nano="1764324672012345678"] line`},
		"nothing":   {plog.NewLogRecord(), true, `<13>1 - web-17 - - text - -`},
		"observed":  {at(func(r plog.LogRecord) { r.SetTimestamp(0); r.SetObservedTimestamp(1) }), true, `<13>1 1970-01-01T00:00:00.000000Z web-17 - - text [logseal@32473 time_unix_nano="1"] line`},
		"control":   {at(func(r plog.LogRecord) { r.SetTimestamp(0); r.Body().SetStr("a\n<13>1 - forged\r\x00\tz\x7f\u00e9") }), true, `<13>1 - web-17 - - text - a\n<13>1 - forged\r\u0000` + "\t" + `z\u007f` + "\u00e9"},
		"not UTF-8": {at(func(r plog.LogRecord) { r.SetTimestamp(0); r.Body().SetStr("\xff") }), true, "<13>1 - web-17 - - text - \uFFFD"},
		"escaped data": {at(func(r plog.LogRecord) {
			r.SetTimestamp(0)
			r.SetSeverityText("a\"b\\c]d\ne")
			r.Attributes().PutStr(seal.IDKey, "k-1")
		}), true, `<13>1 - web-17 - - text [logseal@32473 id="k-1" severity="a\"b\\c\]d e"] line`},
		"severity": {at(func(r plog.LogRecord) {
			r.SetTimestamp(0)
			r.SetSeverityNumber(plog.SeverityNumberError)
			r.Attributes().PutInt("facility", 16)
		}), true, `<131>1 - web-17 - - text [logseal@32473 severity="Error"] line`},
		"names": {
			at(func(r plog.LogRecord) {
				r.SetTimestamp(0)
				r.Attributes().PutStr("host.name", "a b\u00e9"+strings.Repeat("x", 300))
				r.Attributes().PutStr("service.name", "na\nme"+strings.Repeat("y", 60))
			}), true,
			`<13>1 - a_b_` + strings.Repeat("x", 250) + ` na_me` + strings.Repeat("y", 43) + ` - text - line`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			logs := plog.NewLogs()
			resource := logs.ResourceLogs().AppendEmpty()
			resource.Resource().Attributes().PutStr("host.name", "web-17")
			tt.record.CopyTo(resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
			w := &messageWriter{config: defaultSyslog(), format: FormatOriginal}
			if tt.text {
				w.format = FormatText
			}
			frames, messages, _, err := w.frames(encoded(t, logs).wire, 1<<20)
			require.NoError(t, err)
			require.Equal(t, 1, messages)
			message, err := readFrame(bufio.NewReader(strings.NewReader(string(frames))))
			require.NoError(t, err)
			assert.Equal(t, tt.want, message)
		})
	}
}

func TestSyslogPriorities(t *testing.T) {
	for severity, number := range map[int][]plog.SeverityNumber{
		0: {21, 24}, 1: {19, 20}, 2: {18}, 3: {17}, 4: {13, 16}, 5: {-1, 0, 10, 12}, 6: {9}, 7: {1, 8},
	} {
		for _, n := range number {
			assert.Equal(t, 8+severity, priority(&original.Record{SeverityNumber: n}), "severity number %d", n)
		}
	}
}

// FuzzSyslogMessage: whatever stands in a record, a strict parser of RFC 5424 reads a message of it, and the original out of that.
func FuzzSyslogMessage(f *testing.F) {
	f.Add("host", "app", "k-1", "info", "body", int64(1764324672_012345678))
	f.Add("h\x00", "\xff", "a\"]", "\\", "x\n<13>1 ", int64(-1))
	f.Fuzz(func(t *testing.T, host, app, id, severity, body string, nanos int64) {
		logs := plog.NewLogs()
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("host.name", host)
		resource.Resource().Attributes().PutStr("service.name", app)
		record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetTimestamp(pcommon.Timestamp(nanos))
		record.SetSeverityText(severity)
		record.Attributes().PutStr(seal.IDKey, id)
		record.Body().SetStr(body)
		for _, format := range []Format{FormatOriginal, FormatText} {
			w := &messageWriter{config: defaultSyslog(), format: format}
			frames, _, _, err := w.frames(encoded(t, logs).wire, 1<<30)
			require.NoError(t, err)
			message, err := readFrame(bufio.NewReader(strings.NewReader(string(frames))))
			if err != nil || strings.ContainsAny(message, "\n\r\x00") {
				t.Fatalf("%q: %v", message, err)
			}
			parsed, err := rfc5424.NewParser().Parse([]byte(message))
			if err != nil {
				t.Fatalf("%q: %v", message, err)
			}
			if msg := parsed.(*rfc5424.SyslogMessage).Message; format == FormatOriginal && (msg == nil || *msg != originalsOf(logs)[0]) {
				t.Fatalf("%q", message)
			}
		}
	})
}

// TestSyslogTooLong: a message that a receiver would cut is not sent. Its record is a dead letter, and named; the others arrive.
func TestSyslogTooLong(t *testing.T) {
	p := newPKI()
	receiver, got := newReceiver()
	addr, _ := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	cfg := syslogConfig(t, p, addr)
	cfg.syslog.MaxMessageBytes = 1000
	logs, sent := records("r", 100)
	long := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i, id := range map[int]string{0: "first-1", 57: "middle-58", 99: "last-100"} {
		long.At(i).Attributes().PutStr(seal.IDKey, id)
		long.At(i).Attributes().PutStr("long", strings.Repeat("x", 1000))
	}
	require.NoError(t, startExporter(t, cfg).ConsumeLogs(t.Context(), logs))
	letters := waitForDeadLetters(t, cfg, 3)
	requireArrived(t, got.all, slices.DeleteFunc(sent, func(b string) bool { return b == "r-0" || b == "r-57" || b == "r-99" }))
	assert.Len(t, got.all(), 97)
	for i, id := range []string{"first-1", "middle-58", "last-100"} {
		assert.Equal(t, causeTooLarge, letters[i].Cause)
		assert.Contains(t, letters[i].Reason, id+" makes a syslog message of 1")
		assert.Contains(t, letters[i].Reason, "syslog.max_message_bytes is 1000")
	}
}

// TestSyslogRepeatsAfterABreak: what a receiver's system has acknowledged, and its program lost in a crash, comes again.
func TestSyslogRepeatsAfterABreak(t *testing.T) {
	p := newPKI()
	receiver, got := newReceiver()
	addr, stop := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	cfg := syslogConfig(t, p, addr)
	tel := newTestTelemetry(t)
	exp := startExporterWith(t, cfg, tel.settings())
	sent := send(t, exp, "lost", 100)
	requireArrived(t, got.all, sent)
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_queue_size") == 0 }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_unacknowledged_records") == 100 }, 30*time.Second, 5*time.Millisecond)
	stop()

	again, gotAgain := newReceiver()
	again.serve(t, addr, serverTLS(p.leaf))
	sent = append(sent, send(t, exp, "next", 1)...)
	requireArrived(t, gotAgain.all, sent)
}

// TestSyslogStalledReceiver: what a receiver does not read stays in the queue as soon as its system is full, and what that had taken comes again
// when it crashes.
func TestSyslogStalledReceiver(t *testing.T) {
	p := newPKI()
	listener := listen(t, "127.0.0.1:0")
	stall := make(chan struct{})
	var stalled sync.WaitGroup
	stalled.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			stalled.Go(func() {
				defer conn.Close()
				first := &receiverOf{take: func(string) error { <-stall; return errors.New("crash") }}
				first.read(conn, serverTLS(p.leaf))
			})
		}
	})
	cfg := syslogConfig(t, p, listener.Addr().String())
	setTimeout(cfg, 2*time.Second)
	tel := newTestTelemetry(t)
	exp := startExporterWith(t, cfg, tel.settings())
	padding := strings.Repeat("x", 10_000)
	var sent []string
	for i := range 30 { // 30 MB, more than two systems hold
		sent = append(sent, send(t, exp, padding+string(rune('a'+i)), 100)...)
	}
	require.Eventually(t, func() bool {
		return tel.sum(t, "otelcol_exporter_siem_retries") >= 1
	}, 60*time.Second, 5*time.Millisecond)
	assert.Positive(t, tel.sum(t, "otelcol_exporter_queue_size"))
	listener.Close()
	close(stall)
	stalled.Wait()

	receiver, got := newReceiver()
	receiver.serve(t, listener.Addr().String(), serverTLS(p.leaf))
	requireArrived(t, got.all, sent)
}

// TestSyslogConfirmed: a connection that ends in order confirms what was sent on it, and nothing of that is repeated.
func TestSyslogConfirmed(t *testing.T) {
	p := newPKI()
	receiver, got := newReceiver()
	addr, _ := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	cfg := syslogConfig(t, p, addr)
	cfg.tls().ReloadInterval = time.Second
	core, logged := observer.New(zap.InfoLevel)
	tel := newTestTelemetry(t)
	set := tel.settings()
	set.Logger = zap.New(core)
	exp, stop := startExporterIn(t, cfg, newHost(t, t.TempDir()), set)
	requireArrived(t, got.all, send(t, exp, "before", 10))
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_queue_size") == 0 }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_unacknowledged_records") == 0 }, 30*time.Second, 5*time.Millisecond)
	requireArrived(t, got.all, send(t, exp, "after", 10))
	stop()
	assert.Len(t, got.all(), 20)
	assert.Zero(t, logged.FilterMessageSnippet("has not confirmed").Len())
	assert.Equal(t, 1, logged.FilterMessageSnippet("syslog has no acknowledgement").Len())
}

// TestSyslogUnconfirmedAtTheStop: a receiver that goes away without its end of the connection is asked once more, and what it then does not confirm
// is told.
func TestSyslogUnconfirmedAtTheStop(t *testing.T) {
	p := newPKI()
	receiver, got := newReceiver()
	addr, stopReceiver := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	cfg := syslogConfig(t, p, addr)
	core, logged := observer.New(zap.InfoLevel)
	tel := newTestTelemetry(t)
	set := tel.settings()
	set.Logger = zap.New(core)
	exp, stop := startExporterIn(t, cfg, newHost(t, t.TempDir()), set)
	requireArrived(t, got.all, send(t, exp, "last", 10))
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_queue_size") == 0 }, 30*time.Second, 5*time.Millisecond)
	stopReceiver()
	stop()
	told := logged.FilterMessageSnippet("has not confirmed").All()
	require.Len(t, told, 1)
	assert.EqualValues(t, 10, told[0].ContextMap()["records"])
}

// TestSyslogAnotherServer: whoever greets is no syslog receiver, even if it is the pinned party, and has taken nothing.
func TestSyslogAnotherServer(t *testing.T) {
	p := newPKI()
	listener := listen(t, "127.0.0.1:0")
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				server := tls.Server(conn, serverTLS(p.leaf))
				defer server.Close()
				_, _ = io.WriteString(server, "220 mail.example.com\r\n")
				_, _ = io.Copy(io.Discard, server)
			})
		}
	})
	tel := newTestTelemetry(t)
	cfg := syslogConfig(t, p, listener.Addr().String())
	sent := send(t, startExporterWith(t, cfg, tel.settings()), "held", 20)
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_retries", "cause", "not_syslog") >= 2 }, 30*time.Second, 5*time.Millisecond)
	listener.Close()
	serving.Wait()
	receiver, got := newReceiver()
	receiver.serve(t, listener.Addr().String(), serverTLS(p.leaf))
	requireArrived(t, got.all, sent)
	assert.Len(t, got.all(), 20)
}

// TestSyslogSwallowed: a path that acknowledges and swallows shows when the connection breaks, and then everything comes again.
func TestSyslogSwallowed(t *testing.T) {
	p := newPKI()
	receiver, got := newReceiver()
	serverAddr, _ := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	path := newFaultyPath(t, serverAddr, 1)
	path.becalm()
	exp := startExporter(t, syslogConfig(t, p, path.listener.Addr().String()))
	sent := send(t, exp, "before", 5)
	requireArrived(t, got.all, sent)
	close(path.swallow)
	sent = append(sent, send(t, exp, "swallowed", 5)...)
	path.becalm() // ends what exists
	sent = append(sent, send(t, exp, "after", 5)...)
	requireArrived(t, got.all, sent)
}

// TestSyslogConservation: what a path breaks and a receiver forgets comes again, as long as this process lives.
func TestSyslogConservation(t *testing.T) {
	duration := 3 * time.Second
	if text := os.Getenv("LOGSEAL_FAULTS_FOR"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	p := newPKI()
	receiver, got := newReceiver()
	serverAddr, stop := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	path := newFaultyPath(t, serverAddr, uint64(time.Now().UnixNano()))
	cfg := syslogConfig(t, p, path.listener.Addr().String())
	cfg.tls().ReloadInterval = time.Second
	cfg.syslog.probation = 50 * time.Millisecond
	setTimeout(cfg, time.Second)
	exp := startExporter(t, cfg)
	var sent []string
	for n, deadline := 0, time.Now().Add(duration); time.Now().Before(deadline); n++ {
		logs, bodies := records(string(rune('a'+n%26))+time.Now().Format(time.RFC3339Nano), 1+n%30)
		if consume(exp, logs) {
			sent = append(sent, bodies...)
		}
		if n%50 == 49 { // the receiver is restarted
			stop()
			_, stop = receiver.serve(t, serverAddr, serverTLS(p.leaf))
		}
		time.Sleep(5 * time.Millisecond)
	}
	path.becalm()
	sent = append(sent, send(t, exp, "last", 1)...)
	requireArrived(t, got.all, sent)
	t.Logf("%d records sent, %d messages received", len(sent), len(got.all()))
}

func TestSyslogTextSaysThatItProvesNothing(t *testing.T) {
	p := newPKI()
	receiver, got := newReceiver()
	addr, _ := receiver.serve(t, "127.0.0.1:0", serverTLS(p.leaf))
	cfg := syslogConfig(t, p, addr)
	cfg.format = FormatText
	core, logged := observer.New(zap.InfoLevel)
	set := exportertest.NewNopSettings(NewFactory().Type())
	set.Logger = zap.New(core)
	send(t, startExporterWith(t, cfg, set), "plain", 5)
	require.Eventually(t, func() bool { return len(got.all()) == 5 }, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, "plain-0", got.all()[0])
	assert.Equal(t, 1, logged.FilterMessageSnippet("format is text").Len())
}

// TestSystemAcknowledges: what SIOCOUTQ counts is what the other side's system has not taken.
func TestSystemAcknowledges(t *testing.T) {
	listener := listen(t, "127.0.0.1:0")
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	server, err := listener.Accept()
	require.NoError(t, err)
	defer server.Close()
	conn := client.(*net.TCPConn)
	much := make([]byte, 64<<20)
	require.NoError(t, conn.SetWriteDeadline(time.Now().Add(time.Second)))
	_, err = conn.Write(much) // nobody reads
	require.Error(t, err)
	waiting, err := unacked(conn)
	require.NoError(t, err)
	assert.Positive(t, waiting)
}
