// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

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
	p := progress{t: t, all: to - from, began: time.Now(), told: time.Now()}
	blocks := make(chan uint64, to/perBlock-from/perBlock+1)
	for block := from / perBlock; block*perBlock < to; block++ {
		blocks <- block
	}
	close(blocks)
	t.Run("all", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for block := range blocks {
					samples := samplesOf(t, block)
					for n := max(from, block*perBlock); n < min(to, (block+1)*perBlock); n++ {
						one := &trial{TB: t, n: n}
						one.run(samples)
						p.add(one)
					}
				}
			})
		}
	})
	p.tell()
}

// trial is one schedule among many: one that fails does not keep the others from running.
type trial struct {
	testing.TB
	n       uint64
	differs bool
}

// stopped is what a trial that cannot go on panics with.
type stopped struct{}

func (t *trial) run(samples [][]*sample) {
	defer func() {
		switch why := recover().(type) {
		case nil, stopped:
		default:
			t.Errorf("panic: %v\n%s", why, debug.Stack())
		}
	}()
	newSchedule(t, t.n, samples).run()
}

// Errorf says how to run the schedule again, too.
func (t *trial) Errorf(format string, args ...any) {
	t.differs = true
	t.TB.Errorf("schedule %d: LOGSEAL_SCHEDULES=%[1]d..%d go test ./pkg/seal/watch -run 'TestSchedules$'\n%s", t.n, t.n+1, fmt.Sprintf(format, args...))
}

// FailNow ends the schedule, and not the test.
func (t *trial) FailNow() {
	t.TB.Fail()
	panic(stopped{})
}

// progress tells of a long run now and then, as "go test -v" shows at once.
type progress struct {
	t   *testing.T
	all uint64

	mu            sync.Mutex
	done, differs uint64
	began, told   time.Time
}

func (p *progress) add(one *trial) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done++; one.differs {
		p.differs++
	}
	if time.Since(p.told) > 30*time.Second {
		p.tell()
		p.told = time.Now()
	}
}

func (p *progress) tell() {
	took := time.Since(p.began)
	left := time.Duration(float64(took) / float64(max(p.done, 1)) * float64(p.all-p.done))
	p.t.Logf("%d of %d schedules in %s, %d differ; %s left", p.done, p.all, took.Round(time.Second), p.differs, left.Round(time.Second))
}

// schedule is a way in which what some hosts sent comes to a watcher.
type schedule struct {
	*seen
	n       uint64
	rng     *rand.Rand
	samples []*sample
	restart restarts
	lateBy  time.Duration // how long what was sent may be on its way
	gone    time.Duration // since the start, whatever clocks say
	steps   bool          // the watcher's clock is set now and then
	repeats bool          // what was sent is sent again, at once or long after
	small   bool          // the watcher has memory for few records
	learns  bool          // it trusts who comes first
	binds   bool          // it ties each stream to the client that it comes from
	chunks  int
	again   map[int][]plog.Logs // what was sent again, by sample

	consumers [10][]delivery
	waited    time.Duration // since everything had been delivered

	clock  time.Duration   // the watcher's own, of which set clocks move only so much
	heard  time.Time       // what the watcher was told last that it is
	aside  []delivery      // skipped, and not taken in yet
	recent []delivery      // that a state may not hold yet
	last   stored          // what was saved last,
	older  *stored         // and what some time ago; either is restored at a kill
	before map[string]bool // UIDs of findings that were open at a kill: what ends them may have come in the time that is forgotten
	kills  int
	forgetting
}

// stored is a state that was saved, with what came and is not in it.
type stored struct {
	parts   map[string][]byte
	since   []delivery
	young   []string // names of streams of which something had come just before
	unknown []string // handles of sessions that were not known
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
	at    time.Duration // by the watcher's clock
}

