// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/logseal/logseal/pkg/flood"
	"github.com/logseal/logseal/processor/floodguardprocessor/internal/metadata"
)

// sink takes records and reports, or refuses them.
type sink struct {
	mu      sync.Mutex
	refuse  bool
	bodies  []string
	reports []plog.LogRecord
}

func (s *sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		return errors.New("refused")
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if lr.EventName() == eventName {
					to := plog.NewLogRecord()
					lr.CopyTo(to)
					s.reports = append(s.reports, to)
					continue
				}
				s.bodies = append(s.bodies, lr.Body().AsString())
			}
		}
	}
	return nil
}

func (s *sink) set(refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

// reported waits until cond is true of what was reported.
func (s *sink) reported(t *testing.T, cond func([]plog.LogRecord) bool) []plog.LogRecord {
	t.Helper()
	var all []plog.LogRecord
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		all = append([]plog.LogRecord(nil), s.reports...)
		return cond(all)
	}, 30*time.Second, 10*time.Millisecond)
	return all
}

func sum(reports []plog.LogRecord, attribute string) (n int64) {
	for _, r := range reports {
		v, _ := r.Attributes().Get(attrPrefix + attribute)
		n += v.Int()
	}
	return n
}

func str(r plog.LogRecord, attribute string) string {
	v, _ := r.Attributes().Get(attrPrefix + attribute)
	return v.AsString()
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// disk is a file_storage in a folder, and a host that has it.
func disk(t *testing.T, dir string) (host, component.ID) {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	extension, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, extension.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, extension.Shutdown(context.Background())) })
	id := component.NewID(factory.Type())
	return host{id: extension}, id
}

func newGuard(t *testing.T, cfg *Config, next consumer.Logs, h component.Host) *floodGuard {
	t.Helper()
	p := start(t, cfg, next, h)
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p
}

func start(t *testing.T, cfg *Config, next consumer.Logs, h component.Host) *floodGuard {
	t.Helper()
	require.NoError(t, cfg.Validate())
	p, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), h))
	return p.(*floodGuard)
}

func config(records float64) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Rate = RateConfig{Records: records, Burst: time.Second}
	cfg.Reserve = ReserveConfig{}
	cfg.ReportInterval = time.Second
	return cfg
}

// fromFile makes records as file_log does.
func fromFile(path string, n int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		lr := records.AppendEmpty()
		lr.Body().SetStr(fmt.Sprintf("%s line %d", path, i))
		lr.Attributes().PutStr("log.file.name", "x")
		lr.Attributes().PutStr("log.file.path", path)
	}
	return ld
}

func TestShedsAndReports(t *testing.T) {
	next := &sink{}
	f := newGuard(t, config(50), next, componenttest.NewNopHost())
	ld := fromFile("/var/log/flood", 300)
	require.NoError(t, f.ConsumeLogs(t.Context(), ld))
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/quiet", 3)))
	assert.Equal(t, 300, ld.LogRecordCount(), "what came is left as it is")

	reports := next.reported(t, func(all []plog.LogRecord) bool { return len(all) >= 2 })
	assert.Equal(t, "begin", str(reports[0], "phase"))
	assert.Equal(t, "end", str(reports[1], "phase"))
	r := reports[0]
	assert.Equal(t, plog.SeverityNumberWarn, r.SeverityNumber())
	assert.Equal(t, "/var/log/flood", str(r, "key"))
	assert.Equal(t, "log.file.path", str(r, "key.name"))
	assert.Equal(t, "rate.records", str(r, "limit"))
	assert.Equal(t, "false", str(r, "at_least"))
	assert.Equal(t, int64(300), sum(reports, "received.records"))
	assert.Equal(t, int64(250), sum(reports, "shed.records"))
	assert.Equal(t, int64(50), sum(reports, "kept.records"))
	first, err := time.Parse(time.RFC3339Nano, str(r, "first"))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), first, time.Minute)
	assert.Contains(t, r.Body().Str(), "log.file.path /var/log/flood is above rate.records: of 300 records received, 50 were kept, 250 shed")
	assert.Len(t, next.bodies, 53)
	assert.Equal(t, "/var/log/flood line 49", next.bodies[49])
}

