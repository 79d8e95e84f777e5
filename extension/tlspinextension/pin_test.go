// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"context"
	"crypto/tls"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/logseal/logseal/extension/tlspinextension/internal/metadata"
	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/internal/testport"
	"github.com/logseal/logseal/pkg/tlspin"
)

// The exporters of the stock collector that these tests drive.
const (
	overGRPC     = "otlp_grpc"
	overHTTP     = "otlp_http"
	overBalancer = "load_balancing"
)

var factories = map[string]exporter.Factory{
	overGRPC: otlpexporter.NewFactory(), overHTTP: otlphttpexporter.NewFactory(), overBalancer: loadbalancingexporter.NewFactory(),
}

type section = map[string]any

// clientOf is an exporter's configuration for a server at addr whose authority is in caFile, and the section of it that is the client.
func clientOf(kind, addr, caFile string) (cfg, client section) {
	client = section{
		"tls":              section{"ca_file": caFile},
		"middlewares":      []any{section{"id": "tls_pin"}},
		"retry_on_failure": section{"initial_interval": "10ms", "max_interval": "50ms"},
	}
	switch kind {
	case overGRPC:
		client["endpoint"] = addr
	case overHTTP:
		client["endpoint"] = "https://" + addr
	default:
		return section{
			"protocol": section{"otlp": client}, "resolver": section{"static": section{"hostnames": []any{addr}}},
		}, client
	}
	return client, client
}

// rig is an extension and an exporter that names it.
type rig struct {
	ext      *pinner
	logs     *observer.ObservedLogs
	tel      *componenttest.Telemetry
	exporter exporter.Logs
	extHost  *host
}

// host has the extension, and keeps the status that it has reported.
type host struct {
	extensions map[component.ID]component.Component

	mu     sync.Mutex
	status *componentstatus.Event
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = event
}

// trouble is what the status says, "" when it says that all is well or nothing.
func (h *host) trouble() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status == nil || h.status.Err() == nil {
		return ""
	}
	return h.status.Err().Error()
}

func newRig(t *testing.T, cfg *Config) *rig {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	r := &rig{logs: logs, tel: componenttest.NewTelemetry(), extHost: &host{}}
	t.Cleanup(func() { require.NoError(t, r.tel.Shutdown(context.Background())) })
	require.NoError(t, cfg.Validate())
	set := extensiontest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.TelemetrySettings = r.tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	ext, err := NewFactory().Create(t.Context(), set, cfg)
	require.NoError(t, err)
	r.ext = ext.(*pinner)
	r.extHost.extensions = map[component.ID]component.Component{set.ID: ext}
	require.NoError(t, ext.Start(t.Context(), r.extHost))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return r
}

// start starts an exporter as the collector does: the extension sees the configuration first.
func (r *rig) start(t *testing.T, kind string, cfg section) error {
	t.Helper()
	if err := r.notify(t, section{kind: cfg}); err != nil {
		return err
	}
	factory := factories[kind]
	exporterConfig := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(cfg).Unmarshal(exporterConfig))
	exp, err := factory.CreateLogs(t.Context(), exportertest.NewNopSettings(factory.Type()), exporterConfig)
	require.NoError(t, err)
	if err := exp.Start(t.Context(), &host{extensions: r.extHost.extensions}); err != nil {
		require.NoError(t, exp.Shutdown(context.Background()))
		return err
	}
	r.exporter = exp
	t.Cleanup(func() { require.NoError(t, exp.Shutdown(context.Background())) })
	return nil
}

func (r *rig) notify(t *testing.T, exporters section) error {
	t.Helper()
	names := []any{}
	for name := range exporters {
		names = append(names, name)
	}
	conf := confmap.NewFromStringMap(section{
		"extensions": section{"tls_pin": nil}, "exporters": exporters,
		"service": section{"extensions": []any{"tls_pin"}, "pipelines": section{"logs": section{"exporters": names}}},
	})
	return r.ext.NotifyConfigSnapshot(t.Context(), extensioncapabilities.NewConfigSnapshot(conf, nil))
}

func (r *rig) send(t *testing.T, records int) {
	t.Helper()
	logs := plog.NewLogs()
	scope := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	for range records {
		scope.LogRecords().AppendEmpty().Body().SetStr("a log record")
	}
	require.NoError(t, r.exporter.ConsumeLogs(t.Context(), logs))
}

