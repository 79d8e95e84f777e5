// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"context"
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/processor/stampprocessor/internal/metadata"
	"github.com/logseal/logseal/processor/stampprocessor/internal/metadatatest"
)

// failingStorage is a storage extension whose clients can be made to fail.
type failingStorage struct {
	component.StartFunc
	component.ShutdownFunc
	inner component.Component
	fail  atomic.Bool
	full  atomic.Bool // only writes fail
}

func (s *failingStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.inner.(storage.Extension).GetClient(ctx, kind, id, name)
	return failingClient{client, s}, err
}

type failingClient struct {
	storage.Client
	of *failingStorage
}

func (c failingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	writes := slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type != storage.Get })
	if c.of.fail.Load() || c.of.full.Load() && writes {
		return errDiskFull
	}
	return c.Client.Batch(ctx, ops...)
}

// Everything that would be a surprise later is an error at start that says what is wrong and what to do. A failed start
// leaves nothing behind that a later one would trip over.
func TestStartErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, b *bench, cfg *Config)
		want    []string
	}{
		"no such extension": {
			func(_ *testing.T, _ *bench, cfg *Config) { id := component.MustNewID("redis"); cfg.Storage = &id },
			[]string{`no extension "redis"`, "service::extensions"},
		},
		"an extension that keeps nothing": {
			func(_ *testing.T, _ *bench, cfg *Config) { id := component.MustNewID("other"); cfg.Storage = &id },
			[]string{`extension "other" keeps nothing`, "encrypted_storage"},
		},
		"storage in use": {
			func(t *testing.T, b *bench, _ *Config) {
				client, err := b.host[storageID].(storage.Extension).GetClient(t.Context(), component.KindProcessor, b.set.ID, "")
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, client.Close(context.Background())) })
			},
			[]string{"storage file_storage", `processor "stamp" is in use by another process`, "a storage directory of its own"},
		},
		"storage that cannot be read": {
			func(_ *testing.T, b *bench, _ *Config) {
				s := &failingStorage{inner: b.host[storageID]}
				s.fail.Store(true)
				b.host[storageID] = s
			},
			[]string{"storage file_storage", "no space left on device"},
		},
		"key file that others can read": {
			func(t *testing.T, b *bench, _ *Config) {
				_, err := sealer.CreateKeyFile(b.keyFile(), sealer.NewStream{Name: "web-17"})
				require.NoError(t, err)
				require.NoError(t, os.Chmod(b.keyFile(), 0o640))
			},
			[]string{"stamp.key", "0640", "chmod 600"},
		},
		"key file of another stream": {
			func(t *testing.T, b *bench, cfg *Config) {
				_, err := sealer.CreateKeyFile(b.keyFile(), sealer.NewStream{Name: "web-18"})
				require.NoError(t, err)
				cfg.Name = "web-17"
			},
			[]string{"stamp.key", `"web-18"`, `"web-17"`, "a key file of its own"},
		},
		"not a key file": {
			func(t *testing.T, b *bench, _ *Config) {
				require.NoError(t, os.WriteFile(b.keyFile(), []byte("hello"), 0o600))
			},
			[]string{"stamp.key"},
		},
		"a folder that is not there": {
			func(_ *testing.T, b *bench, cfg *Config) { cfg.KeyFile = b.dir + "/none/stamp.key" },
			[]string{"none could be made", "no such file or directory"},
		},
		"a host name that does not do": {
			func(_ *testing.T, b *bench, _ *Config) { b.set.Resource.Attributes().PutStr("host.name", "web 17") },
			[]string{"set name", `"web 17"`},
		},
		"a certificate that is not there": {
			func(_ *testing.T, b *bench, cfg *Config) {
				cfg.Endorse = EndorseConfig{CertFile: b.dir + "/none.pem", KeyFile: b.dir + "/none.key"}
			},
			[]string{"endorse: ", "none.pem", "no such file or directory"},
		},
		"a certificate for servers": {
			func(t *testing.T, b *bench, cfg *Config) {
				cfg.Endorse = endorsedBy(t, b, testpki.NewCA("ca"), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
			},
			[]string{"endorse.cert_file", "agent.pem", "not for client authentication"},
		},
		"an expired certificate": {
			func(t *testing.T, b *bench, cfg *Config) {
				cfg.Endorse = endorsedBy(t, b, testpki.NewCA("ca"), testpki.Expired())
			},
			[]string{"endorse.cert_file", "agent.pem", "not valid at the time"},
		},
		"a stream that has begun without endorsement": {
			func(t *testing.T, b *bench, cfg *Config) {
				require.NoError(t, b.start(t, b.config()).Shutdown(t.Context()))
				cfg.Endorse = endorsedBy(t, b, testpki.NewCA("ca"))
			},
			[]string{"endorse: ", "stamp.key", "has begun without an endorsement", "Take endorse out", "move the key file away"},
		},
		"a resource attribute that the collector does not have": {
			func(_ *testing.T, _ *bench, cfg *Config) { cfg.Seal.ResourceAttributes = []string{"tenant"} },
			[]string{"seal.resource_attributes", `"tenant"`, "service::telemetry::resource"},
		},
		"a trust line file that cannot be written": {
			func(_ *testing.T, b *bench, cfg *Config) { cfg.TrustLineFile = b.dir },
			[]string{"trust_line_file"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			good := b.config()
			cfg := b.config()
			host := map[component.ID]component.Component{}
			for id, c := range b.host {
				host[id] = c
			}
			tt.prepare(t, b, cfg)
			p := b.create(t, cfg)
			err := p.Start(t.Context(), b.host)
			require.Error(t, err)
			for _, text := range tt.want {
				assert.ErrorContains(t, err, text)
			}
			require.NoError(t, p.Shutdown(t.Context()))

			if name == "storage in use" {
				return // still
			}
			_ = os.Chmod(b.keyFile(), 0o600)
			if name == "not a key file" {
				require.NoError(t, os.Remove(b.keyFile()))
			}
			b.host = host
			b.set.Resource.Attributes().PutStr("host.name", "web-17")
			b.start(t, good)
		})
	}
}

