// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/processor/stampprocessor"
)

// agent is a real stamp whose records and seals a rig's connector sees, but for what a test does to them on the way.
type agent struct {
	*rig
	stamp processor.Logs
	dir   string
	// endorse is the certificate that vouches for the stream; none unless set.
	endorse stampprocessor.EndorseConfig

	mu     sync.Mutex
	change func(plog.Logs) []plog.Logs
	errs   []error // of the connector, which never has any
}

func newAgent(t *testing.T) *agent {
	t.Helper()
	r := newRig(t)
	a := &agent{rig: r, dir: t.TempDir()}
	r.config.LateAfter = time.Hour // a busy machine is no finding: what is to be late says so
	return a
}

// seal starts the stamp, and returns what stops it; the test's end does otherwise.
func (a *agent) seal(t *testing.T) (stop func()) {
	t.Helper()
	factory := stampprocessor.NewFactory()
	config := factory.CreateDefaultConfig().(*stampprocessor.Config)
	config.Name, config.KeyFile, config.TrustLineFile = "web-17", filepath.Join(a.dir, "stamp.key"), filepath.Join(a.dir, "stamp.trust")
	config.Storage, config.Endorse = &storageID, a.endorse
	config.Seal.Interval, config.Seal.Heartbeat = 100*time.Millisecond, 200*time.Millisecond
	next, err := consumer.NewLogs(a.pass)
	require.NoError(t, err)
	a.stamp, err = factory.CreateLogs(t.Context(), processortest.NewNopSettings(factory.Type()), config, next)
	require.NoError(t, err)
	require.NoError(t, a.stamp.Start(t.Context(), a.host))
	var once sync.Once
	stop = func() { once.Do(func() { assert.NoError(t, a.stamp.Shutdown(context.Background())) }) }
	t.Cleanup(stop)
	return stop
}

// pass is the way from the stamp to the connector.
func (a *agent) pass(ctx context.Context, ld plog.Logs) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []plog.Logs{ld}
	if a.change != nil {
		list = a.change(ld)
	}
	for _, ld := range list {
		if a.entrance != nil {
			a.errs = append(a.errs, a.entrance.ConsumeLogs(ctx, ld))
		}
	}
	return nil
}

// on sets what becomes of what passes from now on.
func (a *agent) on(change func(plog.Logs) []plog.Logs) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.change = change
}

func (a *agent) log(t *testing.T, n int) {
	t.Helper()
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		records.AppendEmpty().Body().SetStr("user7 GET /api/v1/orders/42 200")
	}
	require.NoError(t, a.stamp.ConsumeLogs(t.Context(), ld))
}

// first returns the first record of a batch that the host has stamped; seals pass as they are.
func first(ld plog.Logs) (plog.LogRecord, bool) {
	lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	return lr, !seal.IsSeal(lr)
}

// running returns the connector that runs.
func (a *agent) running() *verify { return a.entrance.(*entrance).verify }

func (a *agent) awaitVerified(t *testing.T, n int) {
	t.Helper()
	eventually(t, func() bool { return a.running().watcher.Stats().Verified >= uint64(n) }, "records are verified")
}

func (a *agent) awaitFinding(t *testing.T, code, state string) {
	t.Helper()
	eventually(t, func() bool {
		codes, states := a.next.attributes(ocsf.AttributeCode), a.next.attributes(ocsf.AttributeState)
		for i := range states {
			if codes[i] == code && states[i] == state {
				return true
			}
		}
		return false
	}, code+" "+state)
}

// TestWhatIsInOrder: nothing is found, whatever harmless happens on the way, and the way has no error.
func TestWhatIsInOrder(t *testing.T) {
	a := newAgent(t)
	a.begin(t)
	var held []plog.Logs
	a.on(func(ld plog.Logs) []plog.Logs { // twice, and each batch of records behind what comes after it
		if _, record := first(ld); record {
			held = append(held, ld)
			return nil
		}
		list := append([]plog.Logs{ld}, append(held, held...)...)
		held = nil
		return list
	})
	for range 5 {
		a.log(t, 20)
	}
	a.awaitVerified(t, 100)
	a.on(nil)
	assert.Empty(t, a.next.attributes(ocsf.AttributeCode))
	assert.Equal(t, componentstatus.StatusOK, a.host.last())
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, err := range a.errs {
		assert.NoError(t, err)
	}
}

// begin starts a stamp with new keys in front of a connector that learns it.
func (a *agent) begin(t *testing.T) (stopStamp, stopConnector func()) {
	t.Helper()
	a.config.Trust.File, a.config.Trust.Unknown = "", unknownLearn
	a.config.Trust.LearnedFile = filepath.Join(a.dir, "learned.trust")
	stopConnector = a.start(t)
	stopStamp = a.seal(t)
	eventually(t, func() bool { return len(a.running().watcher.Learned()) == 1 }, "the stream is learned")
	return stopStamp, stopConnector
}

