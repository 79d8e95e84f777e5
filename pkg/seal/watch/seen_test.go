// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/watch"
)

var begin = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// seen is a watcher under a clock that a test moves, and the findings that are open by its events.
type seen struct {
	t      testing.TB
	w      *watch.Watcher
	config watch.Config
	now    time.Time
	open   map[string]watch.Event
	log    []watch.Event
	store  map[string][]byte
}

func newSeen(t testing.TB, config watch.Config) *seen {
	s := &seen{t: t, config: config, now: begin, open: map[string]watch.Event{}, store: map[string][]byte{}}
	s.start()
	return s
}

func (s *seen) start() {
	var err error
	s.w, err = watch.New(s.config)
	require.NoError(s.t, err)
}

// save keeps the state, and load goes on with what was kept.
func (s *seen) save(last bool) {
	for _, part := range s.w.Save(last) {
		if part.Value == nil {
			delete(s.store, part.Key)
		} else {
			s.store[part.Key] = part.Value
		}
	}
}

func (s *seen) load() {
	s.start()
	require.NoError(s.t, s.w.Load(func(key string) ([]byte, error) { return s.store[key], nil }, s.now))
	s.save(false)
}

// take checks that events make sense one after the other.
func (s *seen) take(events []watch.Event) {
	for _, e := range events {
		_, open := s.open[e.UID]
		switch e.State {
		case watch.Opened:
			require.False(s.t, open, "opened twice: %s", describe(e))
			s.open[e.UID] = e
		case watch.Updated:
			require.True(s.t, open, "updated and not open: %s", describe(e))
			s.open[e.UID] = e
		case watch.Resolved:
			require.True(s.t, open, "resolved and not open: %s", describe(e))
			delete(s.open, e.UID)
		}
		require.NotContains(s.t, e.Finding.Message(), "{")
		s.log = append(s.log, e)
	}
}

func (s *seen) observe(ld plog.Logs) {
	s.take(s.w.Observe(ld, watch.Peer{Address: "10.0.0.1:4317"}, s.now))
}

// pass lets time pass, a second at a time.
func (s *seen) pass(d time.Duration) {
	for ; d > 0; d -= time.Second {
		s.now = s.now.Add(time.Second)
		s.take(s.w.Tick(s.now))
	}
}

// codes returns which codes are open.
func (s *seen) codes() []finding.Code {
	var list []finding.Code
	for _, e := range s.open {
		list = append(list, e.Finding.Code)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (s *seen) String() string {
	var b strings.Builder
	for _, e := range s.log {
		b.WriteString(describe(e) + "\n")
	}
	return b.String()
}

func describe(e watch.Event) string {
	f := e.Finding
	return fmt.Sprintf("%s %s %s %s %s..%s ×%d %s", e.State, f.Code, f.Reason, f.Stream, f.ID, f.LastID, f.Count, f.Message())
}

func offline(t testing.TB, all []plog.Logs, trust ...seal.Trust) *verifier.Report {
	for v := verifier.New(trust); ; {
		for i, ld := range all {
			v.AddLogs(ld, finding.Place{File: "received", Line: i + 1})
		}
		report, err := v.Finish(time.Time{})
		require.NoError(t, err)
		next := v.Again()
		if next == nil {
			return report
		}
		v = next
	}
}

func show(report *verifier.Report) string {
	var b strings.Builder
	for _, f := range report.Findings {
		fmt.Fprintf(&b, "%s %s %s..%s ×%d %s\n", f.Code, f.Reason, f.ID, f.LastID, f.Count, f.Message())
	}
	return b.String()
}
