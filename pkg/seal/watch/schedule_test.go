// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// schedules returns which random schedules are run: LOGSEAL_SCHEDULES=1000000 for the first million, LOGSEAL_SCHEDULES=7..8 for those from 7 to before 8.
func schedules(t *testing.T, usual uint64) (from, to uint64) {
	s := os.Getenv("LOGSEAL_SCHEDULES")
	switch {
	case s == "" && testing.Short():
		return 0, usual / 10
	case s == "":
		return 0, usual
	}
	first, last, both := strings.Cut(s, "..")
	if !both {
		first, last = "0", s
	}
	from, err := strconv.ParseUint(first, 10, 64)
	require.NoError(t, err, "LOGSEAL_SCHEDULES")
	to, err = strconv.ParseUint(last, 10, 64)
	require.NoError(t, err, "LOGSEAL_SCHEDULES")
	return from, to
}

// perBlock is how many schedules deliver the samples of one block.
const perBlock = 250

// TestSchedules: whatever happens to hosts and to the watcher, and in whatever order it all comes, the watcher finds what the offline verifier
// finds in the same records and seals, each finding on the same stream and on the same ones, and no more.
func TestSchedules(t *testing.T) {
	usual := uint64(2000)
	if sampled {
		usual = perBlock
	}
	from, to := schedules(t, usual)
	var done atomic.Uint64
	blocks := make(chan uint64, to/perBlock+1)
	for block := from / perBlock; block*perBlock < to; block++ {
		blocks <- block
	}
	close(blocks)
	for range runtime.GOMAXPROCS(0) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for block := range blocks {
				samples := samplesOf(t, block)
				for n := max(from, block*perBlock); n < min(to, (block+1)*perBlock); n++ {
					newSchedule(t, n, samples).run()
					if d := done.Add(1); d%10000 == 0 {
						t.Logf("%d schedules", d)
					}
				}
			}
		})
	}
}

// schedule is a way in which what some hosts sent comes to a watcher.
type schedule struct {
	*seen
	n       uint64
	rng     *rand.Rand
	samples []*sample
	restart restarts
	lateBy  time.Duration // how long what was sent may be on its way
	chunks  int

	consumers [10][]delivery
	waited    time.Duration // since everything had been delivered

	saved   []delivery      // since the last save
	young   map[string]bool // names of streams of which something came not long before a kill, for a state does not hold what has come just now
	recent  []delivery
	unknown map[string]bool // handles of sessions that were not known at a kill, for a state does not hold their records
	before  map[string]bool // UIDs of findings that were open at a kill: what ends them may have come in the time that is forgotten
	kills   int
	lost    map[string]bool // names of streams of which something was seen and forgotten
}

// restarts are how a watcher is stopped and started.
type restarts int

const (
	never restarts = iota
	inOrder
	killed
)

// delivery is a chunk of a sample.
type delivery struct {
	of    int
	chunk plog.Logs
	when  time.Time
}

func newSchedule(t *testing.T, n uint64, samples [][]*sample) *schedule {
	rng := rand.New(rand.NewPCG(n, 10))
	s := &schedule{n: n, rng: rng, lost: map[string]bool{}, young: map[string]bool{}, before: map[string]bool{}, unknown: map[string]bool{}, restart: restarts(rng.IntN(3)), lateBy: 20 * time.Second}
	if s.restart != killed && rng.IntN(4) == 0 {
		s.lateBy = 2 * time.Minute
	}
	var config watch.Config
	attackedToo := rng.IntN(2) == 0
	for _, i := range rng.Perm(len(samples))[:1+rng.IntN(3)] {
		variant := 0
		if attackedToo {
			variant = rng.IntN(len(samples[i]))
		}
		one := samples[i][variant]
		s.samples = append(s.samples, one)
		config.Trust = append(config.Trust, one.trust)
	}
	s.seen = newSeen(t, config)
	return s
}

