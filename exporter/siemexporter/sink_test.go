// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/internal/testport"
	"github.com/logseal/logseal/pkg/tlspin"
)

// sink is a SIEM for tests. It keeps the body of every record that it took, and answers as it is told.
type sink struct {
	plogotlp.UnimplementedGRPCServer

	mu       sync.Mutex
	taken    map[string]int // records answered with success, by body
	requests int            // requests that arrived, whatever the answer
	answer   func(plog.Logs) (plogotlp.ExportResponse, error)
}

func newSink() *sink { return &sink{taken: map[string]int{}} }

// respond sets what the sink answers from now on; nil is success.
func (s *sink) respond(answer func(plog.Logs) (plogotlp.ExportResponse, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *sink) fail(err error) {
	s.respond(func(plog.Logs) (plogotlp.ExportResponse, error) { return plogotlp.NewExportResponse(), err })
}

// Export implements plogotlp.GRPCServer.
func (s *sink) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if request.Logs().LogRecordCount() == 0 {
		return plogotlp.NewExportResponse(), nil // a probe
	}
	s.requests++
	response := plogotlp.NewExportResponse()
	if s.answer != nil {
		var err error
		if response, err = s.answer(request.Logs()); err != nil {
			return response, err
		}
	}
	for _, body := range bodies(request.Logs()) {
		s.taken[body]++
	}
	return response, nil
}

func (s *sink) snapshot() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.taken)
}

func (s *sink) requestCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *sink) has(want []string) bool {
	taken := s.snapshot()
	for _, body := range want {
		if taken[body] == 0 {
			return false
		}
	}
	return true
}

// serve listens on addr and speaks the protocol, over TLS as cfg says, in the clear when cfg is nil. It returns the address
// and a function that stops the server, which also runs at the end of the test.
func (s *sink) serve(t testing.TB, protocol Protocol, addr string, cfg *tls.Config) (string, func()) {
	t.Helper()
	switch protocol {
	case ProtocolHTTP:
		return serveHTTPAt(t, decompress(s), addr, cfg) // the exporter compresses, as a stock OTLP receiver expects it to
	case ProtocolSplunkHEC:
		return serveHTTPAt(t, s.collector(), addr, cfg)
	case ProtocolSyslog:
		return s.receiver().serve(t, addr, cfg)
	default:
		return s.serveGRPC(t, addr, cfg)
	}
}

// httpAnswer is an answer that only HTTP has.
type httpAnswer struct {
	code   int
	header map[string]string
	body   string
}

func (httpAnswer) Error() string { return "an HTTP answer" }

// httpCodes say over HTTP what a sink was told to say over gRPC.
var httpCodes = map[codes.Code]int{
	codes.Unknown:           http.StatusInternalServerError,
	codes.Internal:          http.StatusInternalServerError,
	codes.InvalidArgument:   http.StatusBadRequest,
	codes.ResourceExhausted: http.StatusRequestEntityTooLarge,
	codes.Unauthenticated:   http.StatusUnauthorized,
	codes.Unavailable:       http.StatusServiceUnavailable,
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	request := plogotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalProto(content)
	}
	if err != nil || r.URL.Path != logsPath || r.Method != http.MethodPost {
		http.Error(w, "not OTLP", http.StatusTeapot)
		return
	}
	response, err := s.Export(r.Context(), request)
	var answer httpAnswer
	switch {
	case errors.As(err, &answer):
		for key, value := range answer.header {
			w.Header().Set(key, value)
		}
		w.WriteHeader(answer.code)
		_, _ = io.WriteString(w, answer.body)
	case err != nil:
		w.WriteHeader(httpCodes[status.Code(err)])
	default:
		content, _ = response.MarshalProto()
		w.Header().Set("Content-Type", protobufType)
		_, _ = w.Write(content)
	}
}

func serveHTTPAt(t testing.TB, handler http.Handler, addr string, cfg *tls.Config) (string, func()) {
	t.Helper()
	server := &http.Server{Handler: handler, TLSConfig: cfg.Clone(), ErrorLog: log.New(io.Discard, "", 0)}
	listener := listen(t, addr)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if cfg != nil {
			_ = server.ServeTLS(listener, "", "")
		} else {
			_ = server.Serve(listener)
		}
	}()
	stop := sync.OnceFunc(func() { server.Close(); <-done })
	t.Cleanup(stop)
	return listener.Addr().String(), stop
}

func decompress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Encoding") == "gzip" {
			reader, err := gzip.NewReader(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusTeapot)
				return
			}
			r.Body = reader
		}
		next.ServeHTTP(w, r)
	})
}

// serveGRPC listens on addr with TLS as cfg says, in the clear when cfg is nil. It returns the address and a function
// that stops the server, which also runs at the end of the test.
func (s *sink) serveGRPC(t testing.TB, addr string, cfg *tls.Config) (string, func()) {
	t.Helper()
	return serveGRPCAt(t, s, addr, cfg)
}

func serveGRPCAt(t testing.TB, logs plogotlp.GRPCServer, addr string, cfg *tls.Config) (string, func()) {
	t.Helper()
	var opts []grpc.ServerOption
	if cfg != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(cfg)))
	}
	server := grpc.NewServer(opts...)
	plogotlp.RegisterGRPCServer(server, logs)
	listener := listen(t, addr)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	stop := sync.OnceFunc(func() { server.Stop(); <-done })
	t.Cleanup(stop)
	return listener.Addr().String(), stop
}

