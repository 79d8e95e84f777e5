// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/syslogreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/logseal/logseal/internal/testport"
)

// sink keeps what arrives.
type sink struct {
	mu      sync.Mutex
	records []plog.LogRecord
	refuse  int // how many requests are refused first
}

func (s *sink) consume(_ context.Context, ld plog.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse > 0 {
		s.refuse--
		return errors.New("full")
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				s.records = append(s.records, lr)
			}
		}
	}
	return nil
}

func (s *sink) bodies() (bodies []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lr := range s.records {
		bodies = append(bodies, lr.Body().Str())
	}
	return bodies
}

// serve starts a receiver and returns where it listens.
func serve(t *testing.T, s *sink, change func(*stock.SysLogConfig)) (receiver.Logs, string, *observer.ObservedLogs) {
	t.Helper()
	return serveOn(t, s, componenttest.NewNopHost(), change)
}

func serveOn(t *testing.T, s *sink, h component.Host, change func(*stock.SysLogConfig)) (receiver.Logs, string, *observer.ObservedLogs) {
	t.Helper()
	address := testport.Address(t)
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*stock.SysLogConfig)
	cfg.InputConfig.TCP = &tcp.NewConfig().BaseConfig
	cfg.InputConfig.TCP.ListenAddress = address
	cfg.RetryOnFailure.Enabled = true
	cfg.RetryOnFailure.InitialInterval = 10 * time.Millisecond
	if change != nil {
		change(cfg)
	}
	next, err := consumer.NewLogs(s.consume)
	require.NoError(t, err)
	set := receivertest.NewNopSettings(f.Type())
	core, logs := observer.New(zap.WarnLevel)
	set.Logger = zap.New(core)
	r, err := f.CreateLogs(t.Context(), set, cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), h))
	return r, address, logs
}

func dial(t *testing.T, address, stream string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	_, err = conn.Write([]byte(stream))
	require.NoError(t, err)
	return conn
}

// A stop reads what is written, marks what is half, and loses nothing that the pipeline refused first.
func TestStopTakesWhatIsWritten(t *testing.T) {
	s := &sink{refuse: 3}
	r, address, _ := serve(t, s, nil)
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "<13>Nov 28 10:00:00 h app: line %d\n", i)
	}
	conn := dial(t, address, text.String()+"<13>Nov 28 10:00:00 h app: half a li")
	defer conn.Close()
	assert.Eventually(t, func() bool { return len(s.bodies()) > 0 }, 30*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	bodies := s.bodies()
	require.Len(t, bodies, 5001)
	last := s.records[5000]
	assert.Equal(t, "<13>Nov 28 10:00:00 h app: half a li", last.Body().Str())
	incomplete, _ := last.Attributes().Get(AttributeIncomplete)
	assert.True(t, incomplete.Bool())
}

// A message waits neither for the next one nor for a full batch.
func TestAMessageIsPassedOnAtOnce(t *testing.T) {
	s := &sink{}
	r, address, _ := serve(t, s, nil)
	conn := dial(t, address, "<13>Nov 28 10:00:00 h app: first\n<13>Nov 28 10:00:00 h app: sec")
	defer conn.Close()
	assert.Eventually(t, func() bool { return len(s.bodies()) == 1 }, 30*time.Second, time.Millisecond)
	_, err := conn.Write([]byte("ond\n"))
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return len(s.bodies()) == 2 }, 30*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestPartsHaveTheHeadersAttributes(t *testing.T) {
	s := &sink{}
	r, address, logs := serve(t, s, func(c *stock.SysLogConfig) { c.InputConfig.TCP.MaxLogSize = 64 << 10 })
	long := "<11>1 2026-11-28T10:00:00Z host app 7 - - " + strings.Repeat("word ", 40_000)
	require.NoError(t, dial(t, address, long+"\n").Close())
	assert.Eventually(t, func() bool { return len(s.bodies()) == 4 }, 30*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, long, strings.Join(s.bodies(), ""))
	for i, lr := range s.records {
		part, _ := lr.Attributes().Get(AttributePart)
		_, last := lr.Attributes().Get(AttributeLastPart)
		name, _ := lr.Attributes().Get("hostname")
		assert.EqualValues(t, i+1, part.Int())
		assert.Equal(t, i == 3, last)
		assert.Equal(t, "host", name.Str())
		assert.Equal(t, plog.SeverityNumberError, lr.SeverityNumber())
	}
	require.Positive(t, logs.Len())
	line := logs.All()[0].ContextMap()
	assert.Equal(t, []any{"127.0.0.1"}, line["peers"])
}

