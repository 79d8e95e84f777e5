// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/processor/stampprocessor/internal/metadata"
)

var storageID = component.MustNewID("file_storage")

// host is a collector with one extension: real file storage in a folder of the test.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// bench is what a stamp under test works with: a folder, and a next consumer that keeps what it takes.
type bench struct {
	dir  string
	host host
	next *sink
	logs *observer.ObservedLogs
	set  processor.Settings
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir(), next: new(sink)}
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = b.dir
	require.NoError(t, cfg.Validate())
	extension, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, extension.Start(t.Context(), nil))
	t.Cleanup(func() { assert.NoError(t, extension.Shutdown(context.Background())) })
	b.host = host{storageID: extension, component.MustNewID("other"): nil}
	b.set = processortest.NewNopSettings(metadata.Type)
	b.set.ID = component.NewID(metadata.Type)
	b.set.Resource.Attributes().PutStr("host.name", "web-17")
	core, logs := observer.New(zap.DebugLevel)
	b.set.Logger, b.logs = zap.New(core), logs
	return b
}

func (b *bench) keyFile() string   { return filepath.Join(b.dir, "stamp.key") }
func (b *bench) trustFile() string { return filepath.Join(b.dir, "stamp.trust") }

func (b *bench) config() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.KeyFile, cfg.TrustLineFile, cfg.Storage = b.keyFile(), b.trustFile(), &storageID
	cfg.Seal.Interval = 100 * time.Millisecond
	return cfg
}

func (b *bench) create(t *testing.T, cfg *Config) processor.Logs {
	t.Helper()
	require.NoError(t, cfg.Validate())
	p, err := NewFactory().CreateLogs(t.Context(), b.set, cfg, b.next)
	require.NoError(t, err)
	return p
}

// start starts a stamp and ends it with the test.
func (b *bench) start(t *testing.T, cfg *Config) *stamp {
	t.Helper()
	p := b.create(t, cfg)
	require.NoError(t, p.Start(t.Context(), b.host))
	t.Cleanup(func() { assert.NoError(t, p.Shutdown(context.Background())) })
	return p.(*stamp)
}

// sink keeps copies of what it takes, records apart from seals.
type sink struct {
	refuse      atomic.Bool // everything
	refuseSeals atomic.Bool
	refuseSome  atomic.Bool // one request of records in five
	panics      atomic.Bool // on records
	block       atomic.Bool // until the caller gives up

	mu       sync.Mutex
	requests []plog.Logs
	records  []plog.LogRecord
	seals    []plog.LogRecord
	sealsAs  plog.ResourceLogs // the last
}

var errRefused = errors.New("refused")

func (s *sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if s.block.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	ofSeals := isOfSeals(ld)
	switch {
	case s.refuse.Load(), ofSeals && s.refuseSeals.Load(), !ofSeals && s.refuseSome.Load() && rand.IntN(5) == 0:
		return errRefused
	case !ofSeals && s.panics.Load():
		panic("next")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := plog.NewLogs()
	ld.CopyTo(kept)
	s.requests = append(s.requests, kept)
	for _, rl := range kept.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if seal.IsSeal(lr) {
					s.seals, s.sealsAs = append(s.seals, lr), rl
				} else {
					s.records = append(s.records, lr)
				}
			}
		}
	}
	return nil
}

// isOfSeals reports whether a request is one of seals.
func isOfSeals(ld plog.Logs) bool {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				return seal.IsSeal(lr)
			}
		}
	}
	return false
}

// texts returns the seals that came, parsed.
func (s *sink) texts(t *testing.T) []*seal.Seal {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	seals := make([]*seal.Seal, len(s.seals))
	for i, lr := range s.seals {
		note, err := seal.ParseNote(lr.Body().Str())
		require.NoError(t, err)
		seals[i] = note.Seal
	}
	return seals
}

