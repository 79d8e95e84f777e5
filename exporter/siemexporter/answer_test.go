// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

func httpCode(code int) error { return httpAnswer{code: code} }

// statusBody is the body that OTLP prescribes for an HTTP answer other than success.
func statusBody(t *testing.T, code int, message string) httpAnswer {
	t.Helper()
	body, err := proto.Marshal(&spb.Status{Message: message})
	require.NoError(t, err)
	return httpAnswer{code: code, header: map[string]string{"Content-Type": protobufType}, body: string(body)}
}

// row is a server's answer.
type row struct {
	name     string
	protocol Protocol
	answer   error
}

func grpcRows(all ...codes.Code) []row {
	var rows []row
	for _, code := range all {
		rows = append(rows, row{"grpc " + code.String(), ProtocolGRPC, status.Error(code, "no")})
	}
	return rows
}

func httpRows(all ...int) []row {
	var rows []row
	for _, code := range all {
		rows = append(rows, row{"http " + http.StatusText(code), ProtocolHTTP, httpCode(code)})
	}
	return rows
}

// TestHeldAndRetried: the data waits, whole, and flows when the server has changed its mind. The stock exporters drop it
// on most of these answers.
func TestHeldAndRetried(t *testing.T) {
	html := func(code int) error {
		return httpAnswer{code: code, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}, body: "<h1>No required SSL certificate was sent</h1>"}
	}
	rows := slices.Concat(
		grpcRows(codes.Canceled, codes.Unknown, codes.DeadlineExceeded, codes.NotFound, codes.AlreadyExists,
			codes.PermissionDenied, codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.Unimplemented,
			codes.Internal, codes.Unavailable, codes.DataLoss, codes.Unauthenticated, codes.Code(99)),
		httpRows(401, 402, 403, 404, 405, 406, 408, 409, 410, 415, 422, 425, 429, 451, 500, 501, 502, 503, 504, 507, 511, 300, 304),
		[]row{
			{"http redirect to another host", ProtocolHTTP, httpAnswer{code: 307, header: map[string]string{"Location": "https://elsewhere.example.com/v1/logs"}}},
			{"http 400 of a front", ProtocolHTTP, html(400)},
			{"http 200 with a web page", ProtocolHTTP, html(200)},
			{"http 429 with a date long past", ProtocolHTTP, httpAnswer{code: 429, header: map[string]string{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}}},
		},
	)
	p := newPKI()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink()
			s.respond(func(logs plog.Logs) (plogotlp.ExportResponse, error) {
				assert.Equal(t, 20, logs.LogRecordCount(), "the request was taken apart")
				return plogotlp.NewExportResponse(), tt.answer
			})
			addr, _ := s.serve(t, tt.protocol, anyPort, serverTLS(p.leaf))
			cfg := testConfig(t, tt.protocol, addr, p.ca, p.leaf)
			cfg.DeadLetter.Directory = t.TempDir()
			exp := startExporter(t, cfg)
			sent := send(t, exp, "held", 20)
			require.Eventually(t, func() bool { return s.requestCount() >= 3 }, 30*time.Second, time.Millisecond)
			s.respond(nil)
			requireDelivered(t, s, sent)
			assert.Empty(t, readDeadLetters(t, cfg))
		})
	}
}

