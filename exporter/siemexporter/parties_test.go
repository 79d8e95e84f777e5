// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/internal/testport"
	"github.com/logseal/logseal/pkg/tlspin"
)

// lookPath skips the test where a program that nobody here wrote is missing; in CI, where it is installed, it fails.
func lookPath(t *testing.T, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
	return ""
}

// lockedBuffer is a bytes.Buffer that a process writes and a test reads.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// run starts a program and ends it with the test. It returns what the program prints.
func run(t *testing.T, path string, args ...string) (output *lockedBuffer, stop func()) {
	t.Helper()
	output = &lockedBuffer{}
	cmd := exec.Command(path, args...)
	stdin, err := cmd.StdinPipe() // openssl s_server ends when its input does
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start())
	stop = sync.OnceFunc(func() {
		stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	return output, stop
}

func waitForPort(t *testing.T, addr string, output *lockedBuffer) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 30*time.Second, 20*time.Millisecond, "nobody listens on %s: %s", addr, output)
}

// TestOpenSSL: openssl's own server, which prints all plaintext that it gets, as impostor and as the right party.
func TestOpenSSL(t *testing.T) {
	openssl := lookPath(t, "openssl")
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		marker := map[Protocol]string{
			ProtocolGRPC:      "PRI * HTTP/2.0", // the client's preface
			ProtocolHTTP:      "POST /v1/logs",
			ProtocolSplunkHEC: "POST /services/collector/event",
			ProtocolSyslog:    " <13>1 ",
		}[protocol]
		for name, tt := range map[string]struct {
			cert *testpki.Cert
			args []string
			gets bool
		}{
			"impostor":     {p.impostor, nil, false},
			"TLS 1.2 only": {p.leaf, []string{"-tls1_2"}, false},
			"right":        {p.leaf, nil, true}, // shows that the test would see what a refused party must not get
		} {
			t.Run(name, func(t *testing.T) {
				addr := testport.Address(t)
				cert, key := tt.cert.WriteFiles(t, t.TempDir(), "server")
				args := []string{"s_server", "-accept", addr, "-cert", cert, "-cert_chain", cert, "-key", key, "-quiet"}
				if protocol == ProtocolGRPC {
					args = append(args, "-alpn", "h2")
				} else {
					args = append(args, "-alpn", "http/1.1")
				}
				output, stop := run(t, openssl, append(args, tt.args...)...)
				waitForPort(t, addr, output)

				cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
				cfg.grpc.Compression, cfg.http.Compression = "none", "none"
				tel := newTestTelemetry(t)
				exp := startExporterWith(t, cfg, tel.settings())
				sent := send(t, exp, "plaintext", 3)
				if tt.gets {
					require.Eventually(t, func() bool { return bytes.Contains([]byte(output.String()), []byte(marker)) },
						30*time.Second, 10*time.Millisecond)
				} else {
					waitRefused(t, tel, 2)
					assert.NotContains(t, output.String(), marker)
					assert.NotContains(t, output.String(), "plaintext-")
				}
				stop()
				right := newSink()
				right.serve(t, protocol, addr, serverTLS(p.leaf))
				requireDelivered(t, right, sent)
			})
		}
	})
}

// waitRefused waits until n handshakes were refused.
func waitRefused(t testing.TB, tel *testTelemetry, n float64) {
	t.Helper()
	require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_refused_handshakes") >= n },
		30*time.Second, 5*time.Millisecond, "only %v refused", tel.points(t, "otelcol_exporter_siem_refused_handshakes"))
}

