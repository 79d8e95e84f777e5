// SPDX-License-Identifier: Apache-2.0

package flood

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var day = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

// tally is what a test knows of a source.
type tally struct{ sent, kept, over uint64 }

// send sends n records of a key as one batch and settles it.
func send(g *Guard, at time.Duration, key Key, n, size int, reserved func() bool) tally {
	b := g.Begin(at)
	t := tally{sent: uint64(n)}
	for range n {
		b.Admit(key, size, reserved)
	}
	t.kept, t.over = b.Decided()
	b.Settle(true, day.Add(at))
	return t
}

func (t *tally) add(u tally) { t.sent += u.sent; t.kept += u.kept; t.over += u.over }

func file(i int) Key { return Key{"log.file.path", fmt.Sprintf("/var/log/%d", i)} }

func always() bool { return true }

// Random batches of random sources at random times, of a clock that sometimes goes back, to a next consumer that sometimes
// refuses: every record is accounted for, once, and no more passes than the budgets allow.
func TestConservation(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		cfg := Config{
			Rate:  Rate{Records: float64(1 + rng.IntN(200)), Burst: time.Duration(1+rng.IntN(5)) * time.Second},
			Total: Rate{Records: float64(rng.IntN(3) * 300), Bytes: float64(rng.IntN(2) * 50_000), Burst: 2 * time.Second}, Reserve: float64(rng.IntN(3)) / 4,
			MaxKeys: 1 + rng.IntN(20), Hold: rng.IntN(3) == 0,
		}
		if rng.IntN(2) == 0 {
			cfg.Rate.Bytes = float64(1 + rng.IntN(20_000))
		}
		g := New(cfg)
		var sum tally
		var bytes uint64
		reported := map[Key]Report{}
		var total Report
		collect := func(interval bool) {
			due := g.Due(interval)
			sent := rng.IntN(3) > 0 // the next consumer may refuse a report
			for _, r := range due {
				require.Equal(t, r.Received.Records, r.Kept.Records+r.Shed.Records+r.Held.Records, "seed %d", seed)
				require.Equal(t, r.Received.Bytes, r.Kept.Bytes+r.Shed.Bytes+r.Held.Bytes, "seed %d", seed)
				if sent {
					reported[r.Key] = r
					total.Shed.add(r.Shed.Records, r.Shed.Bytes)
					total.Held.add(r.Held.Records, r.Held.Bytes)
				}
			}
			g.Confirm(due, sent)
		}
		now, end := time.Duration(0), time.Duration(0)
		for range 400 {
			now += time.Duration(rng.IntN(200)-20) * time.Millisecond // and back
			end = max(end, now)
			b := g.Begin(now)
			n := rng.IntN(60)
			var kept, offered uint64
			for range n {
				size := rng.IntN(500)
				offered += uint64(size)
				if b.Admit(file(rng.IntN(30)), size, func() bool { return rng.IntN(2) == 0 }) {
					kept++
				}
			}
			gotKept, over := b.Decided()
			require.Equal(t, uint64(n), gotKept+over, "seed %d", seed)
			if cfg.Hold && over > 0 {
				require.Zero(t, gotKept, "seed %d: held in part", seed)
			} else {
				require.Equal(t, kept, gotKept)
			}
			if accepted := rng.IntN(5) > 0; !accepted {
				b.Settle(false, day)
				continue
			}
			b.Settle(true, day.Add(now))
			sum.add(tally{uint64(n), gotKept, over})
			bytes += offered
			if rng.IntN(20) == 0 {
				collect(rng.IntN(2) == 0)
			}
		}
		stats := g.Stats()
		require.Equal(t, sum.kept, stats.Kept.Records, "seed %d", seed)
		require.Equal(t, sum.over, stats.Shed.Records+stats.Held.Records, "seed %d", seed)
		require.Equal(t, bytes, stats.Kept.Bytes+stats.Shed.Bytes+stats.Held.Bytes, "seed %d", seed)
		require.LessOrEqual(t, stats.Sources, cfg.MaxKeys)
		for range 20 {
			collect(true)
		}
		require.Equal(t, stats.Shed, total.Shed, "seed %d: shed and never reported", seed)
		require.Equal(t, stats.Held, total.Held, "seed %d: held and never reported", seed)
		for key, r := range reported {
			require.Equal(t, End, r.Phase, "seed %d: %v", seed, key)
		}
		if cfg.Total.Records > 0 && !cfg.Hold {
			// Each source and the pool may overdraw by a record.
			bound := cfg.Total.Records*(2+end.Seconds()) + float64(cfg.MaxKeys+2)*4
			require.LessOrEqual(t, float64(stats.Kept.Records), bound, "seed %d: %+v", seed, cfg)
		}
	}
}

