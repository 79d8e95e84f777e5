// SPDX-License-Identifier: Apache-2.0

package lossless

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a storage extension that remembers what was written.
type memory struct {
	component.StartFunc
	component.ShutdownFunc
	values map[string]string
	writes int
	fail   error
}

func (m *memory) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return memoryClient{storage.NewNopClient(), m}, nil
}

type memoryClient struct {
	storage.Client
	*memory
}

func (c memoryClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	if c.writes++; c.fail != nil {
		return c.fail
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Set:
			c.values[op.Key] = string(op.Value)
		case storage.Delete:
			delete(c.values, op.Key)
		case storage.Get:
			op.Value = []byte(c.values[op.Key])
		}
	}
	return nil
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

var (
	testType  = component.MustNewType("lossless_test")
	storageID = component.MustNewID("memory")
)

// script is a stock receiver whose steps the test calls.
type script struct {
	component.Component
	next   consumer.Logs
	client storage.Client
	onStop func()
}

func (s *script) Start(ctx context.Context, h component.Host) (err error) {
	s.client, err = h.GetExtensions()[storageID].(storage.Extension).GetClient(ctx, component.KindReceiver, storageID, "")
	return err
}

func (s *script) Shutdown(context.Context) error {
	if s.onStop != nil {
		s.onStop()
	}
	return nil
}

func (s *script) emit(t *testing.T) error {
	t.Helper()
	return s.next.ConsumeLogs(t.Context(), plog.NewLogs())
}

func (s *script) save(t *testing.T, position string) {
	t.Helper()
	require.NoError(t, s.client.Set(t.Context(), "position", []byte(position)))
}

func (s *script) savePartly(t *testing.T, position string) {
	t.Helper()
	require.NoError(t, s.client.Set(PartialSave(t.Context()), "position", []byte(position)))
}

func newScript(t *testing.T, next consumer.Logs) (*script, receiver.Logs, *memory) {
	t.Helper()
	s, m := &script{}, &memory{values: map[string]string{}}
	stock := receiver.NewFactory(testType, func() component.Config { return &struct{}{} },
		receiver.WithLogs(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Logs) (receiver.Logs, error) {
			s.next = next
			return s, nil
		}, component.StabilityLevelStable))
	f := NewFactory(stock)
	r, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(testType), f.CreateDefaultConfig(), next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), host{storageID: m, component.MustNewID("other"): &script{}}))
	return s, r, m
}

func init() {
	// The gate is registered by pkg/stanza, which the factories of file_log and journald import, and this test does not.
	featuregate.GlobalRegistry().MustRegister(synchronousEmitterGate, featuregate.StageAlpha)
}

func TestPositionIsSavedOnlyBehindAcceptedRecords(t *testing.T) {
	refusal := errors.New("try again")
	for _, tt := range []struct {
		name    string
		answers []error // of the next consumer, in turn
		steps   func(t *testing.T, s *script)
		onStop  func(t *testing.T, s *script)
		want    string
	}{
		{
			name:    "accepted",
			answers: []error{nil, nil},
			steps: func(t *testing.T, s *script) {
				require.NoError(t, s.emit(t))
				s.save(t, "1")
			},
			onStop: func(t *testing.T, s *script) {
				require.NoError(t, s.emit(t))
				s.save(t, "2")
			},
			want: "2",
		},
		{
			name:    "refused, then accepted",
			answers: []error{refusal, nil},
			steps: func(t *testing.T, s *script) {
				require.ErrorIs(t, s.emit(t), refusal)
				require.NoError(t, s.emit(t))
				s.save(t, "1")
			},
			onStop: func(t *testing.T, s *script) { s.save(t, "1 again") },
			want:   "1 again",
		},
		{
			name:    "refused before the stop and given up",
			answers: []error{nil, refusal},
			steps: func(t *testing.T, s *script) {
				require.NoError(t, s.emit(t))
				s.save(t, "1")
				require.ErrorIs(t, s.emit(t), refusal)
			},
			onStop: func(t *testing.T, s *script) { s.save(t, "2") },
			want:   "1",
		},
		{
			name:    "refused during the stop",
			answers: []error{nil, refusal},
			steps: func(t *testing.T, s *script) {
				require.NoError(t, s.emit(t))
				s.save(t, "1")
			},
			onStop: func(t *testing.T, s *script) {
				require.ErrorIs(t, s.emit(t), refusal)
				s.save(t, "2")
			},
			want: "1",
		},
		{
			name:    "a partial save while a refused batch waits, then given up",
			answers: []error{refusal, nil},
			steps: func(t *testing.T, s *script) {
				require.ErrorIs(t, s.emit(t), refusal)
				require.NoError(t, s.emit(t)) // another reader's
				s.savePartly(t, "another's 1")
			},
			onStop: func(t *testing.T, s *script) { s.save(t, "2") },
			want:   "another's 1",
		},
		{
			name:    "a partial save during the stop",
			answers: []error{nil},
			steps:   func(t *testing.T, s *script) { s.save(t, "1") },
			onStop: func(t *testing.T, s *script) {
				require.NoError(t, s.emit(t))
				s.savePartly(t, "2")
			},
			want: "1",
		},
		{
			name:    "a permanent error is the receiver's to report",
			answers: []error{consumererror.NewPermanent(refusal)},
			steps:   func(t *testing.T, s *script) { require.ErrorIs(t, s.emit(t), refusal) },
			onStop:  func(t *testing.T, s *script) { s.save(t, "1") },
			want:    "1",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
				answer := tt.answers[0]
				tt.answers = tt.answers[1:]
				return answer
			})
			require.NoError(t, err)
			s, r, m := newScript(t, next)
			tt.steps(t, s)
			if tt.onStop != nil {
				s.onStop = func() { tt.onStop(t, s) }
			}
			require.NoError(t, r.Shutdown(t.Context()))
			assert.Equal(t, tt.want, m.values["position"])
		})
	}
}