// run delivers it all, as ten consumers of an exporter's queue do, each as fast as it likes, and compares what was found. Nothing comes before its
// host has made it, by the watcher's clock.
func (s *schedule) run() {
	s.save(false)
	left := make([][]sent, len(s.samples))
	for i, one := range s.samples {
		left[i] = one.chunks
		s.chunks += len(one.chunks)
	}
	for total := s.chunks; total > 0; {
		for range 1 + s.rng.IntN(30) {
			total -= s.send(left)
		}
		all := s.rng.IntN(3) == 0 || total == 0
		s.consume(all)
		if s.rng.IntN(3) == 0 {
			s.wait(time.Duration(s.rng.IntN(5)) * time.Second)
		}
	}
	s.wait(90 * time.Second)
	s.compare()
}

// send has one of the hosts send some of what is left: mostly the one whose turn it is.
func (s *schedule) send(left [][]sent) (n int) {
	i := s.rng.IntN(len(left))
	for j := range left {
		if len(left[j]) > 0 && (len(left[i]) == 0 || s.rng.IntN(3) > 0 && left[j][0].at < left[i][0].at) {
			i = j
		}
	}
	consumer := &s.consumers[s.rng.IntN(len(s.consumers))]
	for range 1 + s.rng.IntN(4) {
		if len(left[i]) == 0 {
			break
		}
		next := left[i][0]
		left[i] = left[i][1:]
		s.wait(next.at - s.now.Sub(begin))
		*consumer = append(*consumer, delivery{of: i, chunk: next.logs})
		n++
	}
	return n
}

// consume has the consumers deliver what they have, or as much of it as they like.
func (s *schedule) consume(all bool) {
	for _, c := range s.rng.Perm(len(s.consumers)) {
		n := len(s.consumers[c])
		if !all {
			n = s.rng.IntN(n + 1)
		}
		for _, d := range s.consumers[c][:n] {
			s.deliver(d)
		}
		s.consumers[c] = s.consumers[c][n:]
	}
	if all {
		s.waited = 0
	}
}

// wait lets time pass, in which nothing is on its way for too long.
func (s *schedule) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	if s.waited += d; s.waited > s.lateBy {
		s.consume(true)
	}
	saveNow := func() { // once in a second, or more often
		if s.restart == killed {
			s.save(false)
			s.saved = nil
		}
	}
	saveNow()
	for step := time.Second; d > 0; d -= step {
		if d > 5*time.Second {
			step = 5 * time.Second
		}
		s.now = s.now.Add(step)
		s.take(s.w.Tick(s.now))
		saveNow()
	}
}

// deliver has the watcher look at a chunk, and stops it now and then.
func (s *schedule) deliver(d delivery) {
	s.observeFrom(d)
	d.when = s.now
	s.saved, s.recent = append(s.saved, d), append(s.recent, d)
	switch n := s.rng.IntN(s.chunks); {
	case s.restart == never:
	case n < 10:
		s.save(false)
		s.saved = nil
	case n < 12:
		s.save(true)
		s.goOn()
	case n == 12 && s.restart == killed:
		forgotten := s.saved
		s.kills++
		for _, name := range s.w.Strangers() {
			s.unknown[name] = true
		}
		for _, d := range s.recent {
			if d.when.Add(watch.Settling).After(s.now) {
				s.young[s.samples[d.of].trust.Name] = true
			}
		}
		s.goOn()
		for uid := range s.open {
			s.before[uid] = true
		}
		s.open = map[string]watch.Event{}
		for _, e := range s.w.Open() {
			s.open[e.UID] = e
			s.before[e.UID] = true
		}
		for _, again := range forgotten { // what nobody has confirmed is sent again
			if s.rng.IntN(2) == 0 {
				s.observeFrom(again)
			} else {
				s.lost[s.samples[again.of].trust.Name] = true
			}
		}
		s.save(false)
		s.saved = nil
	}
}