// A source passes its rate and its burst, no more and no less.
func TestRate(t *testing.T) {
	for name, c := range map[string]struct {
		rate Rate
		size int
		want float64 // in ten seconds at full speed
	}{
		"records": {Rate{Records: 100, Burst: 2 * time.Second}, 10, 100 * 12},
		"bytes":   {Rate{Bytes: 10_000, Burst: 2 * time.Second}, 100, 100 * 12},
		"both":    {Rate{Records: 100, Bytes: 5_000, Burst: time.Second}, 100, 50 * 11},
		"neither": {Rate{}, 100, 100_000},
	} {
		t.Run(name, func(t *testing.T) {
			g := New(Config{Rate: c.rate, Reserve: 0.2, MaxKeys: 10})
			var got tally
			for ms := range 10_000 {
				got.add(send(g, time.Duration(ms)*time.Millisecond, file(0), 10, c.size, nil))
			}
			// The reserve's burst is kept for those that never came.
			reserve := 0.2 * (c.want - c.want/12*10)
			if name == "both" {
				reserve = 0.2 * 50
			}
			if name == "neither" {
				reserve = 0 // all that were sent
			}
			assert.InDelta(t, c.want-reserve, float64(got.kept), 3)
			assert.Equal(t, got.sent, got.kept+got.over)
		})
	}
}

// A source that has enough is not filled at every batch. A batch that needs what has come since gets it, of its own budget and of the total.
func TestWhatHasComeSinceIsThere(t *testing.T) {
	budget := Rate{Records: 100, Burst: time.Second}
	soon := time.Second + 50*time.Millisecond

	g := New(Config{Rate: budget, MaxKeys: 10})
	require.Zero(t, send(g, time.Second, file(0), 30, 10, nil).over)
	assert.Equal(t, uint64(75), send(g, soon, file(0), 1000, 10, nil).kept, "70 were left, and 5 have come")

	g = New(Config{Total: budget, MaxKeys: 10})
	send(g, 0, file(0), 1, 10, nil)
	require.Zero(t, send(g, time.Second, file(0), 10, 10, nil).over)
	// 40 were left of its share and 99 of all, and 2.5 have come: the other half is the newcomers'.
	assert.Equal(t, uint64(142), send(g, soon, file(0), 1000, 10, nil).kept)
}

// After an idle time a source has its burst, and not more.
func TestBurstAfterIdleness(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 10, Burst: 3 * time.Second}, MaxKeys: 10})
	send(g, 0, file(0), 1000, 10, nil)
	got := send(g, time.Hour, file(0), 1000, 10, nil)
	assert.Equal(t, uint64(30), got.kept)
}

func TestClockBackwards(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 10, Burst: time.Second}, Total: Rate{Records: 10, Burst: time.Second}, MaxKeys: 10})
	send(g, time.Hour, file(0), 100, 10, nil)
	for i := range 100 {
		got := send(g, time.Hour-time.Duration(i)*time.Minute, file(0), 100, 10, nil)
		require.Zero(t, got.kept, "a clock that goes back must not bring anything")
	}
	got := send(g, time.Hour+time.Second, file(0), 100, 10, nil)
	assert.NotZero(t, got.kept, "nor stop the budgets")

	g = New(Config{Rate: Rate{Records: 10, Burst: time.Second}, MaxKeys: 10})
	send(g, time.Hour, file(0), 5, 10, nil)
	assert.Equal(t, uint64(5), send(g, 0, file(0), 5, 10, nil).kept, "nor take what there is")
}