// What is stored already is not written again, unless it is not known to be there.
func TestPositionIsWrittenOnce(t *testing.T) {
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error { return nil })
	require.NoError(t, err)
	s, r, m := newScript(t, next)
	for i, step := range []struct {
		do     func() error
		writes int
	}{
		{func() error { return s.client.Set(t.Context(), "position", []byte("1")) }, 1},
		{func() error { return s.client.Set(t.Context(), "position", []byte("1")) }, 1},
		{func() error { return s.client.Set(PartialSave(t.Context()), "position", []byte("2")) }, 2},
		{func() error { return s.client.Set(t.Context(), "position", []byte("2")) }, 2},
		{func() error { return s.client.Set(t.Context(), "position", []byte("1")) }, 3},
		{func() error { return s.client.Set(t.Context(), "other", []byte("1")) }, 4},
		{func() error {
			return s.client.Batch(t.Context(), storage.SetOperation("position", []byte("1")), storage.SetOperation("other", []byte("2")))
		}, 5},
		{func() error { return s.client.Delete(t.Context(), "position") }, 6},
		{func() error { return s.client.Set(t.Context(), "position", []byte("1")) }, 7},
	} {
		require.NoError(t, step.do())
		require.Equal(t, step.writes, m.writes, "step %d", i)
	}
	m.fail = errors.New("no space left on device")
	require.ErrorIs(t, s.client.Set(t.Context(), "position", []byte("3")), m.fail)
	m.fail = nil
	require.NoError(t, s.client.Set(t.Context(), "position", []byte("1")))
	require.Equal(t, 9, m.writes, "a write that failed may have been done all the same")
	require.Equal(t, map[string]string{"position": "1", "other": "2"}, m.values)
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestAnswer(t *testing.T) {
	refusal := errors.New("try again")
	for _, tt := range []struct {
		name              string
		answers           []error
		accepted, refused bool
	}{
		{name: "nothing has arrived"},
		{name: "accepted", answers: []error{nil}, accepted: true},
		{name: "refused", answers: []error{refusal}, refused: true},
		{name: "refused, then accepted", answers: []error{refusal, nil}, accepted: true},
		{name: "refused, then given up", answers: []error{refusal, consumererror.NewPermanent(refusal)}, accepted: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers := tt.answers
			next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
				answer := answers[0]
				answers = answers[1:]
				return answer
			})
			require.NoError(t, err)
			s, r, _ := newScript(t, next)
			ctx, answer := AwaitAnswer(t.Context())
			for range tt.answers {
				_ = s.next.ConsumeLogs(ctx, plog.NewLogs())
			}
			assert.Equal(t, tt.accepted, answer.Accepted())
			assert.Equal(t, tt.refused, answer.Refused())
			require.NoError(t, r.Shutdown(t.Context()))
		})
	}
}

func TestShutdownWaitsForRecordsOnTheirWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
			<-release
			return nil
		})
		require.NoError(t, err)
		s, r, _ := newScript(t, next)
		emitted, stopped := make(chan error, 1), make(chan error, 1)
		go func() { emitted <- s.emit(t) }()
		synctest.Wait()
		go func() { stopped <- r.Shutdown(context.Background()) }()
		synctest.Wait()
		require.Empty(t, stopped, "Shutdown returned with a record on its way")
		close(release)
		require.NoError(t, <-stopped)
		require.NoError(t, <-emitted)
		require.ErrorIs(t, s.emit(t), errStopped, "the next consumer is shut down by now")
	})
}

func TestGateIsOpenOnlyDuringCreation(t *testing.T) {
	enabled := func() (on bool) {
		featuregate.GlobalRegistry().VisitAll(func(g *featuregate.Gate) {
			if g.ID() == synchronousEmitterGate {
				on = g.IsEnabled()
			}
		})
		return on
	}
	for _, before := range []bool{false, true} {
		require.NoError(t, featuregate.GlobalRegistry().Set(synchronousEmitterGate, before))
		during := false
		stock := receiver.NewFactory(testType, func() component.Config { return &struct{}{} },
			receiver.WithLogs(func(context.Context, receiver.Settings, component.Config, consumer.Logs) (receiver.Logs, error) {
				during = enabled()
				return nil, errors.New("created enough")
			}, component.StabilityLevelStable))
		f := NewFactory(stock)
		_, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(testType), f.CreateDefaultConfig(), consumertest.NewNop())
		require.EqualError(t, err, "created enough")
		assert.True(t, during)
		assert.Equal(t, before, enabled(), "the operator's setting is kept")
	}
	require.NoError(t, featuregate.GlobalRegistry().Set(synchronousEmitterGate, false))
}