func TestOptions(t *testing.T) {
	t.Run("drop", func(t *testing.T) {
		s := &sink{}
		r, address, _ := serve(t, s, func(c *stock.SysLogConfig) { c.InputConfig.OnError = "drop_quiet" })
		require.NoError(t, dial(t, address, "words\n<13>Nov 28 10:00:00 h app: x\n").Close())
		assert.Eventually(t, func() bool { return len(s.bodies()) == 1 }, 30*time.Second, time.Millisecond)
		require.NoError(t, r.Shutdown(t.Context()))
		assert.Equal(t, []string{"<13>Nov 28 10:00:00 h app: x"}, s.bodies())
	})
	t.Run("protocol none", func(t *testing.T) {
		s := &sink{}
		r, address, logs := serve(t, s, func(c *stock.SysLogConfig) { c.InputConfig.Protocol = "none" })
		require.NoError(t, dial(t, address, "<13>Nov 28 10:00:00 h app: x\n").Close())
		assert.Eventually(t, func() bool { return len(s.bodies()) == 1 }, 30*time.Second, time.Millisecond)
		require.NoError(t, r.Shutdown(t.Context()))
		_, named := s.records[0].Attributes().Get("hostname")
		assert.False(t, named)
		assert.Zero(t, logs.Len())
	})
	t.Run("encoding and addresses", func(t *testing.T) {
		s := &sink{}
		r, address, _ := serve(t, s, func(c *stock.SysLogConfig) {
			c.InputConfig.TCP.Encoding, c.InputConfig.TCP.AddAttributes = "latin1", true
		})
		require.NoError(t, dial(t, address, "<13>Nov 28 10:00:00 h app: gr\xfc\xdfe\n").Close())
		assert.Eventually(t, func() bool { return len(s.bodies()) == 1 }, 30*time.Second, time.Millisecond)
		require.NoError(t, r.Shutdown(t.Context()))
		assert.Equal(t, "<13>Nov 28 10:00:00 h app: grüße", s.bodies()[0])
		peer, _ := s.records[0].Attributes().Get("net.peer.ip")
		assert.Equal(t, "127.0.0.1", peer.Str())
	})
	for _, tt := range []struct {
		name, want string
		change     func(*stock.SysLogConfig)
	}{
		{"both", "syslog/udp", func(c *stock.SysLogConfig) { c.InputConfig.UDP = &udp.NewConfig().BaseConfig }},
		{"neither", "tcp", func(c *stock.SysLogConfig) { c.InputConfig.TCP = nil }},
		{"multiline", "tcp.multiline", func(c *stock.SysLogConfig) { c.InputConfig.TCP.SplitConfig.LineStartPattern = "x" }},
		{"packets", "tcp.one_log_per_packet", func(c *stock.SysLogConfig) { c.InputConfig.TCP.OneLogPerPacket = true }},
		{"a small bound", "max_log_size", func(c *stock.SysLogConfig) { c.InputConfig.TCP.MaxLogSize = 1 }},
		{"encoding", "encoding", func(c *stock.SysLogConfig) { c.InputConfig.TCP.Encoding = "none-such" }},
		{"location", "None/Such", func(c *stock.SysLogConfig) { c.InputConfig.Protocol, c.InputConfig.Location = "rfc3164", "None/Such" }},
		{"protocol", "rfc1", func(c *stock.SysLogConfig) { c.InputConfig.Protocol = "rfc1" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFactory()
			cfg := f.CreateDefaultConfig().(*stock.SysLogConfig)
			cfg.InputConfig.TCP = &tcp.NewConfig().BaseConfig
			cfg.InputConfig.TCP.ListenAddress = "127.0.0.1:0"
			tt.change(cfg)
			_, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, consumertest.NewNop())
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// statusHost keeps what a receiver says of itself.
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

func (h *statusHost) is(status componentstatus.Status) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last != nil && h.last.Status() == status
}

// Connections are bounded, by default too; what is refused for that is the status, and the receiver recovers.
func TestMaxConnectionsIsStatus(t *testing.T) {
	for _, written := range []int{2, 0} {
		h := &statusHost{Host: componenttest.NewNopHost()}
		s := &sink{}
		r, address, logs := serveOn(t, s, h, func(c *stock.SysLogConfig) { c.InputConfig.TCP.MaxConnections = written })
		limit := written
		if limit == 0 {
			limit = defaultMaxConnections
		}
		var open []net.Conn
		for range limit {
			open = append(open, dial(t, address, ""))
		}
		refused, err := net.Dial("tcp", address)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return h.is(componentstatus.StatusRecoverableError) }, 30*time.Second, time.Millisecond)
		_, err = refused.Read(make([]byte, 1))
		require.Error(t, err)
		require.NoError(t, refused.Close())
		for _, conn := range open {
			require.NoError(t, conn.Close())
		}
		require.Eventually(t, func() bool { return h.is(componentstatus.StatusOK) }, 30*time.Second, time.Millisecond)
		conn := dial(t, address, "<13>Nov 28 10:00:00 h app: again\n")
		require.NoError(t, conn.Close())
		require.Eventually(t, func() bool { return len(s.bodies()) == 1 }, 30*time.Second, time.Millisecond)
		require.NoError(t, r.Shutdown(t.Context()))
		found := false
		for _, line := range logs.All() {
			found = found || line.ContextMap()["connections_above_max"] != nil
		}
		assert.True(t, found, "the report says so")
	}
}