// Whatever others do, and under however many keys, a source that asks for no more than its share of the total and its own
// rate loses nothing.
func TestQuietSourceLosesNothing(t *testing.T) {
	for name, attack := range map[string]func(g *Guard, at time.Duration, rng *rand.Rand){
		"one flood":           func(g *Guard, at time.Duration, _ *rand.Rand) { send(g, at, file(1), 1_000, 100, nil) },
		"one flood of errors": func(g *Guard, at time.Duration, _ *rand.Rand) { send(g, at, file(1), 1_000, 100, always) },
		"20 floods": func(g *Guard, at time.Duration, _ *rand.Rand) {
			for i := range 20 {
				send(g, at, file(1+i), 100, 100, nil)
			}
		},
		"a key a record": func(g *Guard, at time.Duration, rng *rand.Rand) {
			b := g.Begin(at)
			for range 1_000 {
				b.Admit(file(1+rng.IntN(1<<40)), 100, nil)
			}
			b.Decided()
			b.Settle(true, day)
		},
		"keys that come back": func(g *Guard, at time.Duration, rng *rand.Rand) {
			b := g.Begin(at)
			for range 1_000 {
				b.Admit(file(1+rng.IntN(300)), 100, nil)
			}
			b.Decided()
			b.Settle(true, day)
		},
		"large records": func(g *Guard, at time.Duration, _ *rand.Rand) { send(g, at, file(1), 50, 1<<20, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			g := New(Config{
				Rate: Rate{Records: 1000, Bytes: 1 << 20, Burst: 2 * time.Second}, Total: Rate{Records: 2000, Bytes: 1 << 20, Burst: 2 * time.Second},
				Reserve: 0.2, MaxKeys: 200,
			})
			quiet := file(0)
			// It is there before the attack: 5 records a second are its share among 200 others.
			for s := range 120 {
				require.Zero(t, send(g, time.Duration(s)*time.Second, quiet, 3, 100, nil).over)
			}
			var got tally
			for ms := range 30_000 {
				at := 120*time.Second + time.Duration(ms)*time.Millisecond
				if ms%50 == 0 {
					attack(g, at, rng)
				}
				if ms%333 == 0 {
					got.add(send(g, at, quiet, 1, 100, nil))
				}
			}
			assert.Zero(t, got.over, "of %d", got.sent)
			assert.NotZero(t, g.Stats().Shed.Records, "that was no attack")
			assert.LessOrEqual(t, float64(g.Stats().Kept.Records), 2000*32.0+360+400)
		})
	}
}

// Those that want more than their share get the same, and together all that there is.
func TestTotalIsDividedFairly(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 1e6, Burst: time.Second}, Total: Rate{Records: 1000, Burst: time.Second}, MaxKeys: 100})
	demand := []int{1000, 100, 20, 2, 1} // in ten milliseconds, but for the last two
	got := make([]tally, len(demand))
	for ms := range 70_000 {
		at := time.Duration(ms) * time.Millisecond
		for i, n := range demand {
			if ms%10 == i && (n > 2 || ms%1000 < 10) {
				if u := send(g, at, file(i), n*max(1, 20/n/10), 10, nil); ms >= 10_000 {
					got[i].add(u)
				}
			}
		}
	}
	sum := 0.0
	for i, u := range got {
		t.Logf("source %d: sent %d, kept %d", i, u.sent, u.kept)
		sum += float64(u.kept)
	}
	assert.Zero(t, got[3].over)
	assert.Zero(t, got[4].over)
	fair := (1000*60.0 - float64(got[3].kept+got[4].kept)) / 3
	for i := range 3 {
		assert.InDelta(t, fair, float64(got[i].kept), fair*0.05, "source %d", i)
	}
	assert.InDelta(t, 60_000, sum, 600)
}

// The reserve is a share for those that deserve it, and no exemption.
func TestReserve(t *testing.T) {
	cfg := Config{Rate: Rate{Records: 100, Burst: time.Second}, Reserve: 0.2, MaxKeys: 10}
	t.Run("kept in a flood of others", func(t *testing.T) {
		g := New(cfg)
		var worth tally
		for ms := range 10_000 {
			at := time.Duration(ms) * time.Millisecond
			send(g, at, file(0), 100, 10, nil)
			if ms%100 == 50 {
				worth.add(send(g, at, file(0), 1, 10, always))
			}
		}
		assert.Zero(t, worth.over, "10 a second of a reserve of 20")
	})
	t.Run("a flood of them is limited", func(t *testing.T) {
		g := New(cfg)
		var flood tally
		for ms := range 10_000 {
			flood.add(send(g, time.Duration(ms)*time.Millisecond, file(0), 100, 10, always))
		}
		assert.InDelta(t, 100*11, float64(flood.kept), 3)
	})
	t.Run("a flood of them leaves others their part", func(t *testing.T) {
		cfg := cfg
		cfg.Total = Rate{Records: 200, Burst: time.Second}
		g := New(cfg)
		var other tally
		for ms := range 10_000 {
			at := time.Duration(ms) * time.Millisecond
			send(g, at, file(0), 100, 10, always)
			if ms%50 == 0 {
				other.add(send(g, at, file(1), 1, 10, nil))
			}
		}
		assert.Zero(t, other.over)
	})
	t.Run("asked above the rate only", func(t *testing.T) {
		g, asked := New(cfg), 0
		send(g, 0, file(0), 80, 10, func() bool { asked++; return false })
		assert.Zero(t, asked)
		send(g, 0, file(0), 5, 10, func() bool { asked++; return false })
		assert.Equal(t, 5, asked, "once a record")
	})
}

