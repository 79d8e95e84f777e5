// SPDX-License-Identifier: Apache-2.0

package flood

import (
	"slices"
	"sync"
	"time"
)

// Config of a [Guard].
type Config struct {
	Rate    Rate    // of a source
	Total   Rate    // of all together
	Reserve float64 // the share of each budget that is kept for records that the caller says are worth it, 0 to below 1
	MaxKeys int     // how many sources have a state of their own, at least 1
	Hold    bool    // nothing is shed: a batch with a record above a limit is held as a whole

	// RateOf returns another rate for a source, if it has one. May be nil. It is called once for each state.
	RateOf func(Key) (Rate, bool)
}

// Key names a source: Name is what the value is of, such as log.file.path. Both empty: nobody knows.
type Key struct{ Name, Value string }

// Newcomers is the key of all sources that have no state of their own.
var Newcomers = Key{Name: "newcomers"}

const (
	// A state makes room for another's after this time without a record, if it owes nothing.
	forgetAfter = 10 * time.Minute
	// The same for a source that came once.
	forgetOnceAfter = 10 * time.Second
	// A source that has been known for so long has a share beside that of the younger ones.
	seniorAfter = time.Minute
	// Unused shares of the total are divided anew this often.
	divideEvery = 100 * time.Millisecond
	// A source that has more than half of what it can hold is not filled more often. What comes meanwhile is not lost: the other half has
	// room for it, and a batch that needs it gets it.
	fillEvery = divideEvery
	// A share of the total that is not used for so long goes back.
	shareFor = time.Second
)

// Limit says which limit a record was above.
type Limit uint8

// The limits, from the narrowest.
const (
	NoLimit Limit = iota
	RateRecords
	RateBytes
	TotalRecords
	TotalBytes
)

// String returns the limit as it stands in the configuration.
func (l Limit) String() string {
	return [...]string{"", "rate.records", "rate.bytes_mib", "total.records", "total.bytes_mib"}[l]
}

// Guard decides for any number of goroutines.
type Guard struct {
	cfg                    Config
	total                  size
	hasTotal, totalReserve bool

	mu        sync.Mutex
	now       time.Duration // the latest that was told; never goes back
	sources   sources
	order     []*source // of the map, newcomers first: for looks at all of them, and for who makes room
	hand      int       // where in order room is looked for next
	newcomers *source
	seniors   int
	hungry    int // sources that lacked a share of the total since it was divided last
	pool      bucket
	divided   time.Duration
	perSource amount  // what every source has had of the total since the beginning
	perSenior amount  // what every senior source has had beside it
	keep      [2]kept // of a source that is none yet, and of a senior one
	stalled   time.Duration
	reopened  time.Duration // until when a new source is treated as one that could not be read before
	batches   uint64
	stats     Stats
	begun     chan struct{}
	changed   bool
	byRate    map[Rate]*size
}

// Stats are counts since the start.
type Stats struct {
	Kept, Shed, Held Count
	Sources          int
	WithoutState     uint64 // records that were charged to the newcomers' budget
}

// Count of records and of the bytes of their OTLP encoding.
type Count struct{ Records, Bytes uint64 }

func (c *Count) add(records, bytes uint64) { c.Records += records; c.Bytes += bytes }

// source is the state of a source. What every batch needs comes first, in two cache lines, down to own.free: in a batch of mixed sources
// each record finds another state, and none of them in the processor's cache.
type source struct {
	batch   uint64 // the latest that touched it, and where
	touch   int32
	pending int32 // batches that are not settled, and reports that are not confirmed
	filled  time.Duration
	latest  time.Duration
	stalled time.Duration // of the guard's, when it was filled
	size    *size
	again   bool // it came more than once
	senior  bool
	hungry  bool

	kept Count                          // and not reported yet
	fair struct{ free, reserve amount } // what it has of the total and has not used
	own  bucket
	account

	perSource amount // of the guard's, when it was filled
	perSenior amount // likewise
	born      time.Duration
	key       Key
}

// New returns a guard. Times that it is told are durations since any one moment.
func New(cfg Config) *Guard {
	g := &Guard{
		cfg: cfg, total: sizeOf(cfg.Total, cfg.Reserve), hasTotal: cfg.Total.Records > 0 || cfg.Total.Bytes > 0,
		totalReserve: cfg.Reserve > 0,
		begun:        make(chan struct{}, 1), byRate: map[Rate]*size{},
	}
	g.pool = fullBucket(&g.total)
	g.newcomers = g.newSource(Newcomers)
	g.order = append(g.order, g.newcomers)
	g.shareOut()
	return g
}