// One name or one key file cannot be used twice.
func TestSharedNamesAndKeys(t *testing.T) {
	b := newBench(t)
	b.start(t, b.config())
	second := func(change func(*Config)) error {
		cfg := b.config()
		change(cfg)
		set := b.set
		set.ID = component.NewIDWithName(metadata.Type, "second")
		p, err := NewFactory().CreateLogs(t.Context(), set, cfg, b.next)
		require.NoError(t, err)
		err = p.Start(t.Context(), b.host)
		require.NoError(t, p.Shutdown(t.Context()))
		return err
	}
	err := second(func(*Config) {})
	require.ErrorContains(t, err, "stamp.key")
	require.ErrorContains(t, err, "another stamp uses it")

	err = second(func(cfg *Config) { cfg.KeyFile, cfg.Name = b.dir+"/second.key", "web-17" })
	require.ErrorContains(t, err, `name: "web-17" is already the stream of processor "stamp"`)
	require.ErrorContains(t, err, "a key_file of its own")
	require.NoError(t, os.Remove(b.dir+"/second.key"))

	require.NoError(t, second(func(cfg *Config) { cfg.KeyFile = b.dir + "/second.key" }))
	keys, err := sealer.OpenKeyFile(b.dir + "/second.key")
	require.NoError(t, err)
	assert.Equal(t, "web-17/second", keys.Trust().Name, "the default name of stamp/second")
	require.NoError(t, keys.Close())
}

// The first start makes the key file and says so; later ones find it. The trust line is in its file once, beside what is
// there already.
func TestFirstStart(t *testing.T) {
	b := newBench(t)
	require.NoError(t, os.WriteFile(b.trustFile(), []byte("# ours"), 0o600))
	for range 2 {
		require.NoError(t, b.start(t, b.config()).Shutdown(t.Context()))
	}
	begun := b.logs.FilterMessageSnippet("a new stream begins").All()
	require.Len(t, begun, 1)
	trust := b.trust(t)
	require.Len(t, trust, 1)
	assert.Equal(t, "web-17", trust[0].Name)
	assert.Equal(t, trust[0].String(), begun[0].ContextMap()["trust_line"])
	text, err := os.ReadFile(b.trustFile())
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "# ours\n"))
	info, err := os.Stat(b.keyFile())
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm())
}

// Neither records nor keys are in what we log.
func TestNothingOfRecordsIsLogged(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	ld := makeLogs(1)
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr("hunter2\xff")
	b.next.refuse.Store(true)
	err := p.ConsumeLogs(t.Context(), ld)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
	require.NoError(t, p.Shutdown(t.Context()))
	for _, entry := range b.logs.All() {
		assert.NotContains(t, entry.Message, "hunter2")
		for _, value := range entry.ContextMap() {
			assert.NotContains(t, value, "hunter2")
		}
	}
}