// Of the total, too, each source has a reserve of its own: a flood of errors takes no other source's.
func TestReserveOfTheTotalIsShared(t *testing.T) {
	g := New(Config{Total: Rate{Records: 1000, Burst: time.Second}, Reserve: 0.2, MaxKeys: 10})
	severe := tally{}
	for ms := 0; ms < 10_000; ms += 10 {
		at := time.Duration(ms) * time.Millisecond
		send(g, at, file(1), 100, 10, always)
		send(g, at, file(0), 100, 10, nil)
		if got := send(g, at, file(0), (ms/10)%10/9, 10, always); ms > 2_000 {
			severe.add(got) // ten a second; its part of the reserve is 66
		}
	}
	assert.NotZero(t, severe.sent)
	assert.Zero(t, severe.over)
}

// A source in debt does not get rid of it by making the guard forget it.
func TestDebtIsNotForgotten(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 1, Burst: 100 * time.Second}, MaxKeys: 50})
	now := time.Duration(0)
	send(g, now, file(0), 100, 10, nil) // all of its budget, so that there is nothing to report either
	for i := range 10_000 {             // others come, once each, for twenty seconds
		now += 2 * time.Millisecond
		send(g, now, file(1+i), 1, 10, nil)
	}
	now += 11 * time.Second // by now those make room, and so would it
	send(g, now, file(-1), 1, 10, nil)
	got := send(g, now, file(0), 1000, 10, nil)
	assert.LessOrEqual(t, got.kept, uint64(32))
}

// All that have no state of their own have the budget of one source.
func TestNewcomersShareOneBudget(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 10, Burst: time.Second}, MaxKeys: 5})
	var got tally
	for i := range 10_000 {
		got.add(send(g, time.Duration(i)*100*time.Microsecond, file(i), 3, 10, nil))
	}
	assert.LessOrEqual(t, float64(got.kept), 5*3+10+10+1.0)
	assert.Equal(t, 5, g.Stats().Sources)
	due := g.Due(true)
	require.Len(t, due, 1)
	assert.Equal(t, Newcomers, due[0].Key)
	assert.Equal(t, got.over, due[0].Shed.Records)
}

// A source that says something every few minutes keeps its state, and its share, through an attack with new keys.
func TestStateSurvivesNewKeys(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 10, Burst: time.Second}, MaxKeys: 20})
	now, next := time.Duration(0), 1
	send(g, now, file(0), 1, 10, nil) // it has come before
	for range 10 {
		require.Zero(t, send(g, now, file(0), 2, 10, nil).over)
		for range 3000 {
			now += 100 * time.Millisecond
			send(g, now, file(next), 5, 10, nil)
			next++
		}
	}
}

// What came while nothing could pass is no flood, as far as the rate allowed it.
func TestStall(t *testing.T) {
	cfg := Config{Rate: Rate{Records: 100, Burst: time.Second}, Total: Rate{Records: 1000, Burst: time.Second}, Reserve: 0.2, MaxKeys: 10}
	g := New(cfg)
	send(g, 0, file(0), 1, 10, nil)
	g.Stall(time.Hour, time.Hour)
	var got tally
	at := time.Hour
	for range 1000 {
		at += 10 * time.Millisecond
		got.add(send(g, at, file(0), 1000, 10, nil))
	}
	assert.InDelta(t, 100*3600+100*11, float64(got.kept), 100, "an hour's worth, and no more")

	// Once caught up, the credit is gone.
	g = New(cfg)
	send(g, 0, file(0), 1, 10, nil)
	g.Stall(time.Hour, time.Hour)
	send(g, time.Hour, file(0), 1, 10, nil)
	send(g, time.Hour+time.Minute, file(0), 1, 10, nil)
	assert.LessOrEqual(t, send(g, time.Hour+time.Minute, file(0), 10_000, 10, nil).kept, uint64(100))

	// A source that nobody has read yet has a past, at the start and not later.
	g = New(cfg)
	g.Reopen(0, time.Minute, time.Hour)
	assert.Zero(t, send(g, time.Second, file(0), 10_000, 10, nil).over)
	g = New(cfg)
	g.Reopen(0, time.Minute, time.Hour)
	assert.LessOrEqual(t, send(g, 2*time.Minute, file(0), 10_000, 10, nil).kept, uint64(100))
}