// anyPort stands for a port that is held until the test ends: a server may be stopped and come back there.
const anyPort = "127.0.0.1:0"

func listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	if addr == anyPort {
		addr = testport.Address(t)
	}
	listener, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	return listener
}

// host is a component.Host with extensions.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

var storageID = component.MustNewID("file_storage")

// newHost returns a host whose file_storage keeps its files in dir.
func newHost(t testing.TB, dir string) host {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	cfg.CreateDirectory = false
	ext, err := factory.Create(context.Background(), extension.Settings{
		ID: storageID, TelemetrySettings: extensiontest.NewNopSettings(factory.Type()).TelemetrySettings,
	}, cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), nil))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return host{storageID: ext}
}

// testConfig is a valid configuration for a server at addr whose authority is ca, with retries fast enough for a test.
func testConfig(t testing.TB, protocol Protocol, addr string, ca *testpki.Cert, pinned ...*testpki.Cert) *Config {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.setProtocol(protocol)
	cfg.hec.Token = hecToken
	cfg.grpc.Endpoint = addr
	cfg.http.Endpoint = "https://" + addr
	cfg.syslogKeys.Endpoint = addr
	cfg.syslog.MaxMessageBytes = 64 << 10
	cfg.syslog.probation = 200 * time.Millisecond
	cfg.tls().CAFile, _ = ca.WriteFiles(t, t.TempDir(), "ca")
	for _, cert := range pinned {
		cfg.Pins = append(cfg.Pins, tlspin.Of(cert.X509).String())
	}
	cfg.QueueConfig.Get().StorageID = &storageID
	cfg.QueueConfig.Get().Batch.Get().FlushTimeout = 10 * time.Millisecond
	cfg.RetryConfig.InitialInterval = 10 * time.Millisecond
	cfg.RetryConfig.MaxInterval = 50 * time.Millisecond
	setTimeout(cfg, 10*time.Second) // a request that a busy machine answers late would be sent twice
	require.NoError(t, cfg.Validate())
	return cfg
}

func setTimeout(cfg *Config, timeout time.Duration) {
	cfg.grpcTimeout, cfg.http.Timeout, cfg.syslogKeys.Timeout = timeout, timeout, timeout
}

// eachProtocol runs a test over every protocol.
func eachProtocol(t *testing.T, test func(*testing.T, Protocol)) {
	t.Helper()
	each(t, []Protocol{ProtocolGRPC, ProtocolHTTP, ProtocolSplunkHEC, ProtocolSyslog}, test)
}

// eachAnswering runs a test over the protocols whose servers say what they think of a request.
func eachAnswering(t *testing.T, test func(*testing.T, Protocol)) {
	t.Helper()
	each(t, []Protocol{ProtocolGRPC, ProtocolHTTP, ProtocolSplunkHEC}, test)
}

// eachOTLP runs a test of what only OTLP says.
func eachOTLP(t *testing.T, test func(*testing.T, Protocol)) {
	t.Helper()
	each(t, []Protocol{ProtocolGRPC, ProtocolHTTP}, test)
}

func each(t *testing.T, protocols []Protocol, test func(*testing.T, Protocol)) {
	t.Helper()
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) { test(t, protocol) })
	}
}

// startExporter starts an exporter and stops it at the end of the test.
func startExporter(t testing.TB, cfg *Config) exporter.Logs {
	t.Helper()
	exp, stop := startExporterIn(t, cfg, newHost(t, t.TempDir()), exportertest.NewNopSettings(NewFactory().Type()))
	t.Cleanup(stop)
	return exp
}

func startExporterIn(t testing.TB, cfg *Config, host component.Host, set exporter.Settings) (exporter.Logs, func()) {
	t.Helper()
	exp, err := NewFactory().CreateLogs(context.Background(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, exp.Start(context.Background(), host))
	return exp, func() { require.NoError(t, exp.Shutdown(context.Background())) }
}

// records makes n records with bodies that begin with prefix, in one plog.Logs.
func records(prefix string, n int) (plog.Logs, []string) {
	logs := plog.NewLogs()
	scope := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	bodies := make([]string, n)
	for i := range n {
		bodies[i] = fmt.Sprintf("%s-%d", prefix, i)
		scope.LogRecords().AppendEmpty().Body().SetStr(bodies[i])
	}
	return logs, bodies
}

// send gives n records to the exporter and returns their bodies.
func send(t testing.TB, exp exporter.Logs, prefix string, n int) []string {
	t.Helper()
	logs, sent := records(prefix, n)
	require.NoError(t, exp.ConsumeLogs(context.Background(), logs))
	return sent
}

func bodies(logs plog.Logs) []string {
	var out []string
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				out = append(out, record.Body().Str())
			}
		}
	}
	return out
}

// requireDelivered waits with patience: machines that run tests are busy.
func requireDelivered(t testing.TB, s *sink, want []string) {
	t.Helper()
	require.Eventually(t, func() bool { return s.has(want) }, 60*time.Second, 10*time.Millisecond)
}