// goOn starts a watcher again from what was saved.
func (s *schedule) goOn() {
	s.now = s.now.Add(time.Duration(s.rng.IntN(120)) * time.Second)
	s.load()
	s.saved = nil
}

func (s *schedule) observeFrom(d delivery) {
	s.take(s.w.Observe(d.chunk, watch.Peer{Address: fmt.Sprintf("10.0.0.%d:4317", d.of)}, s.now))
}

// compare checks what was found.
func (s *schedule) compare() {
	list := make([]claims, len(s.samples))
	for i, one := range s.samples {
		list[i] = one.claims
	}
	want, got := union(list...), s.claims(func(e *watch.Event) bool {
		return !s.before[e.UID] || len(s.lost) == 0 && !s.young[e.Finding.Stream]
	})
	want.mayWait(s.w.Waiting())
	want.agree(got)
	differs := ""
	if s.kills == 0 {
		differs = got.differs(want)
	} else {
		differs = s.alarmsWithoutCause(got, want) + s.lostFindings(want)
	}
	if differs != "" {
		s.fail(differs)
	}
}

// alarmsWithoutCause says which alarms there are at the end that the offline verifier does not raise. What a watcher has forgotten makes others of them: a record
// that was altered is one of two with its id.
func (s *schedule) alarmsWithoutCause(got, want claims) string {
	var b strings.Builder
	for at, c := range got {
		switch {
		case at.code.Verdict() != finding.Tampered:
			continue
		case at.code == finding.Orphan && len(s.lost) > 0: // whose it is may have been forgotten
			continue
		case at.code == finding.Conflict && s.lost[at.stream] && want[about{finding.Voided, at.stream}] != nil: // or that the id is void
			continue
		}
		all := &claim{which: map[string]seal.Ranges{}}
		n := 0
		for of, w := range want {
			if (of.stream == at.stream || at.stream == "") && of.code.Verdict() == finding.Tampered {
				all = union(claims{at: all}, claims{at: w})[at]
				n++
			}
		}
		if n == 0 || c.exact() && !c.in(all) {
			fmt.Fprintf(&b, "%v: false alarm: %v, not %v\n", at, c, all)
		}
	}
	return b.String()
}

// lostFindings says which records and seals the offline verifier raises an alarm on and the watcher does not, nor says that it did not look. Where it has
// forgotten that a part of a stream has passed, it cannot say which, and says so once for all.
func (s *schedule) lostFindings(want claims) string {
	var b strings.Builder
	said := claims{}
	for _, e := range s.log {
		if e.Finding.Code == finding.Unchecked || e.Verdict() == finding.Tampered {
			said.add(about{stream: e.Finding.Stream}, 1).evidence(e)
		}
	}
	for at, w := range want {
		switch {
		case at.code.Verdict() != finding.Tampered, s.lost[at.stream], at.stream == "" && len(s.lost) > 0:
			continue
		case at.code == finding.Orphan, at == about{code: finding.Conflict}: // a state does not hold records of sessions that are not known
			continue
		case s.young[at.stream] && (at.code == finding.Inserted || at.code == finding.Conflict):
			continue
		}
		if at.code == finding.Inserted || at.code == finding.Conflict {
			for name := range s.unknown {
				delete(w.which, name)
			}
			if len(w.which) == 0 {
				continue
			}
		}
		c := said[about{stream: at.stream}]
		if at.code == finding.Late && c != nil && c.which[""] != nil { // the seals for want of which they are late may have come then
			continue
		}
		if c == nil || !c.cut && !w.in(c) {
			fmt.Fprintf(&b, "%v: lost: %v, not %v\n", at, c, w)
		}
	}
	return b.String()
}

func (s *schedule) fail(why string) {
	var b strings.Builder
	for _, one := range s.samples {
		fmt.Fprintf(&b, "%s\n%s", one.what, show(one.report))
	}
	s.t.Errorf("schedule %d (restarts %d, late by %s): %s\n%s\n---\n%s", s.n, s.restart, s.lateBy, why, s, b.String())
}