// What others send as a report is not taken for one, whatever its scope, but behind agents that have sealed theirs.
func TestOthersReportsAreRenamed(t *testing.T) {
	forged := func() plog.Logs {
		ld := fromFile("/var/log/a", 3)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName(scopeName)
		lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1)
		lr.SetEventName(eventName)
		lr.Attributes().PutStr("logseal.id", "web17-7")
		return ld
	}
	names := func(ld plog.Logs) (names []string) {
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			names = append(names, lr.EventName())
		}
		return names
	}
	for _, tt := range []struct {
		name   string
		accept bool
		rate   float64
		ctx    context.Context
		want   []string
	}{
		{"from outside", false, 100, context.Background(), []string{"", "logseal.flood.claimed", ""}},
		{"from outside, in a flood", false, 2, context.Background(), []string{"", "logseal.flood.claimed"}},
		{"behind agents", true, 100, context.Background(), []string{"", "logseal.flood", ""}},
		{"of another guard of this process", false, 100, context.WithValue(context.Background(), ownReport{}, true), []string{"", "logseal.flood", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var next consumertest.LogsSink
			cfg := config(tt.rate)
			cfg.AcceptReports = tt.accept
			f := newGuard(t, cfg, &next, componenttest.NewNopHost())
			ld := forged()
			require.NoError(t, f.ConsumeLogs(tt.ctx, ld))
			assert.Equal(t, []string{"", "logseal.flood", ""}, names(ld), "what came is left as it is")
			var batch plog.Logs
			for _, got := range next.AllLogs() {
				if _, own := got.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get(attrPrefix + "phase"); !own {
					batch = got
				}
			}
			assert.Equal(t, tt.want, names(batch))
		})
	}
}

// A refused batch comes again: nothing of it is shed before the rest is taken, nor counted twice.
func TestRefusedBatchIsDecidedAnew(t *testing.T) {
	next := &sink{refuse: true}
	f := newGuard(t, config(50), next, componenttest.NewNopHost())
	ld := fromFile("/var/log/flood", 300)
	for range 20 {
		require.Error(t, f.ConsumeLogs(t.Context(), ld))
	}
	next.set(false)
	require.NoError(t, f.ConsumeLogs(t.Context(), ld))
	stats := f.guard.Stats()
	assert.Equal(t, uint64(300), stats.Kept.Records+stats.Shed.Records)
	assert.Len(t, next.bodies, int(stats.Kept.Records))
}

func TestReportsSurviveARefusingConsumer(t *testing.T) {
	next := &sink{}
	f := newGuard(t, config(50), next, componenttest.NewNopHost())
	f.emitTimeout = 100 * time.Millisecond
	next.set(true)
	for range 20 {
		// All of it is shed but for the first 50, which are refused: so the budget is used up first.
		b := f.guard.Begin(f.now())
		for range 100 {
			b.Admit(flood.Key{Name: "log.file.path", Value: "/var/log/flood"}, 100, nil)
		}
		b.Decided()
		f.settle(b, true)
	}
	want := f.guard.Stats().Shed.Records
	next.set(false)
	reports := next.reported(t, func(all []plog.LogRecord) bool { return sum(all, "shed.records") >= int64(want) })
	assert.Equal(t, int64(want), sum(reports, "shed.records"))
}

func TestHold(t *testing.T) {
	next := &sink{}
	cfg := config(50)
	cfg.OnExceed = onExceedHold
	f := newGuard(t, cfg, next, componenttest.NewNopHost())
	var clock atomic.Int64
	f.now = func() time.Duration { return time.Duration(clock.Load()) }
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 60)), "it may overdraw")
	err := f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 60))
	require.ErrorIs(t, err, errHeld)
	assert.False(t, consumererror.IsPermanent(err))
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/quiet", 3)))
	clock.Store(int64(time.Second))
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 60)))
	assert.Zero(t, f.guard.Stats().Shed)
	assert.Len(t, next.bodies, 123)
	reports := next.reported(t, func(all []plog.LogRecord) bool { return len(all) > 0 })
	assert.NotZero(t, sum(reports, "held.records"))
	assert.Zero(t, sum(reports, "shed.records"))
}

