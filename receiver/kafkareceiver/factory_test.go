// SPDX-License-Identifier: Apache-2.0

package kafkareceiver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const topic = "otlp_logs"

func produce(t *testing.T, c *kfake.Cluster, bodies ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic(topic))
	require.NoError(t, err)
	defer client.Close()
	for _, body := range bodies {
		logs := plog.NewLogs()
		logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(body)
		value, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
		require.NoError(t, err)
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Value: value}).FirstErr())
	}
}

// start runs a receiver until stop is called.
func start(t *testing.T, c *kfake.Cluster, next consumer.ConsumeLogsFunc) (h *statusHost, stop func()) {
	t.Helper()
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Stock.ClientConfig.Brokers = c.ListenAddrs()
	cfg.Stock.ErrorBackOff.InitialInterval = 10 * time.Millisecond
	cfg.Stock.ErrorBackOff.MaxInterval = 50 * time.Millisecond
	require.NoError(t, cfg.Validate())
	sink, err := consumer.NewLogs(next)
	require.NoError(t, err)
	set := receivertest.NewNopSettings(NewFactory().Type())
	core, _ := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core) // one that writes: what nobody would log is not heard
	r, err := NewFactory().CreateLogs(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	h = &statusHost{Host: componenttest.NewNopHost()}
	require.NoError(t, r.Start(t.Context(), h))
	return h, func() { require.NoError(t, r.Shutdown(context.Background())) }
}

// Three are refused, and the receiver stops while the pipeline still refuses: none is gone.
func TestWhatThePipelineRefusesIsNotCommitted(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	require.NoError(t, err)
	defer c.Close()
	produce(t, c, "one", "two", "three")

	var mu sync.Mutex
	refused := 0
	h, stop := start(t, c, func(context.Context, plog.Logs) error {
		mu.Lock()
		defer mu.Unlock()
		refused++
		return errors.New("the queue is full")
	})
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return refused >= 3 }, 30*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return h.told("the queue is full") }, 30*time.Second, 10*time.Millisecond)
	stop()

	got := map[string]int{}
	_, stop = start(t, c, func(_ context.Context, logs plog.Logs) error {
		mu.Lock()
		defer mu.Unlock()
		got[logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()]++
		return nil
	})
	defer stop()
	assert.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return got["one"] > 0 && got["two"] > 0 && got["three"] > 0
	}, 60*time.Second, 10*time.Millisecond)
}

// A message that nobody can decode is not skipped: what is behind it waits with it, and the status says so.
func TestUndecodableMessageHoldsItsPartitionLoudly(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	require.NoError(t, err)
	defer c.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic(topic))
	require.NoError(t, err)
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Value: []byte("no protobuf")}).FirstErr())
	client.Close()
	produce(t, c, "behind it")

	var taken atomic.Int64
	h, stop := start(t, c, func(context.Context, plog.Logs) error { taken.Add(1); return nil })
	defer stop()
	require.Eventually(t, func() bool { return h.told("a partition is not read any more") }, 30*time.Second, 10*time.Millisecond)
	assert.Zero(t, taken.Load())
}

// statusHost keeps what its component reports.
type statusHost struct {
	component.Host
	mu       sync.Mutex
	troubles []string
}

func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if event.Err() != nil {
		h.troubles = append(h.troubles, event.Err().Error())
	}
}

func (h *statusHost) told(text string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.troubles, func(trouble string) bool { return strings.Contains(trouble, text) })
}

func TestValidate(t *testing.T) {
	load := func(section map[string]any) error {
		cfg := NewFactory().CreateDefaultConfig()
		if err := confmap.NewFromStringMap(section).Unmarshal(cfg); err != nil {
			return err
		}
		return confmap.Validate(cfg)
	}
	require.NoError(t, load(nil))
	require.NoError(t, load(map[string]any{"message_marking": map[string]any{"on_permanent_error": true}}))
	for want, section := range map[string]map[string]any{
		"message_marking.after: false":  {"message_marking": map[string]any{"after": false}},
		"message_marking.on_error":      {"message_marking": map[string]any{"on_error": true}},
		"error_backoff is switched off": {"error_backoff": map[string]any{"enabled": false}},
	} {
		assert.ErrorContains(t, load(section), want)
	}
}