// counted returns a metric's sum for a reason, and false while it has no such series.
func (r *rig) counted(t *testing.T, name, reason string) (sum int64, there bool) {
	t.Helper()
	got, err := r.tel.GetMetric("otelcol_extension_tls_pin_" + name)
	if err != nil {
		return 0, false
	}
	for _, point := range got.Data.(metricdata.Sum[int64]).DataPoints {
		if why, _ := point.Attributes.Value("reason"); why.AsString() == reason {
			sum, there = sum+point.Value, true
		}
	}
	return sum, there
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, 60*time.Second, 5*time.Millisecond, what)
}

func pinned(mode Mode, certs ...*testpki.Cert) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Mode = mode
	for _, cert := range certs {
		cfg.Pins = append(cfg.Pins, tlspin.Of(cert.X509).String())
	}
	return cfg
}

func serverTLS(cert *testpki.Cert) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert.TLS()}, MinVersion: tls.VersionTLS12}
}

func eachKind(t *testing.T, test func(t *testing.T, kind string)) {
	t.Helper()
	for kind := range factories {
		t.Run(kind, func(t *testing.T) { test(t, kind) })
	}
}

// TestPins: each stock exporter before servers of every kind. Who is refused gets not a byte inside the session; the right one gets the data when
// he is back at that address.
func TestPins(t *testing.T) {
	ca := testpki.NewCA("ca")
	right, backup, other := ca.NewLeaf("right"), ca.NewLeaf("backup"), ca.NewLeaf("other")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	old := serverTLS(right)
	old.MaxVersion = tls.VersionTLS12

	for name, tt := range map[string]struct {
		cfg      *Config
		server   *tls.Config
		refused  string // the reason, "" when he is spoken to
		reported string // likewise
	}{
		"the pinned key":                   {cfg: pinned(ModeEnforce, right, backup), server: serverTLS(right)},
		"the backup":                       {cfg: pinned(ModeEnforce, right, backup), server: serverTLS(backup)},
		"a pinned authority":               {cfg: pinned(ModeEnforce, ca), server: serverTLS(other)},
		"another key":                      {cfg: pinned(ModeEnforce, right, backup), server: serverTLS(other), refused: tlspin.ReasonPin},
		"another authority, with the key":  {cfg: pinned(ModeEnforce, right, backup), server: serverTLS(testpki.NewCA("ca").Renew(right)), refused: tlspin.ReasonUntrusted},
		"another name, with the key":       {cfg: pinned(ModeEnforce, right, backup), server: serverTLS(ca.Renew(right, testpki.Names("elsewhere.example.com"))), refused: tlspin.ReasonName},
		"expired, with the key":            {cfg: pinned(ModeEnforce, right, backup), server: serverTLS(ca.Renew(right, testpki.Expired())), refused: tlspin.ReasonExpired},
		"TLS 1.2":                          {cfg: pinned(ModeEnforce, right, backup), server: old, refused: tlspin.ReasonVersion},
		"TLS 1.2, allowed":                 {cfg: &Config{Pins: pinned(ModeEnforce, right, backup).Pins, Mode: ModeEnforce, MinVersion: "1.2"}, server: old},
		"report: the pinned key":           {cfg: pinned(ModeReport, right, backup), server: serverTLS(right)},
		"report: another key":              {cfg: pinned(ModeReport, right, backup), server: serverTLS(other), reported: tlspin.ReasonPin},
		"report: TLS 1.2":                  {cfg: pinned(ModeReport, right, backup), server: old, reported: tlspin.ReasonVersion},
		"report: not trusted without pins": {cfg: pinned(ModeReport, right, backup), server: serverTLS(testpki.NewCA("ca").Renew(right)), refused: tlspin.ReasonUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // gRPC waits a second before it connects again
			eachKind(t, func(t *testing.T, kind string) {
				t.Parallel()
				addr := testport.Address(t)
				first := &server{}
				stop := first.serve(t, kind, addr, tt.server)
				r := newRig(t, tt.cfg)
				none, there := r.counted(t, "refused_handshakes", tlspin.ReasonPin)
				assert.True(t, there && none == 0, "a counter is there before it counts")
				cfg, _ := clientOf(kind, addr, caFile)
				require.NoError(t, r.start(t, kind, cfg))
				r.send(t, 3)

				if tt.refused == "" {
					eventually(t, "delivered", func() bool { return first.records.Load() == 3 })
					assert.Positive(t, first.plaintext.Load())
					assert.Empty(t, r.extHost.trouble(), "also in mode report: logs flow")
				} else {
					eventually(t, "refused", func() bool { n, _ := r.counted(t, "refused_handshakes", tt.refused); return n >= 1 })
					assert.Zero(t, first.plaintext.Load(), "bytes inside the session")
					// What is counted is told a moment later.
					eventually(t, "told", func() bool { return strings.Contains(r.extHost.trouble(), addr) })
					assert.NotZero(t, r.logs.FilterMessage("A handshake failed, and nothing was sent").Len())
					stop()
					again := &server{}
					again.serve(t, kind, addr, serverTLS(right))
					eventually(t, "delivered to the right one", func() bool { return again.records.Load() == 3 })
					eventually(t, "and healthy", func() bool { return r.extHost.trouble() == "" })
					assert.Zero(t, first.plaintext.Load())
				}
				told := r.logs.FilterMessage("`mode: enforce` would refuse this server").All()
				n, _ := r.counted(t, "reported_handshakes", tt.reported)
				if tt.reported == "" {
					assert.Empty(t, told)
					return
				}
				assert.Positive(t, n)
				require.Len(t, told, 1)
				assert.Equal(t, tt.reported, told[0].ContextMap()["reason"])
				if tt.reported == tlspin.ReasonPin {
					assert.Equal(t, tlspin.Of(other.X509).String(), told[0].ContextMap()["pin_of_its_key"])
				}
			})
		})
	}
}