func TestReserve(t *testing.T) {
	next := &sink{}
	cfg := config(100)
	cfg.Reserve = ReserveConfig{Share: 0.2, MinSeverity: "error", Conditions: []string{`attributes["event.name"] == "auth.failure"`, `Int(body) == 1`}}
	f := newGuard(t, cfg, next, componenttest.NewNopHost())
	f.now = func() time.Duration { return 0 }
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 1000)))
	assert.Len(t, next.bodies, 80)
	worth := fromFile("/var/log/flood", 3)
	records := worth.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).Attributes().PutStr("event.name", "auth.failure")
	records.At(1).SetSeverityNumber(plog.SeverityNumberError)
	records.At(2).SetSeverityNumber(plog.SeverityNumberWarn)
	require.NoError(t, f.ConsumeLogs(t.Context(), worth))
	assert.Equal(t, []string{"/var/log/flood line 0", "/var/log/flood line 1"}, next.bodies[80:])
}

type auth map[string]any

func (a auth) GetAttribute(name string) any { return a[name] }
func (a auth) GetAttributeNames() []string  { return nil }

// Only what a receiver knows makes a key.
func TestKeys(t *testing.T) {
	names := []string{"k8s.pod.uid", "log.file.path", "_SYSTEMD_UNIT", "client.name", "client.address"}
	from := func(addr net.Addr, a client.AuthData) context.Context {
		return client.NewContext(context.Background(), client.Info{Addr: addr, Auth: a})
	}
	tcp := func(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }
	local := context.Background()
	for name, c := range map[string]struct {
		ctx      context.Context
		resource map[string]any
		record   map[string]any
		body     any
		want     flood.Key
	}{
		"a file":                         {ctx: local, record: map[string]any{"log.file.path": "/a"}, want: flood.Key{Name: "log.file.path", Value: "/a"}},
		"a pod":                          {ctx: local, resource: map[string]any{"k8s.pod.uid": "u"}, record: map[string]any{"log.file.path": "/a"}, want: flood.Key{Name: "k8s.pod.uid", Value: "u"}},
		"a pod that the record has":      {ctx: local, record: map[string]any{"log.file.path": "/a", "k8s.pod.uid": "u"}, want: flood.Key{Name: "k8s.pod.uid", Value: "u"}},
		"a unit":                         {ctx: local, body: map[string]any{"_SYSTEMD_UNIT": "sshd.service", "MESSAGE": "x"}, want: flood.Key{Name: "_SYSTEMD_UNIT", Value: "sshd.service"}},
		"a peer":                         {ctx: local, record: map[string]any{"net.peer.ip": "10.0.0.7"}, want: flood.Key{Name: "client.address", Value: "10.0.0.7"}},
		"nothing":                        {ctx: local, want: flood.Key{}},
		"a number":                       {ctx: local, record: map[string]any{"log.file.path": 7}, want: flood.Key{}},
		"an address that a record tells": {ctx: local, record: map[string]any{"client.address": "10.0.0.7"}, want: flood.Key{}},
		"a client that claims a file": {
			ctx: from(tcp("10.0.0.8", 1), nil), resource: map[string]any{"k8s.pod.uid": "u", "log.file.path": "/a"}, record: map[string]any{"log.file.path": "/a", "net.peer.ip": "10.9.9.9"},
			body: map[string]any{"_SYSTEMD_UNIT": "x"}, want: flood.Key{Name: "client.address", Value: "10.0.0.8"},
		},
		"another port":              {ctx: from(tcp("10.0.0.8", 2), nil), want: flood.Key{Name: "client.address", Value: "10.0.0.8"}},
		"IPv4 in IPv6":              {ctx: from(tcp("::ffff:10.0.0.8", 2), nil), want: flood.Key{Name: "client.address", Value: "10.0.0.8"}},
		"IPv6":                      {ctx: from(tcp("2001:db8:1:2:3:4:5:6", 2), nil), want: flood.Key{Name: "client.address", Value: "2001:db8:1:2::/64"}},
		"authenticated":             {ctx: from(tcp("10.0.0.8", 1), auth{"subject": "agent-7"}), want: flood.Key{Name: "client.name", Value: "agent-7"}},
		"authenticated by password": {ctx: from(tcp("10.0.0.8", 1), auth{"username": "agent-8"}), want: flood.Key{Name: "client.name", Value: "agent-8"}},
		"authenticated as nobody":   {ctx: from(tcp("10.0.0.8", 1), auth{}), want: flood.Key{Name: "client.address", Value: "10.0.0.8"}},
	} {
		t.Run(name, func(t *testing.T) {
			ld := plog.NewLogs()
			rl := ld.ResourceLogs().AppendEmpty()
			lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			require.NoError(t, rl.Resource().Attributes().FromRaw(c.resource))
			require.NoError(t, lr.Attributes().FromRaw(c.record))
			require.NoError(t, lr.Body().FromRaw(c.body))
			k := keyer{names: names}
			k.batch(c.ctx)
			k.resourceLogs(rl)
			assert.Equal(t, c.want, k.record(lr))
		})
	}
}