func TestRefusedBatchCostsNothing(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 10, Burst: time.Second}, Total: Rate{Records: 20, Burst: time.Second}, Reserve: 0.5, MaxKeys: 5})
	for range 1000 {
		b := g.Begin(0)
		for range 30 {
			b.Admit(file(0), 10, always)
		}
		kept, _ := b.Decided()
		require.Equal(t, uint64(10), kept)
		b.Settle(false, day)
	}
	assert.Equal(t, Stats{Sources: 1}, g.Stats())
	assert.Empty(t, g.Due(true))
	assert.Equal(t, uint64(10), send(g, 0, file(0), 30, 10, always).kept)
}

// Whatever parts of the budgets a batch has been charged to, its own and those of all, it gets the same back when it is refused or held.
func TestRefundIsWhatWasPaid(t *testing.T) {
	type budgets struct{ free, reserve, credit, share, shareReserve amount }
	paidFrom := map[int]bool{}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 4))
		g := New(Config{
			Rate:    Rate{Records: float64(1 + rng.IntN(100)), Bytes: float64(1 + rng.IntN(5_000)), Burst: time.Second},
			Total:   Rate{Records: float64(rng.IntN(3) * 100), Bytes: float64(rng.IntN(2) * 10_000), Burst: time.Second},
			Reserve: float64(rng.IntN(3)) / 4, MaxKeys: 5, Hold: rng.IntN(2) == 0,
		})
		batch := func(accepted bool) {
			b := g.Begin(time.Second)
			for i := range 6 + rng.IntN(200) {
				b.Admit(file(i%6), 1+rng.IntN(50), func() bool { return rng.IntN(2) == 0 })
			}
			for _, p := range b.payments {
				paidFrom[p.part] = true
			}
			b.Decided()
			b.Settle(accepted, day)
		}
		look := func() (all []budgets) {
			all = append(all, budgets{free: g.pool.free, reserve: g.pool.reserve, credit: g.pool.credit})
			for _, s := range g.order {
				all = append(all, budgets{s.own.free, s.own.reserve, s.own.credit, s.fair.free, s.fair.reserve})
			}
			return all
		}
		send(g, 0, file(0), 1, 1, nil)
		if rng.IntN(2) == 0 {
			g.Stall(time.Second, time.Second)
		}
		batch(true)
		for _, s := range g.order {
			g.fillUp(s) // what has come until now, so that nothing comes between two looks
		}
		for range 5 {
			before := look()
			batch(false)
			after := look()
			require.Len(t, after, len(before))
			for i := range before {
				for name, pair := range map[string][2]amount{
					"free": {before[i].free, after[i].free}, "reserve": {before[i].reserve, after[i].reserve}, "credit": {before[i].credit, after[i].credit},
					"share": {before[i].share, after[i].share}, "share's reserve": {before[i].shareReserve, after[i].shareReserve},
				} {
					require.InDelta(t, pair[0].records, pair[1].records, 1e-3, "seed %d, source %d: %s", seed, i, name)
					require.InDelta(t, pair[0].bytes, pair[1].bytes, 1e-3, "seed %d, source %d: %s", seed, i, name)
				}
			}
		}
	}
	for part := ownCredit; part <= poolReserve; part++ {
		assert.True(t, paidFrom[part], "part %d of the budgets was never charged", part)
	}
}

// A batch that is larger than every budget passes a guard that holds, in time.
func TestHold(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 10, Burst: time.Second}, Total: Rate{Records: 15, Burst: time.Second}, MaxKeys: 5, Hold: true})
	passed, at := 0, time.Duration(0)
	for ; passed < 3 && at < time.Hour; at += time.Second {
		got := send(g, at, file(0), 500, 10, nil)
		if got.over > 0 {
			require.Equal(t, uint64(500), got.over)
			continue
		}
		passed++
	}
	require.Equal(t, 3, passed)
	assert.InDelta(t, 100, at.Seconds(), 5, "1,500 records at 10 a second, the last 500 of them owed")
	assert.Zero(t, g.Stats().Shed)
	assert.Equal(t, "rate.records", g.Due(true)[0].Limit.String())
}