// TestWhatIsAltered is found at once, and the finding is sent once.
func TestWhatIsAltered(t *testing.T) {
	a := newAgent(t)
	a.begin(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	id := ""
	a.on(func(ld plog.Logs) []plog.Logs {
		if lr, record := first(ld); record {
			v, _ := lr.Attributes().Get(seal.IDKey)
			id = v.AsString()
			lr.Body().SetStr("user8 GET /api/v1/orders/42 200")
		}
		return []plog.Logs{ld}
	})
	a.log(t, 20)
	a.awaitFinding(t, "ALTERED", "opened")
	a.on(nil)
	a.next.mu.Lock()
	defer a.next.mu.Unlock()
	assert.Contains(t, a.next.taken[0].Body().Map().AsRaw()["message"], "Record "+id+" of stream web-17 is not the record that was sealed")
}

// TestWhatIsMissing is found after late_after, and resolved when it comes.
func TestWhatIsMissing(t *testing.T) {
	a := newAgent(t)
	a.config.LateAfter = time.Second
	a.begin(t)
	var dropped []plog.Logs
	a.on(func(ld plog.Logs) []plog.Logs {
		if _, record := first(ld); record {
			dropped = append(dropped, ld)
			return nil
		}
		return []plog.Logs{ld}
	})
	a.log(t, 20)
	a.awaitFinding(t, "MISSING", "opened")
	a.on(nil)
	for _, ld := range dropped {
		require.NoError(t, a.pass(t.Context(), ld))
	}
	a.awaitFinding(t, "MISSING", "resolved")
	uid := func(i int) any {
		return a.next.taken[i].Body().Map().AsRaw()["finding_info"].(map[string]any)["uid"]
	}
	a.next.mu.Lock()
	defer a.next.mu.Unlock()
	assert.Equal(t, uid(0), uid(len(a.next.taken)-1), "one finding has one uid over its life")
}

// TestAcrossRestarts: the state is where the stream was, so that a stop in order is no gap, and a stream that lost its keys meanwhile
// is noticed.
func TestAcrossRestarts(t *testing.T) {
	a := newAgent(t)
	stopStamp, stopConnector := a.begin(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	stopStamp()
	stopConnector()

	a.start(t)
	stopStamp = a.seal(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	stopStamp()
	assert.Empty(t, a.next.attributes(ocsf.AttributeCode))

	a.dir = t.TempDir() // another host under the same name
	a.seal(t)
	a.awaitFinding(t, "UNKNOWN_STREAM", "opened")
}

// TestFindingsAcrossRestarts: what nobody took before the stop is found again after it.
func TestFindingsAcrossRestarts(t *testing.T) {
	a := newAgent(t)
	a.config.LateAfter = time.Second
	_, stopConnector := a.begin(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	a.next.refuse(assert.AnError)
	a.on(func(ld plog.Logs) []plog.Logs {
		if _, record := first(ld); record {
			return nil
		}
		return []plog.Logs{ld}
	})
	a.log(t, 20)
	eventually(t, func() bool { return a.next.wasAsked() > 0 }, "the finding is offered")
	eventually(t, func() bool { return a.host.last() == componentstatus.StatusRecoverableError }, "the status says that it is not taken")
	a.mu.Lock()
	stopConnector()
	a.next.refuse(nil)
	a.start(t)
	a.mu.Unlock()
	eventually(t, func() bool { return len(a.next.attributes(ocsf.AttributeCode)) > 0 }, "the finding is sent")
}

// TestOneWatcherForBothKinds: where findings go to logs and figures to metrics, every record is looked at once.
func TestOneWatcherForBothKinds(t *testing.T) {
	r := newRig(t)
	logs, err := createLogsToLogs(t.Context(), r.set, r.config, r.next)
	require.NoError(t, err)
	metrics, err := createLogsToMetrics(t.Context(), r.set, r.config, new(consumertest.MetricsSink))
	require.NoError(t, err)
	v := logs.(*entrance).verify
	require.Same(t, v, metrics.(*entrance).verify)
	for _, c := range []component.Component{logs, metrics} {
		require.NoError(t, c.Start(t.Context(), r.host))
	}
	for _, c := range []consumer.Logs{logs, metrics} {
		require.NoError(t, c.ConsumeLogs(t.Context(), of(1, "web-17")))
	}
	eventually(t, func() bool { return v.watcher.Stats().Records == 1 }, "the record is looked at")
	for _, c := range []component.Component{metrics, logs} {
		require.NoError(t, c.Shutdown(context.Background()))
	}
	assert.Equal(t, uint64(1), v.watcher.Stats().Records)
	assert.NotContains(t, instances, r.config)
}

// TestFigures: a pipeline of metrics gets what the collector's own page of metrics has.
func TestFigures(t *testing.T) {
	a := newAgent(t)
	a.begin(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	sink := new(consumertest.MetricsSink)
	f := &figures{next: sink, set: a.set, started: time.Now()}
	f.send(t.Context(), a.running().watcher.Stats(), time.Now())
	var names []string
	for _, m := range sink.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		names = append(names, m.Name())
		if m.Name() == "logseal.verify.records" {
			for _, p := range m.Sum().DataPoints().All() {
				if verdict, _ := p.Attributes().Get("verdict"); verdict.Str() == "verified" {
					assert.Equal(t, int64(20), p.IntValue())
				}
			}
		}
	}
	slices.Sort(names)
	assert.Equal(t, []string{
		"logseal.verify.found", "logseal.verify.lag_records", "logseal.verify.lag_time", "logseal.verify.open_findings",
		"logseal.verify.pending_records", "logseal.verify.records", "logseal.verify.seal_age", "logseal.verify.streams",
	}, names)
}

// TestStartErrors: each says what to write.
func TestStartErrors(t *testing.T) {
	for want, id := range map[string]component.ID{
		`there is no extension "redis": write it under extensions`: component.MustNewID("redis"),
		`extension "other" keeps nothing`:                          component.MustNewID("other"),
	} {
		r := newRig(t)
		r.host.extensions[component.MustNewID("other")] = nil
		r.config.Storage = &id
		c, err := createLogsToLogs(t.Context(), r.set, r.config, r.next)
		require.NoError(t, err)
		require.ErrorContains(t, c.Start(t.Context(), r.host), want)
		require.NoError(t, c.Shutdown(context.Background()))
	}
}