func newSchedule(t testing.TB, n uint64, samples [][]*sample) *schedule {
	rng := rand.New(rand.NewPCG(n, 10))
	s := &schedule{n: n, rng: rng, again: map[int][]plog.Logs{}, forgetting: newForgetting(), before: map[string]bool{}, restart: restarts(rng.IntN(3)), lateBy: 20 * time.Second}
	if s.restart != killed && rng.IntN(4) == 0 {
		s.lateBy = 2 * time.Minute
	}
	one := func(in int) bool { return rng.IntN(in) == 0 }
	s.steps, s.repeats, s.skips, s.small = one(6), one(8), one(8), one(10)
	var config watch.Config
	if s.small {
		config.MaxPending = 1024
	}
	s.learns, s.partial = one(8), one(16)
	s.binds = rand.New(rand.NewPCG(n, 11)).IntN(4) == 0
	config.BindIdentity = s.binds
	config.Partial = s.partial
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
	if s.learns = s.learns && !s.partial && s.restart != killed && s.lateBy < watch.DefaultLateAfter && !slices.ContainsFunc(s.samples, func(s *sample) bool { return !s.begins }); s.learns {
		config.Learn, config.Trust = true, nil
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
	if s.repeats {
		s.repeatLater()
	}
	s.compare()
	if s.binds {
		s.compareClients()
	}
}

// repeatLater has some of it come once more, after up to an hour.
func (s *schedule) repeatLater() {
	s.wait(time.Duration(s.rng.IntN(3600)) * time.Second)
	for i, one := range s.samples {
		for _, c := range one.chunks {
			if s.rng.IntN(10) == 0 {
				s.again[i] = append(s.again[i], c.logs)
				s.deliver(delivery{of: i, chunk: c.logs})
			}
		}
	}
	s.wait(90 * time.Second)
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
		s.wait(next.at - s.gone)
		*consumer = append(*consumer, delivery{of: i, chunk: next.logs})
		if s.repeats && s.rng.IntN(20) == 0 {
			other := &s.consumers[s.rng.IntN(len(s.consumers))]
			*other = append(*other, delivery{of: i, chunk: next.logs})
			s.again[i] = append(s.again[i], next.logs)
		}
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
	if s.steps && s.rng.IntN(4) == 0 {
		s.step()
	}
	if s.rng.IntN(2) == 0 {
		s.consume(false)
	}
	if most := max(0, s.lateBy-s.waited); d > most {
		s.letPass(most)
		s.consume(true)
		d -= most
	}
	s.letPass(d)
}

// letPass lets time pass, and has the watcher called about once a second.
func (s *schedule) letPass(d time.Duration) {
	s.waited += d
	saveNow := func() { // once in a second, or more often
		if s.restart == killed {
			s.keep()
		}
	}
	saveNow()
	for step := time.Second; d > 0; d -= step {
		if d > 5*time.Second {
			step = 5 * time.Second
		}
		s.gone += step
		s.now = s.now.Add(step)
		s.take(s.w.Tick(s.now))
		s.hear()
		s.aside = nil
		saveNow()
	}
}

// step sets the watcher's clock. It may take that for up to watch.MaxStep.
func (s *schedule) step() {
	s.now = s.now.Add(time.Duration(s.rng.IntN(7200)-3600) * time.Second)
	s.waited += watch.MaxStep
}

// hear moves the watcher's clock, as it does when it is told the time.
func (s *schedule) hear() {
	if s.heard.IsZero() {
		s.heard = s.now
	}
	s.clock += min(max(0, s.now.Sub(s.heard)), watch.MaxStep)
	s.heard = s.now
}

// keep saves the state, and sometimes keeps a copy of it.
func (s *schedule) keep() {
	s.save(false)
	s.last = s.note()
	if s.restart == killed && s.rng.IntN(20) == 0 {
		older := s.note()
		older.parts = maps.Clone(s.store)
		s.older = &older
	}
}

// note returns what the state that was saved just now does not hold.
func (s *schedule) note() stored {
	st := stored{since: slices.Clone(s.aside), unknown: s.w.Strangers()}
	s.recent = slices.DeleteFunc(s.recent, func(d delivery) bool { return d.at+watch.Settling <= s.clock })
	for _, d := range s.recent {
		st.young = append(st.young, s.samples[d.of].trust.Name)
	}
	return st
}

// deliver has the watcher look at a chunk, and stops it now and then.
func (s *schedule) deliver(d delivery) {
	s.observeFrom(d)
	s.last.since = append(s.last.since, d)
	if s.older != nil {
		s.older.since = append(s.older.since, d)
	}
	switch n := s.rng.IntN(s.chunks); {
	case s.restart == never:
	case n < 10:
		s.keep()
	case n < 12:
		s.save(true)
		s.goOn()
	case n == 12 && s.restart == killed:
		s.kill()
	}
}

// kill ends the watcher where it stands, and starts it with what was saved last, or with an older copy of that.
func (s *schedule) kill() {
	restored := s.last
	if s.older != nil && s.rng.IntN(4) == 0 {
		restored = *s.older
		s.store = maps.Clone(restored.parts)
	}
	s.kills++
	for _, handle := range restored.unknown {
		s.unknown[handle] = true
	}
	for _, name := range restored.young {
		s.young[name] = true
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
	for _, again := range restored.since { // what nobody has confirmed is sent again
		if s.rng.IntN(2) == 0 {
			s.observeFrom(again)
		} else {
			s.lost[s.samples[again.of].trust.Name] = true
		}
	}
	s.keep()
}

// goOn starts a watcher again from what was saved.
func (s *schedule) goOn() {
	away := time.Duration(s.rng.IntN(120)) * time.Second
	s.gone += away
	s.now = s.now.Add(away)
	if s.steps && s.rng.IntN(2) == 0 {
		s.step()
	}
	s.load()
	s.heard, s.recent, s.aside = s.now, nil, nil
	s.last = s.note()
}

func (s *schedule) observeFrom(d delivery) {
	from := watch.Peer{Address: fmt.Sprintf("10.0.0.%d:4317", d.of)}
	if s.binds {
		from.Identity = clientOf(s.samples[d.of])
	}
	if s.skips && s.rng.IntN(30) == 0 {
		s.w.Skip(d.chunk, from)
		s.aside = append(s.aside, d)
		return
	}
	s.aside = nil
	s.take(s.w.Observe(d.chunk, from, s.now))
	s.hear()
	d.at = s.clock
	s.recent = append(s.recent, d)
}

func clientOf(one *sample) string { return one.trust.Name + ".example.com" }
