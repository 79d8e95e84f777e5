// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/logseal/logseal/internal/hectest"
	"github.com/logseal/logseal/pkg/seal"
)

// indexer is an HTTP Event Collector for tests, and what it was given.
type indexer struct {
	hectest.Server
	inbox

	answerMu sync.Mutex
	requests int
	answer   func([]hectest.Event) hectest.Answer
}

func newIndexer() *indexer {
	x := &indexer{}
	x.Token = hecToken
	x.Judge = func(events []hectest.Event) hectest.Answer {
		x.answerMu.Lock()
		defer x.answerMu.Unlock()
		x.requests++
		if x.answer == nil {
			return hectest.Answer{}
		}
		return x.answer(events)
	}
	x.Take = func(events []hectest.Event) {
		for _, event := range events {
			x.put(event.Raw())
		}
	}
	return x
}

func (x *indexer) respond(answer func([]hectest.Event) hectest.Answer) {
	x.answerMu.Lock()
	defer x.answerMu.Unlock()
	x.answer = answer
}

func (x *indexer) requestCount() int {
	x.answerMu.Lock()
	defer x.answerMu.Unlock()
	return x.requests
}

func (x *indexer) serve(t *testing.T, p *pki, addr string) (string, func()) {
	t.Helper()
	return serveHTTPAt(t, x, addr, serverTLS(p.leaf))
}

func hecConfig(t *testing.T, p *pki, addr string) *Config {
	t.Helper()
	cfg := testConfig(t, ProtocolSplunkHEC, addr, p.ca, p.leaf)
	cfg.DeadLetter.Directory = t.TempDir()
	return cfg
}

// bodiesOf are the bodies of originals.
func bodiesOf(t testing.TB, lines []string) (out []string) {
	t.Helper()
	for _, text := range lines {
		logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs([]byte(text))
		require.NoError(t, err)
		out = append(out, bodies(logs)...)
	}
	return out
}

func counts(all []string) map[string]int {
	n := map[string]int{}
	for _, text := range all {
		n[text]++
	}
	return n
}

func requireArrived(t testing.TB, received func() []string, want []string) {
	t.Helper()
	require.Eventually(t, func() bool {
		got := counts(bodiesOf(t, received()))
		return !slices.ContainsFunc(want, func(body string) bool { return got[body] == 0 })
	}, 60*time.Second, 10*time.Millisecond)
}

func TestHECCorpora(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	addr, _ := x.serve(t, p, "127.0.0.1:0")
	testCorpora(t, startExporter(t, hecConfig(t, p, addr)), x.all)
}

func eventLogs() plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("host.name", "web-17")
	resource.Resource().Attributes().PutStr("team", "payments")
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	full := records.AppendEmpty()
	full.SetTimestamp(1764324672_012345678)
	full.SetSeverityNumber(plog.SeverityNumberWarn)
	full.SetSeverityText("warning")
	full.Body().SetStr("a \"quoted\"\nline")
	full.Attributes().PutStr("log.file.path", "/var/log/app.log")
	full.Attributes().PutStr("com.example.index", "web")
	full.Attributes().PutStr(seal.IDKey, "quqke2rj-150")
	observed := records.AppendEmpty()
	observed.SetObservedTimestamp(1764324672_999999999)
	observed.SetSeverityNumber(plog.SeverityNumberError2)
	records.AppendEmpty()
	return logs
}