// TestNginx: nginx ends TLS 1.3 in front of a plain OTLP server, and asks for a client certificate.
func TestNginx(t *testing.T) {
	nginx := lookPath(t, "nginx")
	eachAnswering(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		backend := newSink()
		backendAddr, _ := backend.serve(t, protocol, anyPort, nil)
		dir := t.TempDir()
		cert, key := p.leaf.WriteFiles(t, dir, "server")
		clientCA := testpki.NewCA("clients")
		clientCAFile, _ := clientCA.WriteFiles(t, dir, "clients")
		location := fmt.Sprintf("grpc_pass grpc://%s;", backendAddr)
		if protocol != ProtocolGRPC {
			location = fmt.Sprintf("proxy_pass http://%s;", backendAddr)
		}
		addr := testport.Address(t)
		conf := filepath.Join(dir, "nginx.conf")
		require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr error;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server {
    listen %[2]s ssl http2;
    ssl_certificate %[3]s; ssl_certificate_key %[4]s;
    ssl_client_certificate %[5]s; ssl_verify_client on;
    ssl_protocols TLSv1.3;
    client_max_body_size 20k;
    location / { %[6]s }
  }
}
`, dir, addr, cert, key, clientCAFile, location), 0o600))
		output, _ := run(t, nginx, "-c", conf, "-p", dir)
		waitForPort(t, addr, output)

		t.Run("split at the front's limit", func(t *testing.T) {
			cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
			cfg.tls().CertFile, cfg.tls().KeyFile = clientCA.NewLeaf("agent").WriteFiles(t, t.TempDir(), "agent")
			cfg.grpc.Compression, cfg.http.Compression = "none", "none"
			requireDelivered(t, backend, send(t, startExporter(t, cfg), "front", 5000))
		})
		t.Run("no client certificate", func(t *testing.T) {
			// nginx finishes the handshake and answers 400 to the request: that is no judgement of the records.
			cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
			cfg.DeadLetter.Directory = t.TempDir()
			tel := newTestTelemetry(t)
			sent := send(t, startExporterWith(t, cfg, tel.settings()), "held", 10)
			require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_retries") >= 3 }, 30*time.Second, 10*time.Millisecond)
			assert.NotContains(t, backend.snapshot(), sent[0])
			assert.Empty(t, readDeadLetters(t, cfg))
		})
		t.Run("backend away", func(t *testing.T) {
			cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
			cfg.tls().CertFile, cfg.tls().KeyFile = clientCA.NewLeaf("agent").WriteFiles(t, t.TempDir(), "agent")
			backend.fail(status.Error(codes.Unavailable, "away"))
			tel := newTestTelemetry(t)
			sent := send(t, startExporterWith(t, cfg, tel.settings()), "away", 10)
			require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_retries") >= 3 }, 30*time.Second, 10*time.Millisecond)
			backend.respond(nil)
			requireDelivered(t, backend, sent)
		})
	})
}

// stockReceiver starts the collector's own OTLP receiver with mutual TLS.
func stockReceiver(t *testing.T, protocol Protocol, p *pki, clientCA *testpki.Cert, next consumer.Logs) string {
	t.Helper()
	dir := t.TempDir()
	cert, key := p.leaf.WriteFiles(t, dir, "server")
	clientCAFile, _ := clientCA.WriteFiles(t, dir, "clients")
	addr := testport.Address(t)
	name := map[Protocol]string{ProtocolGRPC: "grpc", ProtocolHTTP: "http"}[protocol]
	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{name: map[string]any{
		"endpoint": addr,
		"tls":      map[string]any{"cert_file": cert, "key_file": key, "client_ca_file": clientCAFile, "min_version": "1.3"},
	}}}).Unmarshal(&cfg))
	r, err := factory.CreateLogs(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	return addr
}

// TestStockReceiver: the collector's own receiver, with every compression, and with a pipeline behind it that is full or
// refuses for good.
func TestStockReceiver(t *testing.T) {
	eachOTLP(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		clientCA := testpki.NewCA("clients")
		s := newSink()
		next, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
			_, err := s.Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
			return err
		})
		require.NoError(t, err)
		addr := stockReceiver(t, protocol, p, clientCA, next)
		config := func(t *testing.T) *Config {
			cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
			cfg.tls().CertFile, cfg.tls().KeyFile = clientCA.NewLeaf("agent").WriteFiles(t, t.TempDir(), "agent")
			cfg.DeadLetter.Directory = t.TempDir()
			return cfg
		}
		for _, compression := range []string{"none", "gzip", "zstd", "snappy"} {
			t.Run(compression, func(t *testing.T) {
				cfg := config(t)
				require.NoError(t, cfg.grpc.Compression.UnmarshalText([]byte(compression)))
				require.NoError(t, cfg.http.Compression.UnmarshalText([]byte(compression)))
				requireDelivered(t, s, send(t, startExporter(t, cfg), compression, 500))
			})
		}
		t.Run("refuses for now", func(t *testing.T) {
			s.fail(fmt.Errorf("the next queue is full"))
			sent := send(t, startExporter(t, config(t)), "full", 10)
			require.Eventually(t, func() bool { return s.requestCount() > 8 }, 30*time.Second, time.Millisecond)
			s.respond(nil)
			requireDelivered(t, s, sent)
		})
		t.Run("refuses for good", func(t *testing.T) {
			s.respond(refuseBodies(consumererror.NewPermanent(fmt.Errorf("never")), "good-4"))
			cfg := config(t)
			tel := newTestTelemetry(t)
			send(t, startExporterWith(t, cfg, tel.settings()), "good", 10)
			// At this version the receiver says Internal and 500, which are no judgement of the records: they wait.
			require.Eventually(t, func() bool {
				return tel.sum(t, "otelcol_exporter_siem_retries") >= 2 || tel.sum(t, "otelcol_exporter_siem_dead_lettered_records") == 1
			}, 30*time.Second, 10*time.Millisecond)
			s.respond(nil)
		})
		t.Run("wrong pin", func(t *testing.T) {
			cfg := config(t)
			cfg.Pins = []string{tlspin.Of(p.impostor.X509).String()}
			tel := newTestTelemetry(t)
			sent := send(t, startExporterWith(t, cfg, tel.settings()), "refused", 10)
			waitRefused(t, tel, 2)
			assert.NotContains(t, s.snapshot(), sent[0])
		})
	})
}

// contractReceiver is a receiver.Logs made of a sink's server, for exportertest.
type contractReceiver struct {
	plogotlp.UnimplementedGRPCServer
	t    *testing.T
	cfg  *contractConfig
	next consumer.Logs
	stop func()
}

type contractConfig struct {
	addr string
	tls  *tls.Config
}

func (r *contractReceiver) Start(context.Context, component.Host) error {
	s := newSink()
	s.respond(func(logs plog.Logs) (plogotlp.ExportResponse, error) {
		err := r.next.ConsumeLogs(context.Background(), logs)
		if consumererror.IsPermanent(err) {
			err = status.Error(codes.InvalidArgument, "permanent") // what OTLP prescribes
		}
		return plogotlp.NewExportResponse(), err
	})
	_, r.stop = s.serveGRPC(r.t, r.cfg.addr, r.cfg.tls)
	return nil
}

func (r *contractReceiver) Shutdown(context.Context) error {
	r.stop()
	return nil
}

// TestConsumeContract is the collector's own contract of an exporter. The queue is in memory, because its hosts have no
// extensions.
func TestConsumeContract(t *testing.T) {
	p := newPKI()
	addr := testport.Address(t)
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.AllowMemoryQueue = true
	cfg.QueueConfig.Get().StorageID = nil
	cfg.QueueConfig.Get().WaitForResult = true
	cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = time.Millisecond, time.Millisecond
	cfg.DeadLetter.Directory = t.TempDir()
	require.NoError(t, confmap.Validate(cfg))
	exportertest.CheckConsumeContract(exportertest.CheckConsumeContractParams{
		T:                    t,
		NumberOfTestElements: 10,
		Signal:               pipeline.SignalLogs,
		ExporterFactory:      NewFactory(),
		ExporterConfig:       cfg,
		ReceiverConfig:       &contractConfig{addr: addr, tls: serverTLS(p.leaf)},
		ReceiverFactory: receiver.NewFactory(component.MustNewType("contract"), nil, receiver.WithLogs(
			func(_ context.Context, _ receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
				return &contractReceiver{t: t, cfg: cfg.(*contractConfig), next: next}, nil
			}, component.StabilityLevelStable)),
	})
}