func (g *Guard) newSource(key Key) *source {
	rate := g.cfg.Rate
	if g.cfg.RateOf != nil && key != Newcomers {
		if other, found := g.cfg.RateOf(key); found {
			rate = other
		}
	}
	s := g.byRate[rate]
	if s == nil {
		made := sizeOf(rate, g.cfg.Reserve)
		s = &made
		g.byRate[rate] = s
	}
	return &source{
		key: key, size: s, own: fullBucket(s), filled: g.now, stalled: g.stalled, perSource: g.perSource, perSenior: g.perSenior,
		born: g.now, latest: g.now,
	}
}

// Stall tells that up to now nothing could pass for so long, as while the next consumer refused, or while the process was not there.
// What sources wrote meanwhile comes now, faster than they wrote it: each is credited with what it could have sent.
func (g *Guard) Stall(now, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.advance(now)
	d = min(d, maxStall)
	g.stalled += d
	g.pool.giveCredit(&g.total, d, g.now)
}

// Reopen tells the same of a start: sources that are seen first within the given time could not be read before.
func (g *Guard) Reopen(now, within, stall time.Duration) {
	g.Stall(now, stall)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reopened = g.now + within
}

// find returns the state of a key's source: its own, or the newcomers'.
func (g *Guard) find(key Key) *source {
	if s := g.sources.of(key); s != nil {
		return s
	}
	if len(g.order) > g.cfg.MaxKeys && !g.makeRoom() {
		return g.newcomers
	}
	key = Key{key.Name, string([]byte(key.Value))} // not a reference into the caller's batch
	s := g.newSource(key)
	if g.now < g.reopened {
		s.stalled = 0
	}
	g.sources.add(s)
	g.order = append(g.order, s)
	g.shareOut()
	return s
}

// looks is how many states are looked at for one that makes room, for one batch: a million new keys must not cost more than
// as many old ones.
const looks = 4

func (g *Guard) makeRoom() bool {
	for range looks {
		if g.hand++; g.hand >= len(g.order) {
			g.hand = 1 // newcomers stay
		}
		if g.hand < len(g.order) && g.order[g.hand].forgettable(g) {
			g.forget(g.hand)
			return true
		}
	}
	return false
}

func (s *source) forgettable(g *Guard) bool {
	idle := g.now - s.latest
	if idle < forgetOnceAfter || (s.again && idle < forgetAfter) || s.pending > 0 || s.busy() {
		return false
	}
	return g.fill(s)
}

func (g *Guard) forget(i int) {
	s, last := g.order[i], len(g.order)-1
	if s.senior {
		g.seniors--
	}
	g.pool.free.add(s.fair.free, 1)
	g.pool.reserve.add(s.fair.reserve, 1)
	g.pool.fill(&g.total, 0)
	if s.hungry {
		g.hungry--
	}
	g.sources.remove(s)
	g.order[i] = g.order[last]
	g.order[last] = nil
	g.order = g.order[:last]
	g.shareOut()
}

// fill brings a source's budgets up to now unless they hold enough, and returns whether its own is full.
func (g *Guard) fill(s *source) bool {
	if g.now-s.filled < fillEvery && g.stalled == s.stalled && s.own.free.isMoreThanHalf(&s.size.freeCapacity) &&
		(!g.hasTotal || s.fair.free.isMoreThanHalf(&g.keepOf(s).free)) {
		return false
	}
	return g.fillUp(s)
}

// fillUp brings a source's budgets up to now, and returns whether its own is full.
func (g *Guard) fillUp(s *source) bool {
	full := s.own.fill(s.size, (g.now - s.filled).Seconds())
	if full {
		s.own.endCredit(g.now)
	}
	if g.stalled > s.stalled {
		s.own.giveCredit(s.size, g.stalled-s.stalled, g.now)
		s.stalled = g.stalled
	}
	s.filled = g.now
	if g.hasTotal {
		g.fillShare(s)
	}
	return full
}

// fillLate brings up to now what fill has left as it was, and returns whether there was any such thing.
func (g *Guard) fillLate(s *source) bool {
	if s.filled == g.now {
		return false
	}
	g.fillUp(s)
	return true
}