// TestThrottled: a server that asks for time gets it.
func TestThrottled(t *testing.T) {
	later, err := status.New(codes.ResourceExhausted, "later").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	require.NoError(t, err)
	p := newPKI()
	for _, tt := range []row{
		{"grpc RetryInfo", ProtocolGRPC, later.Err()},
		{"http Retry-After", ProtocolHTTP, httpAnswer{code: 429, header: map[string]string{"Retry-After": "1"}}},
		{"http 503 Retry-After", ProtocolHTTP, httpAnswer{code: 503, header: map[string]string{"Retry-After": "1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink()
			s.respond(failing(1, tt.answer))
			addr, _ := s.serve(t, tt.protocol, anyPort, serverTLS(p.leaf))
			exp := startExporter(t, testConfig(t, tt.protocol, addr, p.ca, p.leaf))
			began := time.Now()
			sent := send(t, exp, "later", 20)
			requireDelivered(t, s, sent)
			assert.GreaterOrEqual(t, time.Since(began), 900*time.Millisecond)
			assert.Equal(t, 2, s.requestCount(), "the request was neither split nor sent in between")
		})
	}
}

// failing refuses the first n requests and takes the others.
func failing(n int, refuse error) func(plog.Logs) (plogotlp.ExportResponse, error) {
	return func(plog.Logs) (plogotlp.ExportResponse, error) { // one at a time: the sink's lock is held
		if n--; n >= 0 {
			return plogotlp.NewExportResponse(), refuse
		}
		return plogotlp.NewExportResponse(), nil
	}
}

// limitSink takes requests of at most limit records.
func limitSink(limit int, refuse error) *sink {
	s := newSink()
	s.respond(func(logs plog.Logs) (plogotlp.ExportResponse, error) {
		if logs.LogRecordCount() > limit {
			return plogotlp.NewExportResponse(), refuse
		}
		return plogotlp.NewExportResponse(), nil
	})
	return s
}

// TestSplit: a request that is too large is sent in parts, each record once.
func TestSplit(t *testing.T) {
	p := newPKI()
	for _, tt := range []row{
		{"grpc ResourceExhausted", ProtocolGRPC, status.Error(codes.ResourceExhausted, "no room")},
		{"grpc message size", ProtocolGRPC, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 4)")},
		{"grpc behind a proxy", ProtocolGRPC, status.Error(codes.Unknown, "unexpected HTTP status code received from server: 413 (Request Entity Too Large)")},
		{"http 413", ProtocolHTTP, httpCode(413)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := limitSink(3, tt.answer)
			addr, _ := s.serve(t, tt.protocol, anyPort, serverTLS(p.leaf))
			cfg := testConfig(t, tt.protocol, addr, p.ca, p.leaf)
			cfg.DeadLetter.Directory = t.TempDir()
			sent := send(t, startExporter(t, cfg), "large", 100)
			requireDelivered(t, s, sent)
			for body, times := range s.snapshot() {
				assert.Equal(t, 1, times, body)
			}
			assert.Empty(t, readDeadLetters(t, cfg))
		})
	}
}

// TestTooLargeByItself: a record that no splitting makes small enough is a dead letter, and the others arrive.
func TestTooLargeByItself(t *testing.T) {
	p := newPKI()
	for _, tt := range []row{
		{"grpc", ProtocolGRPC, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 4)")},
		{"http", ProtocolHTTP, httpCode(413)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSink()
			s.respond(refuseBodies(tt.answer, "r-17"))
			addr, _ := s.serve(t, tt.protocol, anyPort, serverTLS(p.leaf))
			cfg := testConfig(t, tt.protocol, addr, p.ca, p.leaf)
			cfg.DeadLetter.Directory = t.TempDir()
			sent := send(t, startExporter(t, cfg), "r", 40)
			requireDelivered(t, s, slices.DeleteFunc(sent, func(b string) bool { return b == "r-17" }))
			letters := waitForDeadLetters(t, cfg, 1)
			assert.Equal(t, causeTooLarge, letters[0].Cause)
			assert.Equal(t, []string{"r-17"}, letters[0].bodies(t))
		})
	}
}

// TestQuota: a server that is out of something else than room for one record is asked again, and not once a record.
func TestQuota(t *testing.T) {
	p := newPKI()
	s := newSink()
	s.respond(failing(11, status.Error(codes.ResourceExhausted, "quota exceeded"))) // the request, and its first part halved down to a record
	addr, _ := s.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.DeadLetter.Directory = t.TempDir()
	sent := send(t, startExporter(t, cfg), "quota", 1024)
	requireDelivered(t, s, sent)
	assert.LessOrEqual(t, s.requestCount(), 30, "1,024 records were refused: eleven requests find that out")
	assert.Empty(t, readDeadLetters(t, cfg))
}

// refuseBodies refuses every request with one of these records in it.
func refuseBodies(refuse error, bad ...string) func(plog.Logs) (plogotlp.ExportResponse, error) {
	return func(logs plog.Logs) (plogotlp.ExportResponse, error) {
		for _, body := range bodies(logs) {
			if slices.Contains(bad, body) {
				return plogotlp.NewExportResponse(), refuse
			}
		}
		return plogotlp.NewExportResponse(), nil
	}
}