// verify verifies what the sink took, as an archive of JSON lines, and requires that nothing be found.
func (b *bench) verify(t *testing.T) *verifier.Report {
	t.Helper()
	report := b.report(t)
	require.Empty(t, report.Findings)
	require.Equal(t, finding.OK, report.Verdict)
	return report
}

func (b *bench) report(t *testing.T) *verifier.Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "archive.jsonl")
	var text []byte
	b.next.mu.Lock()
	for _, ld := range b.next.requests {
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		text = append(append(text, line...), '\n')
	}
	b.next.mu.Unlock()
	require.NoError(t, os.WriteFile(path, text, 0o600))
	report, err := archive.Verify(t.Context(), []string{path}, verifier.New(b.trust(t)), time.Time{}, archive.Options{})
	require.NoError(t, err)
	return report
}

// trust reads the trust line file that config sets.
func (b *bench) trust(t *testing.T) []seal.Trust {
	t.Helper()
	f, err := os.Open(b.trustFile())
	require.NoError(t, err)
	defer f.Close()
	trust, err := seal.ParseTrust(f)
	require.NoError(t, err)
	return trust
}

func (s *sink) kinds(t *testing.T) []seal.Kind {
	t.Helper()
	var kinds []seal.Kind
	for _, one := range s.texts(t) {
		kinds = append(kinds, one.Kind)
	}
	return kinds
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records)
}

func makeLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		records.AppendEmpty().Body().SetStr("line " + strconv.Itoa(i))
	}
	return ld
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t *testing.T, cond func() bool, what string) {
	t.Helper()
	require.Eventually(t, cond, 30*time.Second, 5*time.Millisecond, what)
}

func TestRecordsAreStampedAndSealed(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(3)))
	for i, lr := range b.next.records {
		text, found := lr.Attributes().Get(seal.IDKey)
		require.True(t, found)
		id, err := seal.ParseID(text.Str())
		require.NoError(t, err)
		assert.EqualValues(t, i, id.Seq)
	}
	eventually(t, func() bool { return len(b.next.texts(t)) == 2 }, "the records' seal")
	require.NoError(t, p.Shutdown(t.Context()))
	assert.Equal(t, []seal.Kind{seal.KindOpen, seal.KindBlock, seal.KindClose}, b.next.kinds(t))
	assert.Equal(t, "0-2", b.next.texts(t)[1].Covered.String())
	first := b.next.requests[0].ResourceLogs().At(0)
	assert.True(t, seal.IsSeal(first.ScopeLogs().At(0).LogRecords().At(0)), "the open seal comes first")
	assert.Equal(t, map[string]any{"service.name": "otelcol", "host.name": "web-17"}, first.Resource().Attributes().AsRaw())
	b.verify(t)
}

// A receiver that does not stop in time gets an error, not a crash, and what it sent is not forwarded.
func TestRecordsAfterShutdown(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	require.NoError(t, p.Shutdown(t.Context()))
	require.ErrorIs(t, p.ConsumeLogs(t.Context(), makeLogs(1)), sealer.ErrClosed)
	assert.Zero(t, b.next.count())
	require.NoError(t, p.Shutdown(t.Context()), "twice")
}

func TestShutdownWithoutStart(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.create(t, b.config()).Shutdown(t.Context()))
}

// What a session leaves in the log is of no use once the next has begun.
func TestLeavesOfTheSessionBeforeAreRemoved(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(4)))
	require.Equal(t, 1, segments(t, b))
	require.NoError(t, p.Shutdown(t.Context()))
	again := b.start(t, b.config())
	require.Zero(t, segments(t, b))
	require.NoError(t, again.Shutdown(t.Context()))
	b.verify(t)
}

// segments returns how many files of leaves there are.
func segments(t *testing.T, b *bench) int {
	t.Helper()
	entries, err := os.ReadDir(b.keyFile() + ".leaves")
	require.NoError(t, err)
	return len(entries)
}
