// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/logseal/logseal/extension/encryptedstorageextension/internal/metadata"
)

var (
	siem    = component.MustNewID("siem")
	fileLog = component.MustNewID("file_log")
)

type statusHost struct{ events chan *componentstatus.Event }

func (h statusHost) GetExtensions() map[component.ID]component.Component { return nil }
func (h statusHost) Report(e *componentstatus.Event)                     { h.events <- e }

func start(t *testing.T, c *Config) (storage.Extension, *observer.ObservedLogs) {
	t.Helper()
	set := extensiontest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core)
	ext, err := NewFactory().Create(t.Context(), set, c)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), statusHost{make(chan *componentstatus.Event, 10)}))
	return ext.(storage.Extension), logs
}

func config(dir string) *Config {
	c := createDefaultConfig().(*Config)
	c.Directory = dir
	return c
}

func stop(t *testing.T, ext storage.Extension, clients ...storage.Client) {
	t.Helper()
	for _, c := range clients {
		require.NoError(t, c.Close(t.Context()))
	}
	require.NoError(t, ext.Shutdown(t.Context()))
}

func client(t *testing.T, ext storage.Extension, kind component.Kind, id component.ID, name string) storage.Client {
	t.Helper()
	c, err := ext.GetClient(t.Context(), kind, id, name)
	require.NoError(t, err)
	return c
}

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	for id, want := range map[string]*Config{
		"encrypted_storage":     config("/var/lib/logseal/agent"),
		"encrypted_storage/all": {Directory: "/var/lib/logseal/gateway", KeyFile: "/etc/logseal/storage.key", Fsync: "always", FsyncInterval: 500 * time.Millisecond, MaxSizeMiB: 4096},
	} {
		cfg := NewFactory().CreateDefaultConfig()
		sub, err := conf.Sub(id)
		require.NoError(t, err)
		require.NoError(t, sub.Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, want, cfg)
	}
	for _, tt := range []struct {
		edit func(*Config)
		want string
	}{
		{func(c *Config) { c.Directory = "" }, "directory: missing"},
		{func(c *Config) { c.Fsync = "sometimes" }, `fsync: "sometimes" is unknown; write never, interval (the default) or always`},
		{func(c *Config) { c.FsyncInterval = 0 }, "fsync_interval: 0s is not between"},
		{func(c *Config) { c.MaxSizeMiB = 7 }, "max_size_mib: 7 is below 8"},
		{func(c *Config) { c.Key = "c2hvcnQ=" }, "key: key 1 is not 32 bytes in base64"},
		{func(c *Config) { c.Key, c.KeyFile = "x", "y" }, "set one of them"},
	} {
		c := config("/x")
		tt.edit(c)
		assert.ErrorContains(t, c.Validate(), tt.want)
	}
}

func TestLifecycle(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	ext, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), config(t.TempDir()))
	require.NoError(t, err)
	require.NoError(t, ext.Shutdown(t.Context()), "without a start")
	_, err = ext.(storage.Extension).GetClient(t.Context(), component.KindReceiver, fileLog, "")
	require.Error(t, err)
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	c := config(dir)
	ext, logs := start(t, c)
	require.Equal(t, 1, logs.FilterMessageSnippet("There was no key file").Len())
	require.NoError(t, client(t, ext, component.KindReceiver, fileLog, "").Set(t.Context(), "k", []byte("v")))
	failing := func(c *Config) error {
		t.Helper()
		other, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), c)
		require.NoError(t, err)
		err = other.Start(t.Context(), componenttest.NewNopHost())
		require.NoError(t, other.Shutdown(t.Context()))
		return err
	}
	require.ErrorContains(t, failing(c), "give each collector a directory of its own")
	require.ErrorContains(t, failing(config(filepath.Join(dir, "storage.key", "below a file"))), "let the collector's user")
	stop(t, ext)

	path := filepath.Join(dir, "storage.key")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)

	require.NoError(t, os.Chmod(path, 0o644))
	require.ErrorContains(t, failing(c), "chmod 0600")
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.Rename(path, path+".away"))
	require.ErrorContains(t, failing(c), "is gone")
	require.NoFileExists(t, path, "a new key would look as if all were well")

	next := base64.StdEncoding.EncodeToString([]byte("a new key, and it has 32 bytes..")) + "\n"
	require.NoError(t, os.WriteFile(path, []byte(next), 0o600))
	err = failing(c)
	require.ErrorContains(t, err, "behind the new one")
	require.NotContains(t, err.Error(), strings.TrimSpace(next))
	require.NoError(t, os.WriteFile(path, []byte("# since November\n"+next+string(text)), 0o600))
	ext, _ = start(t, c)
	v, err := client(t, ext, component.KindReceiver, fileLog, "").Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "v", string(v))
	stop(t, ext)
}