// TestIsolated: the records that the server will never take are found by halving and set aside with its reason; all
// others arrive, once.
func TestIsolated(t *testing.T) {
	p := newPKI()
	for _, tt := range []row{
		{"grpc InvalidArgument", ProtocolGRPC, status.Error(codes.InvalidArgument, "field 7 is wrong")},
		{"http 400", ProtocolHTTP, statusBody(t, 400, "field 7 is wrong")},
	} {
		for name, bad := range map[string][]string{
			"one": {"r-37"}, "first": {"r-0"}, "last": {"r-99"}, "neighbours": {"r-49", "r-50"}, "several": {"r-3", "r-4", "r-77"},
		} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newSink()
				s.respond(refuseBodies(tt.answer, bad...))
				addr, _ := s.serve(t, tt.protocol, anyPort, serverTLS(p.leaf))
				cfg := testConfig(t, tt.protocol, addr, p.ca, p.leaf)
				cfg.DeadLetter.Directory = t.TempDir()
				sent := send(t, startExporter(t, cfg), "r", 100)
				requireDelivered(t, s, slices.DeleteFunc(sent, func(b string) bool { return slices.Contains(bad, b) }))
				var buried []string
				for _, letter := range waitForDeadLetters(t, cfg, len(bad)) {
					assert.Equal(t, causeInvalid, letter.Cause)
					assert.Contains(t, letter.Reason, "field 7 is wrong")
					buried = append(buried, letter.bodies(t)...)
				}
				assert.ElementsMatch(t, bad, buried)
				for body, times := range s.snapshot() {
					assert.Equal(t, 1, times, body)
				}
			})
		}
	}
}

// TestIsolationIsInterrupted: while records are isolated the server goes away. What was settled is not sent again.
func TestIsolationIsInterrupted(t *testing.T) {
	p := newPKI()
	s := newSink()
	var mu sync.Mutex
	answers := 0
	bad := refuseBodies(status.Error(codes.InvalidArgument, "no"), "r-5", "r-90")
	s.respond(func(logs plog.Logs) (plogotlp.ExportResponse, error) {
		mu.Lock()
		defer mu.Unlock()
		answers++
		if answers > 8 && answers < 12 {
			return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "away")
		}
		return bad(logs)
	})
	addr, _ := s.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.DeadLetter.Directory = t.TempDir()
	sent := send(t, startExporter(t, cfg), "r", 100)
	requireDelivered(t, s, slices.DeleteFunc(sent, func(b string) bool { return b == "r-5" || b == "r-90" }))
	waitForDeadLetters(t, cfg, 2)
	for body, times := range s.snapshot() {
		assert.Equal(t, 1, times, body)
	}
}

// TestWithoutDeadLetters: with nowhere to set it aside, the record waits, and does not keep the others.
func TestWithoutDeadLetters(t *testing.T) {
	p := newPKI()
	s := newSink()
	s.respond(refuseBodies(status.Error(codes.InvalidArgument, "no"), "r-37", "r-38"))
	addr, _ := s.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	exp := startExporter(t, testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf))
	sent := send(t, exp, "r", 100)
	requireDelivered(t, s, slices.DeleteFunc(slices.Clone(sent), func(b string) bool { return b == "r-37" || b == "r-38" }))
	s.respond(nil)
	requireDelivered(t, s, sent)
	for body, times := range s.snapshot() {
		assert.Equal(t, 1, times, body)
	}
}