func TestSealResource(t *testing.T) {
	b := newBench(t)
	b.set.Resource.Attributes().PutStr("tenant", "security")
	b.set.Resource.Attributes().PutStr("other", "not named")
	cfg := b.config()
	cfg.Seal.ResourceAttributes = []string{"tenant"}
	b.start(t, cfg)
	assert.Equal(t, map[string]any{"service.name": "otelcol", "host.name": "web-17", "tenant": "security"},
		b.next.sealsAs.Resource().Attributes().AsRaw())
}

func TestMetrics(t *testing.T) {
	b := newBench(t)
	telemetry := componenttest.NewTelemetry()
	set := metadatatest.NewSettings(telemetry)
	b.set.MeterProvider = set.MeterProvider
	p := b.start(t, b.config())
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(5)))
	b.next.refuse.Store(true)
	require.Error(t, p.ConsumeLogs(t.Context(), makeLogs(3)))
	// One seal of both batches or one of each, as they fall into the intervals, of which the first may have been sent.
	eventually(t, func() bool { s := p.sealer.Stats(); return s.Unsent > 0 && s.Waiting == 0 }, "the seals")
	stats := p.sealer.Stats()

	ours := attribute.NewSet(attribute.String("processor", "stamp"))
	one := func(n int64) []metricdata.DataPoint[int64] {
		return []metricdata.DataPoint[int64]{{Attributes: ours, Value: n}}
	}
	ignore := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualProcessorStampRecords(t, telemetry, one(8), ignore)
	metadatatest.AssertEqualProcessorStampVoidedRecords(t, telemetry, one(3), ignore)
	metadatatest.AssertEqualProcessorStampRefusedRecords(t, telemetry, one(0), ignore)
	metadatatest.AssertEqualProcessorStampSeals(t, telemetry, one(int64(stats.Seals)), ignore)
	metadatatest.AssertEqualProcessorStampUnsentSeals(t, telemetry, one(int64(stats.Unsent)), ignore)
	metadatatest.AssertEqualProcessorStampUnsealedRecords(t, telemetry, one(0), ignore)
	metadatatest.AssertEqualProcessorStampUnsealedAge(t, telemetry,
		[]metricdata.DataPoint[float64]{{Attributes: ours}}, ignore, metricdatatest.IgnoreValue())
	metadatatest.AssertEqualProcessorStampAdoptedRecords(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("delivery", "sent"), attribute.String("processor", "stamp"))},
		{Attributes: attribute.NewSet(attribute.String("delivery", "doubt"), attribute.String("processor", "stamp"))},
	}, ignore)
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

var _ processor.Logs = (*stamp)(nil)

// endorsedBy is what to write for a certificate of a CA.
func endorsedBy(t *testing.T, b *bench, ca *testpki.Cert, opts ...testpki.Option) EndorseConfig {
	t.Helper()
	opts = append([]testpki.Option{testpki.Names("web-17.example.com")}, opts...)
	cert, key := ca.NewLeaf("web-17", opts...).WriteFiles(t, b.dir, "agent")
	return EndorseConfig{CertFile: cert, KeyFile: key}
}

// TestEndorsed: the first seal of a new stream carries the endorsement, also of one that was enrolled without; later starts need the
// certificate no more.
func TestEndorsed(t *testing.T) {
	for name, enrolled := range map[string]bool{"new": false, "enrolled": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			ca := testpki.NewCA("ca")
			if enrolled {
				_, err := sealer.CreateKeyFile(b.keyFile(), sealer.NewStream{Name: "web-17"})
				require.NoError(t, err)
			}
			cfg := b.config()
			cfg.Endorse = endorsedBy(t, b, ca)
			require.NoError(t, b.start(t, cfg).Shutdown(t.Context()))
			first := b.next.texts(t)[0]
			identity, err := endorse.Check(first, ca.Pool())
			require.NoError(t, err)
			require.Equal(t, "web-17.example.com", identity)

			require.NoError(t, os.Remove(cfg.Endorse.CertFile))
			require.NoError(t, b.start(t, cfg).Shutdown(t.Context()))
			b.verify(t)
		})
	}
}