// TestReportGivesTheRightPin: what the log of mode report says to write is what mode enforce then takes.
func TestReportGivesTheRightPin(t *testing.T) {
	ca := testpki.NewCA("ca")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	eachKind(t, func(t *testing.T, kind string) {
		addr := testport.Address(t)
		s := &server{}
		s.serve(t, kind, addr, serverTLS(ca.NewIntermediate("intermediate").NewLeaf("leaf")))
		cfg, _ := clientOf(kind, addr, caFile)
		r := newRig(t, pinned(ModeReport, testpki.NewCA("nobody")))
		require.NoError(t, r.start(t, kind, cfg))
		r.send(t, 1)
		eventually(t, "delivered", func() bool { return s.records.Load() == 1 })
		told := r.logs.FilterMessage("`mode: enforce` would refuse this server").All()
		require.Len(t, told, 1)

		enforced := createDefaultConfig().(*Config)
		enforced.Pins = []string{told[0].ContextMap()["pin_of_its_key"].(string)}
		r = newRig(t, enforced)
		require.NoError(t, r.start(t, kind, cfg))
		r.send(t, 1)
		eventually(t, "delivered", func() bool { return s.records.Load() == 2 })
	})
}

// TestWhatCannotBePinnedDoesNotStart: the error names the key and says what to write.
func TestWhatCannotBePinnedDoesNotStart(t *testing.T) {
	ca := testpki.NewCA("ca")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	caText, err := os.ReadFile(caFile)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		kinds  []string
		change func(client section)
		want   []string
	}{
		"in the clear":   {nil, func(c section) { c["tls"] = section{"insecure": true} }, []string{"tls::insecure: would send in the clear", "ca_file"}},
		"not verified":   {nil, func(c section) { c["tls"] = section{"insecure_skip_verify": true} }, []string{"tls::insecure_skip_verify: would accept", "ca_file"}},
		"an http URL":    {[]string{overGRPC, overHTTP}, func(c section) { c["endpoint"] = "http://127.0.0.1:1" }, []string{`::endpoint: "http://127.0.0.1:1" would be spoken to in the clear`, "https://"}},
		"another URL":    {[]string{overHTTP}, func(c section) { c["logs_endpoint"] = "http://127.0.0.1:1/v1/logs" }, []string{"otlp_http::logs_endpoint", "https://"}},
		"not the last":   {nil, func(c section) { c["middlewares"] = []any{section{"id": "tls_pin"}, section{"id": "other"}} }, []string{"::middlewares: tls_pin reaches", "write it last"}},
		"an old maximum": {nil, func(c section) { c["tls"] = section{"ca_file": caFile, "max_version": "1.2"} }, []string{"exporters::", "tls_pin: tls: the maximum version TLS 1.2 is below"}},
		"no file":        {nil, func(c section) { c["tls"] = section{"ca_file": "/does/not/exist"} }, []string{"exporters::", "::tls: ", "/does/not/exist"}},
		"PEM as text":    {[]string{overGRPC}, func(c section) { c["tls"] = section{"ca_pem": string(caText)} }, []string{"tls::ca_pem: an extension cannot see it", "ca_file"}},
		"nobody asks":    {nil, func(c section) { delete(c, "middlewares") }, []string{"extensions::tls_pin: no client names it", "middlewares: [{id: tls_pin}]"}},
	} {
		for _, mode := range []Mode{ModeEnforce, ModeReport} {
			if name == "an old maximum" && mode == ModeReport {
				continue // that is a server's fault, which is reported
			}
			t.Run(name+", "+string(mode), func(t *testing.T) {
				for kind := range factories {
					if tt.kinds != nil && !slices.Contains(tt.kinds, kind) {
						continue
					}
					t.Run(kind, func(t *testing.T) {
						cfg, client := clientOf(kind, "127.0.0.1:1", caFile)
						tt.change(client)
						err := newRig(t, pinned(mode, ca)).start(t, kind, cfg)
						require.Error(t, err)
						for _, want := range tt.want {
							assert.ErrorContains(t, err, want)
						}
					})
				}
			})
		}
	}
}