func TestLongKeys(t *testing.T) {
	long := strings.Repeat("/verylong", 500)
	a, b := bounded(long+"a"), bounded(long+"b")
	assert.NotEqual(t, a, b)
	assert.Len(t, a, maxKey)
	assert.Equal(t, a, bounded(long+"a"))
	short := long[:maxKey]
	assert.Equal(t, short, bounded(short))
}

// What stands in a resource or scope is charged too, to its first record.
func TestNothingIsFree(t *testing.T) {
	for name, put := range map[string]func(plog.ResourceLogs){
		"resource": func(rl plog.ResourceLogs) { rl.Resource().Attributes().PutStr("x", strings.Repeat("x", 1<<20)) },
		"nested": func(rl plog.ResourceLogs) {
			rl.Resource().Attributes().PutEmptySlice("x").AppendEmpty().SetEmptyMap().PutEmptyBytes("y").FromRaw(make([]byte, 1<<20))
		},
		"scope":  func(rl plog.ResourceLogs) { rl.ScopeLogs().At(0).Scope().SetName(strings.Repeat("x", 1<<20)) },
		"schema": func(rl plog.ResourceLogs) { rl.SetSchemaUrl(strings.Repeat("x", 1<<20)) },
		"record": func(rl plog.ResourceLogs) {
			rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("x", strings.Repeat("x", 1<<20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(0)
			cfg.Rate.BytesMiB = 1
			next := &sink{}
			f := newGuard(t, cfg, next, componenttest.NewNopHost())
			f.now = func() time.Duration { return 0 } // a slow machine would bring a MiB a second
			for range 100 {
				ld := fromFile("/var/log/flood", 1)
				put(ld.ResourceLogs().At(0))
				require.NoError(t, f.ConsumeLogs(t.Context(), ld))
			}
			assert.LessOrEqual(t, len(next.bodies), 5)
			stats := f.guard.Stats()
			assert.InDelta(t, 100*(1<<20), float64(stats.Kept.Bytes+stats.Shed.Bytes), 100*200)
		})
	}
}

// A kill: the session is left without a shutdown, and another one opens what it stored.
func TestCountsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	h, id := disk(t, dir)
	cfg := config(50)
	cfg.Storage = &id
	refusing := &sink{}
	f := start(t, cfg, refusing, h)
	// The first batch takes the budget; then nobody takes anything any more, reports included.
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 50)))
	refusing.set(true)
	b := f.guard.Begin(f.now())
	for range 500 {
		b.Admit(flood.Key{Name: "log.file.path", Value: "/var/log/flood"}, 100, nil)
	}
	_, over := b.Decided()
	f.settle(b, true)
	require.NotZero(t, over)

	// All that a kill leaves is what is in the storage. What frees the lock on it in this process is no part of that.
	f.stop()
	f.running.Wait()
	f.telemetry.Shutdown()
	require.NoError(t, f.store.client.Close(t.Context()))
	claimed.Delete(f.set.ID)

	next := &sink{}
	g := newGuard(t, cfg, next, h)
	reports := next.reported(t, func(all []plog.LogRecord) bool { return len(all) > 0 })
	assert.Equal(t, int64(over), sum(reports, "shed.records"))
	assert.Equal(t, "true", str(reports[0], "at_least"))
	assert.Contains(t, reports[0].Body().Str(), "at least")
	assert.Equal(t, "/var/log/flood", str(reports[0], "key"))
	require.NotNil(t, g)
}

