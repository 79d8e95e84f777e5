// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/watch"
)

var begin = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// schedules is how many random schedules are run: LOGSEAL_SCHEDULES=1000000 for a night.
func schedules(t *testing.T, usual int) int {
	if s := os.Getenv("LOGSEAL_SCHEDULES"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, "LOGSEAL_SCHEDULES")
		return n
	}
	if testing.Short() {
		return usual / 10
	}
	return usual
}

// eachSchedule runs a test for each random schedule, several at a time.
func eachSchedule(t *testing.T, usual int, test func(t *testing.T, seed uint64)) {
	n, workers := schedules(t, usual), runtime.GOMAXPROCS(0)
	for worker := range workers {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for seed := worker; seed < n; seed += workers {
				test(t, uint64(seed))
			}
		})
	}
}

// seen is a watcher under a clock that a test moves, and the findings that are open by its events.
type seen struct {
	t      *testing.T
	w      *watch.Watcher
	config watch.Config
	now    time.Time
	open   map[string]watch.Event
	log    []watch.Event
	store  map[string][]byte
}

func newSeen(t *testing.T, config watch.Config) *seen {
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

// codes returns which codes are open, without those that are not compared.
func (s *seen) codes() []finding.Code {
	var list []finding.Code
	for _, e := range s.open {
		if !slices.Contains(notCompared, e.Finding.Code) || e.Finding.Reason == finding.NoFirstSeal {
			list = append(list, e.Finding.Code)
		}
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

// expected returns which codes a watcher should have open that has seen what a report is on. It does not tell those apart that have one cause: records that are
// UNRESOLVED because another one is altered or missing, and seals that nobody can authenticate because the first one is missing.
func expected(report *verifier.Report) []finding.Code {
	var list []finding.Code
	headless := false
	for _, f := range report.Findings {
		headless = headless || f.Reason == finding.NoFirstSeal
	}
	for _, f := range report.Findings {
		if headless && f.Reason == finding.UnknownKey {
			continue
		}
		if !slices.Contains(notCompared, f.Code) || f.Reason == finding.NoFirstSeal {
			list = append(list, f.Code)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func show(report *verifier.Report) string {
	var b strings.Builder
	for _, f := range report.Findings {
		fmt.Fprintf(&b, "%s %s %s..%s ×%d %s\n", f.Code, f.Reason, f.ID, f.LastID, f.Count, f.Message())
	}
	return b.String()
}

// notCompared are findings of those who see an end, or who have a clock.
var notCompared = []finding.Code{finding.OpenEnd, finding.Silent, finding.Unsealed, finding.Absent, finding.Unresolved}

// TestScheduleNoAttack: whatever happens to a host that nobody attacks, and in whatever order its records and seals come, the watcher finds what the
// offline verifier finds in all of them, and no more.
func TestScheduleNoAttack(t *testing.T) {
	eachSchedule(t, 50, func(t *testing.T, seed uint64) {
		run, err := sealtest.Schedule(t.Context(), seed, 30, seed%4 == 3, seed%5 == 4)
		require.NoError(t, err, "seed %d", seed)
		inOrder := append(slices.Clone(run.Received), run.Refused...)
		report := offline(t, inOrder, run.Trust)
		for order, logs := range [][]plog.Logs{inOrder, run.Delivered(seed)} {
			s := newSeen(t, watch.Config{Trust: []seal.Trust{run.Trust}})
			rng := rand.New(rand.NewPCG(seed, 11))
			for _, ld := range logs {
				s.observe(ld)
				if order == 0 && rng.IntN(4) == 0 {
					s.pass(time.Second)
				}
			}
			s.pass(90 * time.Second)
			require.Equal(t, expected(report), s.codes(), "seed %d order %d\n%s\n---\n%s\n%v", seed, order, s, show(report), run.Log)
		}
	})
}

// TestScheduleOrderlyRestarts: a watcher that is stopped in order and started again, at any time, finds what one does that ran on.
func TestScheduleOrderlyRestarts(t *testing.T) {
	eachSchedule(t, 50, func(t *testing.T, seed uint64) {
		run, err := sealtest.Schedule(t.Context(), seed, 30, seed%4 == 3, seed%5 == 4)
		require.NoError(t, err, "seed %d", seed)
		logs := run.Delivered(seed)
		if seed%2 == 0 {
			logs = append(slices.Clone(run.Received), run.Refused...)
		}
		report := offline(t, logs, run.Trust)
		s := newSeen(t, watch.Config{Trust: []seal.Trust{run.Trust}})
		rng := rand.New(rand.NewPCG(seed, 12))
		for _, ld := range logs {
			s.observe(ld)
			switch rng.IntN(8) {
			case 0:
				s.pass(time.Second)
			case 1:
				s.save(false)
			case 2:
				s.save(true)
				s.now = s.now.Add(time.Hour)
				s.load()
			}
		}
		s.pass(90 * time.Second)
		want := expected(report)
		require.Equal(t, want, s.codes(), "seed %d\n%s\n---\n%s\n%v", seed, s, show(report), run.Log)
	})
}

// lossy feeds a watcher that is saved now and then, and after it has told something, and killed now and then. What came since the last Save comes again or
// never.
func (s *seen) lossy(rng *rand.Rand, list records) {
	s.save(false)
	saved := 0
	for i, ld := range list {
		told := len(s.log)
		s.observe(ld)
		switch n := rng.IntN(400); {
		case n < 100 || len(s.log) > told:
			s.save(false)
			saved = i + 1
		case n < 104:
			s.now = s.now.Add(time.Hour)
			s.load()
			s.open = map[string]watch.Event{}
			for _, e := range s.w.Open() {
				s.open[e.UID] = e
			}
			for _, again := range list[saved : i+1] {
				if rng.IntN(2) == 0 {
					s.observe(again)
				}
			}
			s.save(false)
			saved = i + 1
		case n < 108:
			s.pass(time.Second)
		}
	}
	s.pass(90 * time.Second)
}

// TestScheduleKills: a watcher that is killed at any time goes back to what it saved last. That raises no alarm that the offline verifier does not, and what
// that finds is found, or it is said that it could not be looked at.
func TestScheduleKills(t *testing.T) {
	eachSchedule(t, 50, func(t *testing.T, seed uint64) {
		run, err := sealtest.Schedule(t.Context(), seed, 30, seed%4 == 3, seed%5 == 4)
		require.NoError(t, err, "seed %d", seed)
		list := flatten(append(slices.Clone(run.Received), run.Refused...))
		if len(list) == 0 {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 13))
		what := "nothing"
		if seed%2 == 0 {
			list, what = attacks[rng.IntN(len(attacks))](rng, list, rng.IntN(len(list)))
		}
		report := offline(t, list, run.Trust)
		s := newSeen(t, watch.Config{Trust: []seal.Trust{run.Trust}})
		s.lossy(rng, list)
		found := false
		for _, e := range s.log {
			found = found || e.Verdict() == finding.Tampered || e.Finding.Code == finding.Unchecked
		}
		if slices.ContainsFunc(expected(report), func(c finding.Code) bool { return c.Verdict() == finding.Tampered }) {
			require.True(t, found, "seed %d, %s is lost\n%s\n---\n%s\n%v", seed, what, s, show(report), run.Log)
			return
		}
		for _, e := range s.open {
			require.True(t, e.Verdict() == finding.Incomplete || e.Finding.Code == finding.Silent,
				"seed %d, %s: false alarm %s\n%s\n---\n%s\n%v", seed, what, describe(e), s, show(report), run.Log)
		}
	})
}