func TestHECEvent(t *testing.T) {
	p := newPKI()
	for name, tt := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"defaults": {
			func(*Config) {},
			[]string{
				`{"time":1764324672.012,"host":"web-17","source":"/var/log/app.log","sourcetype":"logseal:original","event":ORIGINAL,"fields":{"time_unix_nano":"1764324672012345678","severity":"warning","logseal_id":"quqke2rj-150"}}`,
				`{"time":1764324672.999,"host":"web-17","sourcetype":"logseal:original","event":ORIGINAL,"fields":{"time_unix_nano":"1764324672999999999","severity":"Error2"}}`,
				`{"host":"web-17","sourcetype":"logseal:original","event":ORIGINAL,"fields":{}}`,
			},
		},
		"fixed, and from attributes": {
			func(cfg *Config) {
				cfg.hec.Host = EventField{Value: "fixed"}
				cfg.hec.Source = EventField{Attribute: "team", Value: "unused"}
				cfg.hec.SourceType = EventField{Attribute: "log.file.path", Value: "none"}
				cfg.hec.Index = EventField{Attribute: "com.example.index", Value: "main"}
			},
			[]string{
				`{"time":1764324672.012,"host":"fixed","source":"payments","sourcetype":"/var/log/app.log","index":"web","event":ORIGINAL,"fields":{"time_unix_nano":"1764324672012345678","severity":"warning","logseal_id":"quqke2rj-150"}}`,
				`{"time":1764324672.999,"host":"fixed","source":"payments","sourcetype":"none","index":"main","event":ORIGINAL,"fields":{"time_unix_nano":"1764324672999999999","severity":"Error2"}}`,
				`{"host":"fixed","source":"payments","sourcetype":"none","index":"main","event":ORIGINAL,"fields":{}}`,
			},
		},
		"text": {
			func(cfg *Config) { cfg.format, cfg.hec.SourceType = FormatText, EventField{} },
			[]string{
				`{"time":1764324672.012,"host":"web-17","source":"/var/log/app.log","event":"a \"quoted\"\nline","fields":{"time_unix_nano":"1764324672012345678","severity":"warning","logseal_id":"quqke2rj-150"}}`,
				`{"time":1764324672.999,"host":"web-17","event":"-","fields":{"time_unix_nano":"1764324672999999999","severity":"Error2"}}`,
				`{"host":"web-17","event":"-","fields":{}}`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := hecConfig(t, p, "127.0.0.1:1")
			tt.change(cfg)
			w, err := newEventWriter(cfg.hec, cfg.format, gzip.NoCompression)
			require.NoError(t, err)
			body, events, all, err := w.body(encoded(t, eventLogs()).wire, 1<<20)
			require.NoError(t, err)
			require.True(t, all)
			require.Equal(t, 3, events)
			want := ""
			for i, original := range originalsOf(eventLogs()) {
				quoted, err := json.Marshal(original)
				require.NoError(t, err)
				want += strings.Replace(tt.want[i], "ORIGINAL", string(quoted), 1)
			}
			assert.Equal(t, want, string(body))
		})
	}
}

// TestHECBody: a request is the same events whether it is compressed or not, at every level, and is cut behind the last one that fits.
func TestHECBody(t *testing.T) {
	p := newPKI()
	cfg := hecConfig(t, p, "127.0.0.1:1")
	logs, _ := records("a line", 500) // more than one chunk
	wire := encoded(t, logs).wire
	body := func(w *eventWriter, limit int) (text string, events int, all bool) {
		t.Helper()
		body, events, all, err := w.body(wire, limit)
		require.NoError(t, err)
		if w.zip == nil {
			return string(body), events, all
		}
		r, err := gzip.NewReader(bytes.NewReader(body))
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		return string(content), events, all
	}
	plain, err := newEventWriter(cfg.hec, cfg.format, gzip.NoCompression)
	require.NoError(t, err)
	want, events, all := body(plain, 1<<30)
	require.True(t, all)
	require.Equal(t, 500, events)
	require.Greater(t, len(want), 2*eventChunk)
	ends := []int{} // of each event
	for at := 0; at < len(want); {
		event := json.NewDecoder(strings.NewReader(want[at:]))
		require.NoError(t, event.Decode(new(hectest.Event)))
		at += int(event.InputOffset())
		ends = append(ends, at)
	}
	for level := gzip.HuffmanOnly; level <= gzip.BestCompression; level++ {
		w, err := newEventWriter(cfg.hec, cfg.format, level)
		require.NoError(t, err)
		for _, limit := range []int{1, ends[0], ends[1] - 1, ends[1], ends[300] - 1, ends[300], ends[499] - 1, ends[499]} {
			fit := max(1, len(slices.DeleteFunc(slices.Clone(ends), func(end int) bool { return end > limit })))
			got, events, all := body(w, limit)
			assert.Equal(t, want[:ends[fit-1]], got, "level %d, limit %d", level, limit)
			assert.Equal(t, fit, events)
			assert.Equal(t, fit == len(ends), all)
		}
	}
}

