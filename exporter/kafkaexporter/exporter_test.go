// SPDX-License-Identifier: Apache-2.0

package kafkaexporter

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/queuewatch/queuetest"
)

const topic = "otlp_logs"

// broker is a Kafka broker, as far as its protocol goes.
func broker(t *testing.T) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

type statusHost struct {
	component.Host
	mu   sync.Mutex
	last *componentstatus.Event
}

func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = event
}

func (h *statusHost) told() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last != nil
}

func (h *statusHost) trouble() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil || h.last.Err() == nil {
		return ""
	}
	return h.last.Err().Error()
}

func testConfig(c *kfake.Cluster) *Config {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Stock.ClientConfig.Brokers = c.ListenAddrs()
	cfg.Stock.BackOffConfig.InitialInterval = 10 * time.Millisecond
	cfg.Stock.BackOffConfig.MaxInterval = 50 * time.Millisecond
	return cfg
}

func startExporter(t *testing.T, c *kfake.Cluster) (exporter.Logs, *statusHost) {
	t.Helper()
	h := &statusHost{Host: componenttest.NewNopHost()}
	cfg := testConfig(c)
	cfg.Stock.QueueBatchConfig.Get().WaitForResult = false // in memory, which Validate refuses: this test kills nobody
	return startExporterIn(t, cfg, h), h
}

func startExporterIn(t *testing.T, cfg *Config, h component.Host) exporter.Logs {
	t.Helper()
	exp, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(NewFactory().Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, exp.Shutdown(context.Background())) })
	return exp
}

// extensions is a host with these.
type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

// consume returns the bodies in the topic once they are all there, and how large the largest message is.
func consume(t *testing.T, c *kfake.Cluster, want int) (bodies map[string]int, largest int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	bodies = map[string]int{}
	for len(bodies) < want {
		fetches := client.PollFetches(ctx)
		require.NoError(t, ctx.Err(), "%d of %d records are there", len(bodies), want)
		fetches.EachRecord(func(r *kgo.Record) {
			largest = max(largest, len(r.Value))
			logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(r.Value)
			require.NoError(t, err)
			for _, resource := range logs.ResourceLogs().All() {
				for _, scope := range resource.ScopeLogs().All() {
					for _, record := range scope.LogRecords().All() {
						bodies[record.Body().Str()]++
					}
				}
			}
		})
	}
	return bodies, largest
}

func logsOf(bodies ...string) plog.Logs {
	logs := plog.NewLogs()
	for i, body := range bodies {
		if i%10 == 0 {
			logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
		}
		logs.ResourceLogs().At(i / 10).ScopeLogs().At(0).LogRecords().AppendEmpty().Body().SetStr(body)
	}
	return logs
}

func TestRequestLargerThanAMessageIsCut(t *testing.T) {
	c := broker(t)
	exp, h := startExporter(t, c)
	var sent []string
	for i := range 100 {
		sent = append(sent, strings.Repeat(string(rune('A'+i)), 50_000)) // 5 MB
	}
	require.NoError(t, exp.ConsumeLogs(t.Context(), logsOf(sent...)))
	got, largest := consume(t, c, len(sent))
	for _, body := range sent {
		assert.Equal(t, 1, got[body])
	}
	assert.LessOrEqual(t, largest, 1_000_000)
	assert.Empty(t, h.trouble())
}

// A record that fits into no message waits, and is told; what came with it and behind it goes on.
func TestRecordLargerThanAMessageIsHeldLoudly(t *testing.T) {
	c := broker(t)
	exp, h := startExporter(t, c)
	require.NoError(t, exp.ConsumeLogs(t.Context(), logsOf("before", strings.Repeat("x", 1_200_000), "after")))
	require.NoError(t, exp.ConsumeLogs(t.Context(), logsOf("the next request")))
	got, _ := consume(t, c, 3)
	assert.Equal(t, map[string]int{"before": 1, "after": 1, "the next request": 1}, got)
	require.Eventually(t, func() bool { return strings.Contains(h.trouble(), "raise producer.max_message_bytes") }, 30*time.Second, 10*time.Millisecond)
}