// TestBalancerWithoutExporters: load_balancing starts although its exporters cannot. It sends nothing.
func TestBalancerWithoutExporters(t *testing.T) {
	ca := testpki.NewCA("ca")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	caText, err := os.ReadFile(caFile)
	require.NoError(t, err)
	s, addr := &server{}, testport.Address(t)
	s.serve(t, overBalancer, addr, serverTLS(ca.NewLeaf("right")))
	cfg, client := clientOf(overBalancer, addr, caFile)
	client["tls"] = section{"ca_pem": string(caText)}
	r := newRig(t, pinned(ModeEnforce, ca))
	require.NoError(t, r.start(t, overBalancer, cfg))
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	require.Error(t, r.exporter.ConsumeLogs(t.Context(), logs))
	assert.Zero(t, s.plaintext.Load())
}

// TestOneSectionForEachExtension: gRPC does not say who asks, so two clients with other certificates need two extensions.
func TestOneSectionForEachExtension(t *testing.T) {
	ca := testpki.NewCA("ca")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	r := newRig(t, pinned(ModeEnforce, ca))
	one, _ := clientOf(overGRPC, "127.0.0.1:1", caFile)
	same, _ := clientOf(overGRPC, "127.0.0.1:2", caFile)
	require.NoError(t, r.notify(t, section{"otlp_grpc": one, "otlp_grpc/same": same}))
	_, err := r.ext.GetGRPCClientOptions(t.Context())
	require.NoError(t, err)

	differs := maps.Clone(same)
	differs["tls"] = section{"ca_file": caFile, "server_name_override": "x"}
	require.NoError(t, r.notify(t, section{"otlp_grpc": one, "otlp_grpc/other": differs}))
	_, err = r.ext.GetGRPCClientOptions(t.Context())
	require.ErrorContains(t, err, "exporters::otlp_grpc::tls and exporters::otlp_grpc/other::tls differ")
	require.ErrorContains(t, err, "tls_pin/NAME")

	_, err = newRig(t, pinned(ModeEnforce, ca)).ext.GetGRPCClientOptions(t.Context())
	require.ErrorContains(t, err, "before the collector has said")
}

func TestConfig(t *testing.T) {
	for id, want := range map[string]string{
		"tls_pin": "", "tls_pin/all": "",
		"tls_pin/no_pins":     "pins are not set",
		"tls_pin/repeated":    "pins[1] repeats pins[0]",
		"tls_pin/hexadecimal": "is a fingerprint in hexadecimal; write the pin that `logseal pin HOST:PORT` prints",
		"tls_pin/mode":        "mode: \"warn\" is unknown; write `enforce` (the default), or `report`",
		"tls_pin/version":     `min_version "1.1" is broken or unknown; remove it (1.3 is the default)`,
		"tls_pin/unknown_key": "has invalid keys: pin",
	} {
		t.Run(id, func(t *testing.T) {
			err := load(t, id)
			if want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func load(t *testing.T, id string) error {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := all.Sub(id)
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig()
	if err := sub.Unmarshal(cfg); err != nil {
		return err
	}
	return confmap.Validate(cfg)
}