func TestReports(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 10, Burst: time.Second}, MaxKeys: 5})
	send(g, 0, file(0), 5, 100, nil)
	assert.Empty(t, g.Due(true), "nothing is shed")
	send(g, time.Second, file(0), 30, 100, nil)
	select {
	case <-g.Begun():
	default:
		t.Error("not told that shedding began")
	}
	due := g.Due(false)
	require.Len(t, due, 1)
	r := due[0]
	assert.Equal(t, Begin, r.Phase)
	assert.Equal(t, []uint64{30, 10, 20}, []uint64{r.Received.Records, r.Kept.Records, r.Shed.Records})
	assert.Equal(t, uint64(2000), r.Shed.Bytes)
	assert.Equal(t, day.Add(time.Second), r.First)
	assert.Equal(t, "rate.records", r.Limit.String())
	send(g, 2*time.Second, file(0), 11, 100, nil) // while the report is on its way
	g.Confirm(due, true)
	assert.Empty(t, g.Due(false), "it goes on: with the next interval")
	due = g.Due(true)
	require.Len(t, due, 1)
	assert.Equal(t, Ongoing, due[0].Phase)
	assert.Equal(t, uint64(1), due[0].Shed.Records)
	g.Confirm(due, false)
	due = g.Due(true)
	require.Equal(t, uint64(1), due[0].Shed.Records, "refused: it comes again")
	g.Confirm(due, true)
	send(g, 10*time.Second, file(0), 4, 100, nil)
	due = g.Due(true)
	require.Equal(t, End, due[0].Phase)
	assert.Equal(t, uint64(4), due[0].Kept.Records)
	g.Confirm(due, true)
	assert.Empty(t, g.Due(true))
}

func TestRestore(t *testing.T) {
	cfg := Config{Rate: Rate{Records: 10, Burst: time.Minute}, MaxKeys: 5}
	g := New(cfg)
	send(g, 0, file(0), 1000, 100, nil)
	states, changed := g.States()
	require.True(t, changed)
	_, changed = g.States()
	require.False(t, changed)
	for _, crashed := range []bool{true, false} {
		h := New(cfg)
		h.Restore(states, crashed)
		due := h.Due(false)
		require.Len(t, due, 1)
		assert.Equal(t, crashed, due[0].AtLeast)
		assert.Equal(t, uint64(400), due[0].Shed.Records)
		assert.Equal(t, uint64(600), due[0].Kept.Records)
		assert.LessOrEqual(t, send(h, 0, file(0), 1000, 100, nil).kept, uint64(0), "a restart must not forgive the debt")
		h.Confirm(due, true)
		h.Confirm(h.Due(true), true)
		h.Confirm(h.Due(true), true)
		states, changed := h.States()
		assert.True(t, changed)
		assert.Empty(t, states)
	}
}

func TestMillionKeys(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 100, Burst: time.Second}, Total: Rate{Records: 1000, Burst: time.Second}, MaxKeys: 1000})
	for i := range 10_000 {
		b := g.Begin(time.Duration(i) * time.Millisecond)
		for j := range 100 {
			b.Admit(file(100*i+j), 10, nil)
		}
		b.Decided()
		b.Settle(true, day)
	}
	stats := g.Stats()
	assert.Equal(t, 1000, stats.Sources)
	assert.Equal(t, uint64(1_000_000), stats.Kept.Records+stats.Shed.Records)
	assert.False(t, math.IsNaN(g.pool.free.records))
}

// Many goroutines, with -race.
func TestConcurrency(t *testing.T) {
	g := New(Config{Rate: Rate{Records: 1000, Burst: time.Second}, Total: Rate{Records: 2000, Burst: time.Second}, Reserve: 0.2, MaxKeys: 10})
	var all sync.WaitGroup
	start := time.Now()
	for w := range 8 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 3))
			for range 500 {
				b := g.Begin(time.Since(start))
				for range 20 {
					b.Admit(file(rng.IntN(20)), 10, always)
				}
				b.Decided()
				b.Settle(rng.IntN(4) > 0, day)
				switch rng.IntN(20) {
				case 0:
					g.Confirm(g.Due(true), rng.IntN(2) == 0)
				case 1:
					g.States()
				case 2:
					g.Top(3)
				}
			}
		})
	}
	all.Wait()
	for range 3 {
		g.Confirm(g.Due(true), true)
	}
	for _, s := range g.order {
		assert.Zero(t, s.pending)
		assert.False(t, s.busy())
	}
}