func TestBatchIsInOrder(t *testing.T) {
	ext, _ := start(t, config(t.TempDir()))
	for _, c := range []storage.Client{
		client(t, ext, component.KindReceiver, fileLog, ""),
		client(t, ext, component.KindExporter, siem, "logs"),
	} {
		first, second, third := storage.GetOperation("a"), storage.GetOperation("a"), storage.GetOperation("a")
		require.NoError(t, c.Batch(t.Context(), first, storage.SetOperation("a", []byte("1")), second, storage.DeleteOperation("a"), third, storage.SetOperation("a", []byte("2"))))
		assert.Nil(t, first.Value)
		assert.Equal(t, "1", string(second.Value))
		assert.Nil(t, third.Value)
		v, err := c.Get(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, "2", string(v))
		require.NoError(t, c.Delete(t.Context(), "a"))
		v, err = c.Get(t.Context(), "a")
		require.NoError(t, err)
		assert.Nil(t, v)
		require.Error(t, c.Batch(t.Context(), &storage.Operation{Type: 7}))
	}
	stop(t, ext)
}

func TestQueueNumbers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		m       queueMetadata
		there   []uint64
		read    uint64
		write   uint64
		numbers []uint64 // that the requests from read on have in the storage
	}{
		{"nothing waits", queueMetadata{read: 7, write: 7}, nil, 7, 7, nil},
		{"none was under way", queueMetadata{read: 3, write: 5}, []uint64{3, 4}, 3, 5, nil},
		{"three were", queueMetadata{read: 9, write: 11, underWay: []uint64{2, 5, 8}}, []uint64{2, 5, 8, 9, 10}, 6, 11, []uint64{2, 5, 8}},
		{"the last ones were", queueMetadata{read: 9, write: 9, underWay: []uint64{7, 8}}, []uint64{7, 8}, 7, 9, []uint64{7, 8}},
		{"numbers lost", queueMetadata{}, []uint64{40, 41}, 40, 42, nil},
		{"old numbers: what is there counts", queueMetadata{read: 2, write: 4}, []uint64{3, 4, 5}, 3, 6, nil},
		{"numbers refused by a full storage", queueMetadata{read: 3, write: 90}, []uint64{3, 4}, 3, 90, nil},
		{"nothing there any more", queueMetadata{read: 3, write: 90}, nil, 90, 90, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.m
			before := m.settle(tt.there)
			assert.Equal(t, tt.read, m.read)
			assert.Equal(t, tt.write, m.write)
			assert.Empty(t, m.underWay)
			assert.True(t, slices.Equal(tt.numbers, before), "%v", before)
			parsed, err := parseQueueMetadata(m.marshal())
			require.NoError(t, err)
			assert.Equal(t, m, parsed)
		})
	}
}

func FuzzQueueMetadata(f *testing.F) {
	m := queueMetadata{items: 1, bytes: 2, read: 3, write: 4}
	f.Add(m.marshal())
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseQueueMetadata(b) })
}

// What file_storage left is there, once; its file, which is in the clear, is gone.
func TestTakeOver(t *testing.T) {
	dir := t.TempDir()
	stockFactory := filestorage.NewFactory()
	stockConfig := stockFactory.CreateDefaultConfig().(*filestorage.Config)
	stockConfig.Directory = dir
	stock, err := stockFactory.Create(t.Context(), extensiontest.NewNopSettings(stockFactory.Type()), stockConfig)
	require.NoError(t, err)
	require.NoError(t, stock.Start(t.Context(), componenttest.NewNopHost()))
	queue := client(t, stock.(storage.Extension), component.KindExporter, siem, "logs")
	for i := range 700 {
		require.NoError(t, queue.Set(t.Context(), fmt.Sprint(i+5), []byte("request "+strings.Repeat("x", 5000)+fmt.Sprint(i+5))))
	}
	m := queueMetadata{items: 1, bytes: 1, read: 7, write: 705, underWay: []uint64{5, 6}}
	require.NoError(t, queue.Set(t.Context(), metadataKey, m.marshal()))
	position := client(t, stock.(storage.Extension), component.KindReceiver, fileLog, "")
	require.NoError(t, position.Set(t.Context(), "known files", []byte("17")))
	stop(t, stock.(storage.Extension), queue, position)

	ext, logs := start(t, config(dir))
	queue = client(t, ext, component.KindExporter, siem, "logs")
	position = client(t, ext, component.KindReceiver, fileLog, "")
	v, err := position.Get(t.Context(), "known files")
	require.NoError(t, err)
	require.Equal(t, "17", string(v))
	for i := range 700 {
		v, err := queue.Get(t.Context(), fmt.Sprint(i+5))
		require.NoError(t, err)
		require.Equal(t, "request "+strings.Repeat("x", 5000)+fmt.Sprint(i+5), string(v))
	}
	require.Equal(t, 2, logs.FilterMessageSnippet("taken over").Len())
	require.NoFileExists(t, filepath.Join(dir, "exporter_siem__logs"))
	stop(t, ext, queue, position)
	ext, logs = start(t, config(dir))
	queue = client(t, ext, component.KindExporter, siem, "logs")
	require.Zero(t, logs.FilterMessageSnippet("taken over").Len())
	stop(t, ext, queue)
}