// TestPartialSuccess: the server's own count goes to a metric, the request to the dead letters, and nothing is sent again.
func TestPartialSuccess(t *testing.T) {
	eachOTLP(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		for name, tt := range map[string]struct{ claimed, counted int64 }{
			"some":          {3, 3},
			"all":           {20, 20},
			"more than all": {1 << 60, 20},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSink()
				s.respond(func(plog.Logs) (plogotlp.ExportResponse, error) {
					response := plogotlp.NewExportResponse()
					response.PartialSuccess().SetRejectedLogRecords(tt.claimed)
					response.PartialSuccess().SetErrorMessage("index is read only")
					return response, nil
				})
				addr, _ := s.serve(t, protocol, anyPort, serverTLS(p.leaf))
				cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
				cfg.DeadLetter.Directory = t.TempDir()
				tel := newTestTelemetry(t)
				exp := startExporterWith(t, cfg, tel.settings())
				sent := send(t, exp, "part", 20)
				letters := waitForDeadLetters(t, cfg, 1)
				assert.Equal(t, causePartial, letters[0].Cause)
				assert.Equal(t, tt.counted, letters[0].Rejected)
				assert.Equal(t, "index is read only", letters[0].Reason)
				assert.Equal(t, sent, letters[0].bodies(t))
				tel.requireSum(t, "otelcol_exporter_siem_rejected_records", tt.counted)
				tel.requireSum(t, "otelcol_exporter_siem_dead_lettered_records", 20, "cause", causePartial)
				assert.Equal(t, 1, s.requestCount())
			})
		}
	})
}

// TestWarningIsNoRejection: OTLP lets a server take everything and still say something.
func TestWarningIsNoRejection(t *testing.T) {
	p := newPKI()
	s := newSink()
	s.respond(func(plog.Logs) (plogotlp.ExportResponse, error) {
		response := plogotlp.NewExportResponse()
		response.PartialSuccess().SetErrorMessage("deprecated attribute")
		return response, nil
	})
	addr, _ := s.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.DeadLetter.Directory = t.TempDir()
	requireDelivered(t, s, send(t, startExporter(t, cfg), "warned", 5))
	assert.Empty(t, readDeadLetters(t, cfg))
}

// TestHTTPSuccess: answers that count as success although they are not what OTLP prescribes.
func TestHTTPSuccess(t *testing.T) {
	p := newPKI()
	for name, answer := range map[string]httpAnswer{
		"204":           {code: 204},
		"202 text":      {code: 202, header: map[string]string{"Content-Type": "text/plain"}, body: "ok"},
		"JSON":          {code: 200, header: map[string]string{"Content-Type": "application/json; charset=utf-8"}, body: "{}"},
		"JSON, empty":   {code: 200, header: map[string]string{"Content-Type": "application/json"}},
		"broken JSON":   {code: 200, header: map[string]string{"Content-Type": "application/json"}, body: "{"},
		"huge protobuf": {code: 200, header: map[string]string{"Content-Type": protobufType}, body: strings.Repeat("x", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink()
			s.fail(answer)
			addr, _ := s.serve(t, ProtocolHTTP, anyPort, serverTLS(p.leaf))
			tel := newTestTelemetry(t)
			exp := startExporterWith(t, testConfig(t, ProtocolHTTP, addr, p.ca, p.leaf), tel.settings())
			send(t, exp, "taken", 5)
			require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_sent_log_records") == 5 }, 30*time.Second, 10*time.Millisecond)
			assert.Equal(t, 1, s.requestCount())
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"soon":                          0,
		"99999999999999999999":          0,
		"2000000000":                    maxThrottle,
		"Mon, 23 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Mon, 23 Nov 2026 11:00:00 GMT": 0,
		"Mon, 23 Nov 2099 11:00:00 GMT": maxThrottle,
	} {
		assert.Equal(t, want, retryAfter(http.Header{"Retry-After": {value}}, now), value)
	}
}

func TestRetryDelay(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{2 * time.Second: 2 * time.Second, 1000 * time.Hour: maxThrottle, -time.Second: 0} {
		st, err := status.New(codes.ResourceExhausted, "later").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(asked)})
		require.NoError(t, err)
		assert.Equal(t, want, retryDelay(st))
	}
	assert.Zero(t, retryDelay(status.New(codes.ResourceExhausted, "now")))
}

func TestRefusalsHaveBoundedTexts(t *testing.T) {
	long := strings.Repeat("é", 10_000)
	for _, r := range []*refusal{
		grpcRefusal(status.Error(codes.Internal, long)),
		grpcRefusal(errors.New(long)),
		httpRefusal(500, http.Header{}, long),
		asRefusal(errors.New(long)),
	} {
		assert.LessOrEqual(t, len(r.message), maxMessage+len("…"))
		assert.NotEmpty(t, r.cause)
	}
	assert.Equal(t, "short", clip("short"))
}