// TestFormsOfOtherEncoders: what a queue holds that pdata would have encoded otherwise is sent as pdata decodes it, and what it does not decode is refused.
func TestFormsOfOtherEncoders(t *testing.T) {
	p := newPKI()
	cfg := hecConfig(t, p, "127.0.0.1:1")
	// A record with two bodies: the last one counts.
	wire := []byte{0x0a, 14, 0x12, 12, 0x12, 10, 0x2a, 3, 0x0a, 1, 'a', 0x2a, 3, 0x0a, 1, 'b'}
	logs := decoded(t, wire)
	require.Equal(t, "b", logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str())
	want := originalsOf(logs)

	events := &hecClient{config: cfg}
	events.writers.New = func() any {
		w, err := newEventWriter(cfg.hec, cfg.format, gzip.NoCompression)
		require.NoError(t, err)
		return w
	}
	messages := &syslogClient{limit: 1 << 20}
	messages.writers.New = func() any { return &messageWriter{config: defaultSyslog(), format: FormatOriginal} }

	body, n, err := events.body(wire)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	var event hectest.Event
	require.NoError(t, json.Unmarshal(body, &event))
	assert.Equal(t, want, []string{event.Raw()})
	frames, n, err := messages.frames(wire)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	assert.True(t, strings.HasSuffix(string(frames), " "+want[0]))

	damaged := []byte{0x0a, 6, 0x12, 4, 0x12, 2, 0x2a, 0x05}
	_, _, err = events.body(damaged)
	assert.Equal(t, &refusal{verdict: invalid, cause: "encoding", message: "the records cannot be decoded"}, err)
	_, _, err = messages.frames(damaged)
	assert.Equal(t, &refusal{verdict: invalid, cause: "encoding", message: "the records cannot be decoded"}, err)
}

// TestHECRefusals: what a collector refuses as a whole waits, and shows under a word of its own.
func TestHECRefusals(t *testing.T) {
	p := newPKI()
	for cause, answer := range map[string]hectest.Answer{
		"hec_token_disabled":        hectest.TokenDisabled,
		"hec_token_required":        hectest.TokenRequired,
		"hec_invalid_authorization": hectest.Unauthorized,
		"hec_invalid_token":         hectest.InvalidToken,
		"hec_busy":                  hectest.Busy,
		"hec_incorrect_index":       hectest.IncorrectIndex.At(0),
		"hec_channel_missing":       hectest.ChannelMissing,
		"http_500":                  hectest.InternalError,
		"http_400":                  hectest.AckDisabled, // of a code that says nothing of events
	} {
		t.Run(cause, func(t *testing.T) {
			t.Parallel()
			x := newIndexer()
			x.respond(func([]hectest.Event) hectest.Answer { return answer })
			addr, _ := x.serve(t, p, "127.0.0.1:0")
			cfg := hecConfig(t, p, addr)
			tel := newTestTelemetry(t)
			sent := send(t, startExporterWith(t, cfg, tel.settings()), "held", 20)
			require.Eventually(t, func() bool {
				return tel.sum(t, "otelcol_exporter_siem_retries", "cause", cause) >= 2
			}, 30*time.Second, 5*time.Millisecond, "%v", tel.points(t, "otelcol_exporter_siem_retries"))
			x.respond(nil)
			requireArrived(t, x.all, sent)
			for body, times := range counts(bodiesOf(t, x.all())) {
				assert.Equal(t, 1, times, body)
			}
			assert.Empty(t, readDeadLetters(t, cfg))
		})
	}
}