// The stock exporter drops what a broker refuses for a reason that franz-go does not call retriable.
func TestRefusedByTheBrokerWaits(t *testing.T) {
	c := broker(t)
	var refusals atomic.Int64
	refusals.Store(3)
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if refusals.Add(-1) < 0 {
			return nil, nil, false
		}
		c.KeepControl()
		response := request.ResponseKind().(*kmsg.ProduceResponse)
		for _, asked := range request.(*kmsg.ProduceRequest).Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = asked.Topic, asked.TopicID
			for _, partition := range asked.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = partition.Partition, kerr.TopicAuthorizationFailed.Code
				answer.Partitions = append(answer.Partitions, p)
			}
			response.Topics = append(response.Topics, answer)
		}
		return response, nil, true
	})
	exp, h := startExporter(t, c)
	require.NoError(t, exp.ConsumeLogs(t.Context(), logsOf("a", "b")))
	got, _ := consume(t, c, 2)
	assert.Equal(t, map[string]int{"a": 1, "b": 1}, got)
	assert.LessOrEqual(t, refusals.Load(), int64(0))
	require.Eventually(t, func() bool { return h.told() && h.trouble() == "" }, 30*time.Second, 10*time.Millisecond, "told, and over")
}

// exporterhelper counts what its storage refused as held. A disk that was full for long while the broker took all there was must not
// leave a queue that is empty and counts as full.
func TestFullDiskHealsAfterMoreThanTheQueueWasRefused(t *testing.T) {
	c := broker(t)
	storageID := component.MustNewID("file_storage")
	factory := filestorage.NewFactory()
	storageConfig := factory.CreateDefaultConfig().(*filestorage.Config)
	storageConfig.Directory = t.TempDir()
	disk, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), storageConfig)
	require.NoError(t, err)
	require.NoError(t, disk.Start(t.Context(), nil))
	t.Cleanup(func() { require.NoError(t, disk.Shutdown(context.Background())) })

	var full atomic.Bool
	cfg := testConfig(c)
	queue := cfg.Stock.QueueBatchConfig.Get()
	queue.StorageID, queue.QueueSize = &storageID, 20_000
	require.NoError(t, cfg.Validate())
	exp := startExporterIn(t, cfg, extensions{storageID: queuetest.Disk{Extension: disk.(storage.Extension), Full: &full}})
	require.NoError(t, exp.ConsumeLogs(t.Context(), logsOf("before")))
	consume(t, c, 1)

	full.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	after := logsOf("after", strings.Repeat("x", 1_000))
	for range 100 {
		require.ErrorIs(t, exp.ConsumeLogs(ctx, after), syscall.ENOSPC)
	}
	full.Store(false)
	require.NoError(t, exp.ConsumeLogs(ctx, after))
	got, _ := consume(t, c, 3)
	assert.Equal(t, 1, got["after"])
}

func TestValidate(t *testing.T) {
	storage := map[string]any{"storage": "file_storage"}
	load := func(section map[string]any) error {
		cfg := NewFactory().CreateDefaultConfig()
		if err := confmap.NewFromStringMap(section).Unmarshal(cfg); err != nil {
			return err
		}
		return confmap.Validate(cfg)
	}
	require.NoError(t, load(map[string]any{"sending_queue": storage}))
	require.NoError(t, load(map[string]any{"sending_queue": map[string]any{"enabled": false}}))
	for want, section := range map[string]map[string]any{
		"sending_queue.storage is not set":        {},
		"sending_queue.block_on_overflow":         {"sending_queue": map[string]any{"storage": "file_storage", "block_on_overflow": false}},
		"retry_on_failure is switched off":        {"sending_queue": storage, "retry_on_failure": map[string]any{"enabled": false}},
		"retry_on_failure.max_elapsed_time: 5m0s": {"sending_queue": storage, "retry_on_failure": map[string]any{"max_elapsed_time": "5m"}},
		"producer.required_acks: 0":               {"sending_queue": storage, "producer": map[string]any{"required_acks": 0}},
		"sending_queue.batch.max_size":            {"sending_queue": map[string]any{"storage": "file_storage", "batch": map[string]any{"sizer": "bytes", "max_size": 1000, "min_size": 100}}},
	} {
		assert.ErrorContains(t, load(section), want)
	}
}