// A stop reports what there is, or leaves it to the next session, without doubt about the counts.
func TestCountsSurviveAStop(t *testing.T) {
	dir := t.TempDir()
	h, id := disk(t, dir)
	cfg := config(50)
	cfg.Storage = &id
	cfg.ReportInterval = time.Hour
	next := &sink{}
	f := start(t, cfg, next, h)
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 50)))
	next.set(true)
	b := f.guard.Begin(f.now())
	for range 500 {
		b.Admit(flood.Key{Name: "log.file.path", Value: "/var/log/flood"}, 100, nil)
	}
	_, over := b.Decided()
	f.settle(b, true)
	require.NoError(t, f.Shutdown(t.Context()))
	assert.Empty(t, next.reports)

	next.set(false)
	f = start(t, cfg, next, h)
	reports := next.reported(t, func(all []plog.LogRecord) bool { return len(all) > 0 })
	assert.Equal(t, int64(over), sum(reports, "shed.records"))
	assert.Equal(t, "false", str(reports[0], "at_least"))
	require.NoError(t, f.Shutdown(t.Context()))
	n := len(next.reports)

	f = start(t, cfg, next, h)
	require.NoError(t, f.Shutdown(t.Context()))
	assert.Len(t, next.reports, n, "what was reported is not reported again")
}

func TestStorageMistakes(t *testing.T) {
	h, id := disk(t, t.TempDir())
	cfg := config(50)
	missing := component.MustNewID("nothing")
	cfg.Storage = &missing
	p, err := newFloodGuard(cfg, processortest.NewNopSettings(metadata.Type), &sink{})
	require.NoError(t, err)
	require.ErrorContains(t, p.Start(t.Context(), h), `there is no extension "nothing"`)
	require.NoError(t, p.Shutdown(t.Context()))
	cfg.Storage = &id
	set := processortest.NewNopSettings(metadata.Type)
	first, err := newFloodGuard(cfg, set, &sink{})
	require.NoError(t, err)
	require.NoError(t, first.Start(t.Context(), h))
	second, err := newFloodGuard(cfg, set, &sink{})
	require.NoError(t, err)
	require.ErrorContains(t, second.Start(t.Context(), h), "stands in two pipelines")
	require.NoError(t, second.Shutdown(t.Context()))
	require.NoError(t, first.Shutdown(t.Context()))
}

// A storage that fails stops no record.
func TestFailingStorage(t *testing.T) {
	h, id := disk(t, t.TempDir())
	cfg := config(50)
	cfg.Storage = &id
	next := &sink{}
	f := start(t, cfg, next, h)
	require.NoError(t, f.store.client.Close(t.Context()))
	require.NoError(t, f.ConsumeLogs(t.Context(), fromFile("/var/log/flood", 300)))
	next.reported(t, func(all []plog.LogRecord) bool { return sum(all, "shed.records") == 250 })
	require.Eventually(t, f.failing.Load, 30*time.Second, 10*time.Millisecond)
	require.Error(t, f.Shutdown(t.Context()))
}

func TestNothingIsAllocatedWhenNothingIsShed(t *testing.T) {
	f, err := newFloodGuard(createDefaultConfig().(*Config), processortest.NewNopSettings(metadata.Type), discard{})
	require.NoError(t, err)
	ld := fromFile("/var/log/app", 10)
	require.NoError(t, f.ConsumeLogs(t.Context(), ld))
	// Not one a record; now and then one a batch, for the garbage collector and the race detector empty pools.
	assert.Less(t, testing.AllocsPerRun(1000, func() { _ = f.ConsumeLogs(context.Background(), ld) }), 4.0)
}

var _ processor.Logs = (*floodGuard)(nil)