// kept is what a source may keep of its share of the total, the rest goes back to all.
type kept struct{ free, reserve amount }

// shareOut says what a source may keep of its share, which depends on how many there are.
func (g *Guard) shareOut() {
	if !g.hasTotal {
		return
	}
	n, e := float64(len(g.order)), float64(max(g.seniors, 1))
	half := scaled(g.total.rate, shareFor.Seconds()/2)
	junior := scaled(half, 1/n)
	if g.seniors == 0 {
		junior = scaled(half, 2/n)
	}
	senior := junior
	senior.add(half, 1/e)
	for i, keep := range [...]amount{junior, senior} {
		keep.records, keep.bytes = max(keep.records, 1), max(keep.bytes, 1)
		g.keep[i] = kept{keep, scaled(keep, g.cfg.Reserve)}
	}
}

func (g *Guard) keepOf(s *source) *kept {
	if s.senior {
		return &g.keep[1]
	}
	return &g.keep[0]
}

// fillShare gives a source its share of what the total has brought, and what it cannot keep back to all.
func (g *Guard) fillShare(s *source) {
	keep := g.keepOf(s)
	gain := g.perSource.less(s.perSource)
	if s.senior {
		gain.add(g.perSenior.less(s.perSenior), 1)
	}
	s.perSource, s.perSenior = g.perSource, g.perSenior
	r := g.cfg.Reserve
	s.fair.free.add(gain, 1-r)
	g.pool.free.add(s.fair.free.least(keep.free), 1)
	if g.totalReserve {
		s.fair.reserve.add(gain, r)
		g.pool.reserve.add(s.fair.reserve.least(keep.reserve), 1)
	}
}

// advance brings the guard to a moment.
func (g *Guard) advance(now time.Duration) {
	if now <= g.now {
		return // a clock that goes back brings nothing, and takes nothing
	}
	seconds := (now - g.now).Seconds()
	g.now = now
	if !g.hasTotal {
		return
	}
	n := float64(len(g.order))
	if g.seniors == 0 {
		g.perSource.add(g.total.rate, seconds/n)
	} else {
		g.perSource.add(g.total.rate, seconds/2/n)
		g.perSenior.add(g.total.rate, seconds/2/float64(g.seniors))
	}
	if now-g.divided >= divideEvery {
		g.divide()
	}
}

// divide collects what sources have left of their shares, and gives it to those that lacked something.
func (g *Guard) divide() {
	g.divided = g.now
	seniors := g.seniors
	for _, s := range g.order {
		g.fillShare(s)
		if !s.senior && s != g.newcomers && g.now-s.born >= seniorAfter {
			// From now on, for what comes.
			s.senior, s.perSenior = true, g.perSenior
			seniors++
		}
	}
	if seniors != g.seniors {
		g.seniors = seniors
		g.shareOut()
	}
	over := g.pool.reserve.least(g.total.resvdCapacity)
	g.pool.free.add(over, 1)
	if g.pool.free.least(g.total.freeCapacity); g.pool.free == g.total.freeCapacity {
		g.pool.endCredit(g.now)
	}
	if g.hungry == 0 {
		return
	}
	share := scaled(g.pool.free, 1/float64(g.hungry))
	share.records, share.bytes = max(share.records, 0), max(share.bytes, 0)
	for _, s := range g.order {
		if s.hungry {
			s.fair.free.add(share, 1)
			g.pool.free.add(share, -1)
			s.hungry = false
		}
	}
	g.hungry = 0
}

func (g *Guard) lacks(s *source) {
	if !s.hungry {
		s.hungry = true
		g.hungry++
	}
}

// Stats returns counts since the start.
func (g *Guard) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	stats := g.stats
	stats.Sources = len(g.order) - 1
	return stats
}

// Top is a source and how many of its records have been shed or held since it has its state.
type Top struct {
	Key     Key
	Records uint64
}

// Top returns the n sources with the most records that were shed or held, the first first.
func (g *Guard) Top(n int) []Top {
	g.mu.Lock()
	defer g.mu.Unlock()
	var top []Top
	for _, s := range g.order {
		if s.everOver > 0 {
			top = append(top, Top{s.key, s.everOver})
		}
	}
	slices.SortFunc(top, func(a, b Top) int {
		switch {
		case a.Records > b.Records:
			return -1
		case a.Records < b.Records:
			return 1
		}
		return 0
	})
	return top[:min(n, len(top))]
}
