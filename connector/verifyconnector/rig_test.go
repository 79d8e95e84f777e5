// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/connector/verifyconnector/internal/metadata"
)

// statusHost keeps what a component reports.
type statusHost struct {
	component.Host
	mu         sync.Mutex
	events     []*componentstatus.Event
	extensions map[component.ID]component.Component
}

func (h *statusHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *statusHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

// lastErr returns the error of the status that was reported last; nil if that is none.
func (h *statusHost) lastErr() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return nil
	}
	return h.events[len(h.events)-1].Err()
}

// last returns the status that was reported last; none is OK.
func (h *statusHost) last() componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusOK
	}
	return h.events[len(h.events)-1].Status()
}

// taker is the next consumer: it keeps what it takes, and refuses while refusing is an error.
type taker struct {
	mu       sync.Mutex
	refusing error
	asked    int
	taken    []plog.LogRecord
}

func (c *taker) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *taker) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.refusing != nil {
		return c.refusing
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				c.taken = append(c.taken, lr)
			}
		}
	}
	return nil
}

func (c *taker) refuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing = err
}

func (c *taker) wasAsked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// attributes returns the values of an attribute of all that was taken, in order.
func (c *taker) attributes(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	values := make([]string, 0, len(c.taken))
	for _, lr := range c.taken {
		value := ""
		if v, found := lr.Attributes().Get(name); found {
			value = v.AsString()
		}
		values = append(values, value)
	}
	return values
}

var storageID = component.MustNewID("file_storage")

// rig is a connector between a real storage and a consumer of findings.
type rig struct {
	config   *Config
	set      connector.Settings
	host     *statusHost
	next     *taker
	dir      string
	entrance connector.Logs
}

func newRig(t *testing.T) *rig {
	t.Helper()
	factory := filestorage.NewFactory()
	storageConfig := factory.CreateDefaultConfig().(*filestorage.Config)
	dir := t.TempDir()
	storageConfig.Directory = dir
	extension, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), storageConfig)
	require.NoError(t, err)
	require.NoError(t, extension.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, extension.Shutdown(context.Background())) })
	r := &rig{
		config: createDefaultConfig().(*Config), set: connectortest.NewNopSettings(metadata.Type), next: &taker{}, dir: dir,
		host: &statusHost{Host: componenttest.NewNopHost(), extensions: map[component.ID]component.Component{storageID: extension}},
	}
	r.config.Trust.File = filepath.Join("testdata", "streams.trust")
	r.config.Storage = &storageID
	return r
}

// start starts the connector, and returns what stops it; the test's end does otherwise.
func (r *rig) start(t *testing.T) (stop func()) {
	t.Helper()
	// A configuration is of one start, as in a collector.
	config := *r.config
	var err error
	r.entrance, err = createLogsToLogs(t.Context(), r.set, &config, r.next)
	require.NoError(t, err)
	entrance := r.entrance
	require.NoError(t, entrance.Start(t.Context(), r.host))
	var once sync.Once
	stop = func() { once.Do(func() { assert.NoError(t, entrance.Shutdown(context.Background())) }) }
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, cond func() bool, what string) {
	t.Helper()
	require.Eventually(t, cond, 30*time.Second, 10*time.Millisecond, what)
}