// A file of file_storage that is cut off makes bbolt panic. What can be read of it comes over.
func TestTakeOverOfADamagedFile(t *testing.T) {
	for _, keep := range []int64{0, 100, 5000, 40_000} {
		dir := t.TempDir()
		stockFactory := filestorage.NewFactory()
		stockConfig := stockFactory.CreateDefaultConfig().(*filestorage.Config)
		stockConfig.Directory = dir
		stock, err := stockFactory.Create(t.Context(), extensiontest.NewNopSettings(stockFactory.Type()), stockConfig)
		require.NoError(t, err)
		queue := client(t, stock.(storage.Extension), component.KindExporter, siem, "logs")
		for i := range 100 {
			require.NoError(t, queue.Set(t.Context(), fmt.Sprint(i), make([]byte, 1000)))
		}
		stop(t, stock.(storage.Extension), queue)
		path := filepath.Join(dir, "exporter_siem__logs")
		require.NoError(t, os.Truncate(path, keep))
		ext, logs := start(t, config(dir))
		queue = client(t, ext, component.KindExporter, siem, "logs")
		require.Equal(t, 1, logs.FilterMessageSnippet("damaged file of file_storage").Len(), keep)
		require.FileExists(t, path+".damaged")
		stop(t, ext, queue)
	}
}

// A storage that stands still is not green.
func TestFullIsAStatus(t *testing.T) {
	c := config(t.TempDir())
	c.MaxSizeMiB = 8
	set := extensiontest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core)
	created, err := NewFactory().Create(t.Context(), set, c)
	require.NoError(t, err)
	host := statusHost{make(chan *componentstatus.Event, 10)}
	require.NoError(t, created.Start(t.Context(), host))
	ext := created.(storage.Extension)
	queue := client(t, ext, component.KindExporter, siem, "logs")
	n := 0
	for err == nil {
		err = queue.Set(t.Context(), fmt.Sprint(n), make([]byte, 100_000))
		n++
	}
	require.ErrorIs(t, err, storage.ErrStorageFull)
	wait := func(want componentstatus.Status) {
		select {
		case e := <-host.events:
			require.Equal(t, want, e.Status())
		case <-time.After(30 * time.Second):
			t.Fatalf("no status %s", want)
		}
	}
	wait(componentstatus.StatusRecoverableError)
	require.Equal(t, 1, logs.FilterMessageSnippet("stands still").Len())
	for i := range n - 1 {
		require.NoError(t, queue.Delete(t.Context(), fmt.Sprint(i)))
	}
	require.NoError(t, queue.Set(t.Context(), fmt.Sprint(n), make([]byte, 100_000)))
	wait(componentstatus.StatusOK)
	stop(t, ext, queue)
}

var errRefused = errors.New("the SIEM is away")

func TestMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	set := extensiontest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	ext, err := NewFactory().Create(t.Context(), set, config(t.TempDir()))
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	c := client(t, ext.(storage.Extension), component.KindReceiver, fileLog, "")
	require.NoError(t, c.Set(t.Context(), "k", []byte("value")))
	m, err := tel.GetMetric("otelcol_extension_encrypted_storage_entries")
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(m.Data), "1")
	require.NoError(t, c.Close(context.Background()))
	require.NoError(t, ext.Shutdown(context.Background()))
	require.NoError(t, tel.Shutdown(context.Background()))
}