// TestHECNotACollector: only the collector's own success counts.
func TestHECNotACollector(t *testing.T) {
	p := newPKI()
	for name, body := range map[string]string{"nothing": "", "text": "ok", "web page": "<html>", "other JSON": `{"status":"ok"}`, "HEC's error": `{"text":"Server is busy","code":9}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
			addr, stop := serveHTTPAt(t, wrong, "127.0.0.1:0", serverTLS(p.leaf))
			tel := newTestTelemetry(t)
			sent := send(t, startExporterWith(t, hecConfig(t, p, addr), tel.settings()), "held", 5)
			require.Eventually(t, func() bool {
				return tel.sum(t, "otelcol_exporter_siem_retries", "cause", "not_hec") >= 2
			}, 30*time.Second, 5*time.Millisecond)
			stop()
			x := newIndexer()
			x.serve(t, p, addr)
			requireArrived(t, x.all, sent)
		})
	}
}

// TestHECIsolation: an event that the collector names is a dead letter, found without halving; the others arrive.
func TestHECIsolation(t *testing.T) {
	p := newPKI()
	for name, answer := range map[string]hectest.Answer{
		"invalid format": hectest.InvalidFormat, "blank": hectest.EventBlank, "fields": hectest.InvalidFields,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newIndexer()
			x.respond(func(events []hectest.Event) hectest.Answer {
				for n, event := range events {
					if strings.Contains(event.Raw(), `"r-700"`) || strings.Contains(event.Raw(), `"r-3"`) {
						return answer.At(n)
					}
				}
				return hectest.Answer{}
			})
			addr, _ := x.serve(t, p, "127.0.0.1:0")
			cfg := hecConfig(t, p, addr)
			sent := send(t, startExporter(t, cfg), "r", 1000)
			requireArrived(t, x.all, slices.DeleteFunc(sent, func(b string) bool { return b == "r-700" || b == "r-3" }))
			letters := waitForDeadLetters(t, cfg, 2)
			assert.Equal(t, []string{"r-3"}, letters[0].bodies(t))
			assert.Equal(t, []string{"r-700"}, letters[1].bodies(t))
			assert.Equal(t, causeInvalid, letters[0].Cause)
			assert.LessOrEqual(t, x.requestCount(), 7, "each bad event costs three requests")
		})
	}
}

// TestHECIndexOfARecord: a record that names an index which the token does not allow harms nobody but itself; the configured index is the
// operator's to allow.
func TestHECIndexOfARecord(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	x.Indexes = []string{"main"}
	addr, _ := x.serve(t, p, "127.0.0.1:0")
	cfg := hecConfig(t, p, addr)
	cfg.hec.Index = EventField{Attribute: "index", Value: "main"}
	logs, sent := records("r", 50)
	logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(20).Attributes().PutStr("index", "secret")
	require.NoError(t, startExporter(t, cfg).ConsumeLogs(t.Context(), logs))
	requireArrived(t, x.all, slices.DeleteFunc(sent, func(b string) bool { return b == "r-20" }))
	letters := waitForDeadLetters(t, cfg, 1)
	assert.Equal(t, []string{"r-20"}, letters[0].bodies(t))
	assert.Contains(t, letters[0].Reason, "Incorrect index")

	cfg = hecConfig(t, p, addr)
	cfg.hec.Index = EventField{Attribute: "index", Value: "elsewhere"}
	tel := newTestTelemetry(t)
	send(t, startExporterWith(t, cfg, tel.settings()), "held", 5)
	require.Eventually(t, func() bool {
		return tel.sum(t, "otelcol_exporter_siem_retries", "cause", "hec_incorrect_index") >= 2
	}, 30*time.Second, 5*time.Millisecond)
	assert.Empty(t, readDeadLetters(t, cfg))
}

// TestHECContentLength: requests keep to the bound, and each record arrives once.
func TestHECContentLength(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	x.MaxContentLength = 20_000
	addr, _ := x.serve(t, p, "127.0.0.1:0")
	cfg := hecConfig(t, p, addr)
	cfg.hec.MaxContentLength = 20_000
	requireArrived(t, x.all, send(t, startExporter(t, cfg), "r", 2000))
	for body, times := range counts(bodiesOf(t, x.all())) {
		assert.Equal(t, 1, times, body)
	}
	assert.Empty(t, readDeadLetters(t, cfg))
}

// TestHECAcknowledged: a request leaves the queue when the indexer has stored it, and not when it was taken.
func TestHECAcknowledged(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	x.Acknowledge = true
	x.Hold(true)
	addr, _ := x.serve(t, p, "127.0.0.1:0")
	cfg := hecConfig(t, p, addr)
	core, logged := observer.New(zap.InfoLevel)
	tel := newTestTelemetry(t)
	set := tel.settings()
	set.Logger = zap.New(core)
	exp := startExporterWith(t, cfg, set)
	requireArrived(t, x.all, send(t, exp, "promised", 100))
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_unacknowledged_records") == 100 }, 30*time.Second, 5*time.Millisecond)
	assert.Positive(t, tel.sum(t, "otelcol_exporter_queue_size"))
	x.Hold(false)
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_queue_size") == 0 }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_unacknowledged_records") == 0 }, 30*time.Second, 5*time.Millisecond)
	assert.Len(t, x.all(), 100, "nothing was sent twice")
	assert.Equal(t, 1, logged.FilterMessageSnippet("The indexer acknowledges").Len())
}

// TestHECCrashOfTheIndexer: what an indexer took, and lost before it was stored, is sent again.
func TestHECCrashOfTheIndexer(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	x.Acknowledge = true
	x.Hold(true)
	addr, stop := x.serve(t, p, "127.0.0.1:0")
	cfg := hecConfig(t, p, addr)
	cfg.hec.AckTimeout = 500 * time.Millisecond
	setTimeout(cfg, 2*time.Second) // which it waits for one more answer
	exp := startExporter(t, cfg)
	sent := send(t, exp, "lost", 100)
	requireArrived(t, x.all, sent)
	stop() // and what it took was in its memory

	again := newIndexer()
	again.Acknowledge = true
	again.serve(t, p, addr)
	requireArrived(t, again.all, sent)
}

// TestHECNumbersThatComeTwice: nothing that one of two indexers has stored stands for what the other has lost.
func TestHECNumbersThatComeTwice(t *testing.T) {
	rs := receipts{patience: time.Minute, grace: time.Minute, stopping: make(chan struct{})}
	asked := make(chan []uint64, 100)
	rs.ask = func(_ context.Context, _ string, numbers []uint64) ([]uint64, error) {
		asked <- numbers
		return nil, nil
	}
	var doubtful, fine atomic.Bool
	await := func(channel string, number uint64, doubtful *atomic.Bool) <-chan error {
		done := make(chan error, 1)
		go func() {
			done <- rs.await(t.Context(), &receipt{channel: channel, number: number, records: 1, doubtful: doubtful})
		}()
		return done
	}
	earlier := []<-chan error{await("c", 7, &doubtful), await("c", 8, &doubtful)}
	other := await("d", 7, &fine)
	require.Eventually(t, func() bool { return rs.records() == 3 }, 30*time.Second, time.Millisecond)
	<-asked
	for _, done := range append(earlier, await("c", 7, &doubtful), await("c", 9, &doubtful)) {
		var r *refusal
		require.ErrorAs(t, <-done, &r)
		assert.Equal(t, causeNotStored, r.cause)
	}
	assert.True(t, doubtful.Load())
	rs.keep("c", []uint64{7, 8, 9}, nil)
	assert.Equal(t, 1, rs.records())
	rs.keep("d", []uint64{7}, nil)
	require.NoError(t, <-other)
	rs.close()
}

// TestHECTwoIndexersBehindOneAddress: what one of them took, and lost in a crash, is sent again although the other has stored its own request of
// that number.
func TestHECTwoIndexersBehindOneAddress(t *testing.T) {
	p := newPKI()
	first, second := newIndexer(), newIndexer()
	first.Acknowledge, second.Acknowledge = true, true
	first.Hold(true)
	second.Hold(true)
	var posts atomic.Int64
	front := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == hecEventPath && posts.Add(1) == 2 {
			second.ServeHTTP(w, r)
			return
		}
		first.ServeHTTP(w, r)
	})
	addr, _ := serveHTTPAt(t, front, "127.0.0.1:0", serverTLS(p.leaf))
	exp := startExporter(t, hecConfig(t, p, addr))
	sent := send(t, exp, "first", 10)
	requireArrived(t, first.all, sent)
	lost := send(t, exp, "lost", 10)
	requireArrived(t, second.all, lost) // and it crashes
	first.Hold(false)
	requireArrived(t, first.all, append(sent, lost...))
}

// TestHECIndexersInTurn: two indexers that answer in turn get everything between them, and the queue empties.
func TestHECIndexersInTurn(t *testing.T) {
	p := newPKI()
	indexers := [2]*indexer{newIndexer(), newIndexer()}
	for _, x := range indexers {
		x.Acknowledge = true
	}
	var requests atomic.Int64
	front := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		indexers[requests.Add(1)%2].ServeHTTP(w, r)
	})
	addr, _ := serveHTTPAt(t, front, "127.0.0.1:0", serverTLS(p.leaf))
	tel := newTestTelemetry(t)
	exp := startExporterWith(t, hecConfig(t, p, addr), tel.settings())
	var sent []string
	for i := range 50 {
		sent = append(sent, send(t, exp, fmt.Sprintf("turn%d", i), 10)...)
	}
	requireArrived(t, func() []string { return append(indexers[0].all(), indexers[1].all()...) }, sent)
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_queue_size") == 0 }, 60*time.Second, 10*time.Millisecond)
}

// TestHECRestartOfTheIndexer: a restarted indexer counts anew. What it lost is not taken for the request that has the number now, even while nobody
// knows yet that it has.
func TestHECRestartOfTheIndexer(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	x.Acknowledge = true
	x.Hold(true)
	addr, stop := x.serve(t, p, "127.0.0.1:0")
	cfg := hecConfig(t, p, addr)
	cfg.hec.AckTimeout = 5 * time.Second
	tel := newTestTelemetry(t)
	exp := startExporterWith(t, cfg, tel.settings())
	sent := send(t, exp, "lost", 10)
	requireArrived(t, x.all, sent)
	stop()
	rs := &exp.(*logsExporter).siem.targets.list[0].receipts
	require.Eventually(t, func() bool {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		return rs.failure != nil
	}, 30*time.Second, time.Millisecond)

	again := newIndexer()
	again.Acknowledge = true
	asked, answer := make(chan struct{}, 1000), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		again.ServeHTTP(recorded, r)
		if r.URL.Path == hecEventPath {
			<-answer
		} else if len(again.all()) > 0 {
			asked <- struct{}{}
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
	serveHTTPAt(t, slow, addr, serverTLS(p.leaf))
	next := send(t, exp, "next", 1)
	requireArrived(t, again.all, next)
	select {
	case <-asked:
	case <-time.After(cfg.hec.AckTimeout): // it is sent again now, and no more asked for
	}
	close(answer)
	requireArrived(t, again.all, append(next, sent...))
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_queue_size") == 0 }, 30*time.Second, 10*time.Millisecond)
}

// TestHECGivesUpAChannel: a request that was not acknowledged in time is counted in another channel, in which no late word on it can be one on others.
func TestHECGivesUpAChannel(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	x.Acknowledge = true
	x.Hold(true)
	var mu sync.Mutex
	channels := map[string]bool{}
	front := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == hecEventPath {
			mu.Lock()
			channels[r.Header.Get(channelHeader)] = true
			mu.Unlock()
		}
		x.ServeHTTP(w, r)
	})
	addr, _ := serveHTTPAt(t, front, "127.0.0.1:0", serverTLS(p.leaf))
	cfg := hecConfig(t, p, addr)
	cfg.hec.AckTimeout = 100 * time.Millisecond
	exp := startExporterWith(t, cfg, newTestTelemetry(t).settings())
	send(t, exp, "a", 1)
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(channels) >= 3
	}, 30*time.Second, time.Millisecond)
	x.Hold(false)
}

// TestHECLeavesAChannel: after an answer that may hide a restart, requests are counted in another channel, and in the same one after others.
func TestHECLeavesAChannel(t *testing.T) {
	p := newPKI()
	for name, tt := range map[string]struct {
		status int
		body   string
		leaves bool
	}{
		"taken":        {http.StatusOK, `{"text":"Success","code":0,"ackId":3}`, false},
		"busy":         {http.StatusServiceUnavailable, `{"text":"Server is busy","code":9}`, false},
		"too large":    {http.StatusRequestEntityTooLarge, "<html>", false},
		"front":        {http.StatusBadGateway, "<html>", true},
		"another page": {http.StatusOK, "<html>", true},
	} {
		t.Run(name, func(t *testing.T) {
			answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			})
			addr, _ := serveHTTPAt(t, answer, "127.0.0.1:0", serverTLS(p.leaf))
			e, err := newExporter(hecConfig(t, p, addr), exportertest.NewNopSettings(NewFactory().Type()))
			require.NoError(t, err)
			require.NoError(t, e.start(t.Context(), newHost(t, t.TempDir())))
			t.Cleanup(func() { require.NoError(t, e.shutdown(context.Background())) })
			c := e.targets.list[0].client.(*hecClient)
			before := c.channel.Load()
			_, _ = c.export(t.Context(), encoded(t, plogOf("a")).wire)
			assert.Equal(t, tt.leaves, c.channel.Load() != before)
		})
	}
}

// TestHECStopsWhileUnacknowledged: a stop does not wait for an indexer that says nothing, and the queue keeps what it did not store.
func TestHECStopsWhileUnacknowledged(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	x.Acknowledge = true
	x.Hold(true)
	addr, _ := x.serve(t, p, "127.0.0.1:0")
	cfg := hecConfig(t, p, addr)
	cfg.hec.AckTimeout = time.Hour
	setTimeout(cfg, 2*time.Second) // which a stop waits for
	h := newHost(t, t.TempDir())
	set := exportertest.NewNopSettings(NewFactory().Type())
	exp, stop := startExporterIn(t, cfg, h, set)
	sent := send(t, exp, "kept", 10)
	requireArrived(t, x.all, sent)
	stop()
	x.Hold(false)
	_, stop = startExporterIn(t, cfg, h, set)
	t.Cleanup(stop)
	require.Eventually(t, func() bool {
		got := counts(bodiesOf(t, x.all()))
		return !slices.ContainsFunc(sent, func(body string) bool { return got[body] < 2 })
	}, 60*time.Second, 5*time.Millisecond)
}

func TestHECSaysWhatItDoesNotPromise(t *testing.T) {
	p := newPKI()
	x := newIndexer()
	addr, _ := x.serve(t, p, "127.0.0.1:0")
	cfg := hecConfig(t, p, addr)
	cfg.format = FormatText
	core, logged := observer.New(zap.InfoLevel)
	set := exportertest.NewNopSettings(NewFactory().Type())
	set.Logger = zap.New(core)
	exp := startExporterWith(t, cfg, set)
	send(t, exp, "plain", 5)
	require.Eventually(t, func() bool { return len(x.all()) == 5 }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { return logged.FilterMessageSnippet("does not acknowledge").Len() == 1 }, 30*time.Second, 5*time.Millisecond)
	assert.Equal(t, 1, logged.FilterMessageSnippet("format is text").Len())
	assert.Equal(t, "plain-0", x.all()[0])
}
