// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// heap returns the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// idRecords returns n records with ids that next makes.
func idRecords(n int, next func() string) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		lr := records.AppendEmpty()
		lr.Body().SetStr("forged")
		if id := next(); id != "" {
			lr.Attributes().PutStr(seal.IDKey, id)
		}
	}
	return ld
}

func noteRecord(body string) plog.Logs {
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(seal.EventName)
	lr.Body().SetStr(body)
	return ld
}

func randomHandle(rng *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	var b strings.Builder
	for range seal.HandleSize {
		b.WriteByte(letters[rng.IntN(len(letters))])
	}
	return b.String()
}

// hostile is what somebody sends beside an honest host: on the network, or from a host that he has taken.
type hostile struct {
	rng           *rand.Rand
	victim, thief *host
	victimHandle  string
	session       seal.Seal // what seals of the taken host's session begin with
	forger        *forge.Forger
	at            uint64
	first, stolen records
}

func newHostile(t *testing.T) *hostile {
	a := &hostile{rng: rand.New(rand.NewPCG(9, 9)), victim: newHost(t, "web-17").start(), thief: newHost(t, "db-3").start(), at: 1}
	a.first, a.stolen = a.victim.stamp(10).seal().take(), a.thief.stamp(1).take()
	a.victimHandle, _, _ = strings.Cut(idOf(a.first[1]), "-")
	open, err := seal.ParseNote(record(a.stolen[0]).Body().Str())
	require.NoError(t, err)
	a.forger = forge.NewForger(a.thief.Disk)
	a.session = seal.Seal{StreamID: a.thief.Trust.StreamID(), Handle: open.Seal.Handle, Nonce: open.Seal.Nonce, Time: open.Seal.Time, BootID: open.Seal.BootID}
	return a
}

// unsigned returns a seal that no key of its stream signed.
func (a *hostile) unsigned(s seal.Seal, number uint64) plog.Logs {
	s.Kind = seal.KindHeartbeat
	return noteRecord(forge.NewForger(a.thief.Disk).Seal(s, func(s *seal.Seal) {
		s.Number, s.Prev, s.Anchors = number, seal.Hash{byte(a.rng.Uint32()), byte(a.rng.Uint32())}, nil
		for _, n := range seal.AnchorsAfter(number) {
			s.Anchors = append(s.Anchors, seal.Anchor{Number: n})
		}
	}))
}

// scattered returns n seqs far apart.
func (a *hostile) scattered(n int) (rs seal.Ranges) {
	for range n {
		a.at += 2 + a.rng.Uint64N(1e9)
		rs = append(rs, seal.Range{First: a.at, Last: a.at})
	}
	return rs
}

var hostilities = map[string]func(a *hostile) plog.Logs{
	"endless handles": func(a *hostile) plog.Logs {
		return idRecords(200, func() string { return randomHandle(a.rng) + "-0" })
	},
	"huge seqs of a stranger": func(a *hostile) plog.Logs {
		return idRecords(500, func() string { return fmt.Sprintf("aaaaaaaa-%d", a.rng.Uint64N(1e18)) })
	},
	"huge seqs of a host that is taken": func(a *hostile) plog.Logs {
		return idRecords(500, func() string { return fmt.Sprintf("%s-%d", a.session.Handle, 1e9+a.rng.Uint64N(1e17)) })
	},
	"one id": func(a *hostile) plog.Logs {
		ld := idRecords(100, func() string { return a.session.Handle + "-77777777" })
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			lr.Body().SetStr(fmt.Sprint(a.rng.Uint64()))
		}
		return ld
	},
	"no id":     func(*hostile) plog.Logs { return idRecords(500, func() string { return "" }) },
	"bad seals": func(a *hostile) plog.Logs { return noteRecord(fmt.Sprint("logseal.v1/", a.rng.Uint64())) },
	"seals of the victim": func(a *hostile) plog.Logs {
		s := a.session
		s.StreamID, s.Handle = a.victim.Trust.StreamID(), a.victimHandle
		if a.rng.IntN(2) == 0 {
			return a.unsigned(s, a.rng.Uint64N(300))
		}
		return a.unsigned(s, a.rng.Uint64N(1e17))
	},
	"unknown streams": func(a *hostile) plog.Logs {
		s := a.session
		s.StreamID = fmt.Sprintf("%016x", a.rng.Uint64())
		return a.unsigned(s, a.rng.Uint64N(3))
	},
	"scattered seals": func(a *hostile) plog.Logs {
		s := a.session
		s.Kind, s.Covered = seal.KindBlock, a.scattered(500)
		s.Groups, s.Prefixes = make([]seal.Hash, (len(s.Covered)+15)/16), make([]byte, 2*len(s.Covered))
		s.Void = a.scattered(500)
		return noteRecord(a.forger.Seal(s, nil))
	},
	"endless sessions": func(a *hostile) plog.Logs {
		s := a.session
		s.Kind = seal.KindOpen
		for i := range s.Nonce {
			s.Nonce[i] = byte(a.rng.Uint32())
		}
		s.Handle = seal.NewHandle(&a.thief.Trust.Key, &s.Nonce)
		s.Name, s.Key, s.Software, s.Interval, s.Heartbeat = "db-3", a.thief.Trust.Key, "test/1", time.Second, time.Minute
		for i := range 60 {
			s.Exclude = append(s.Exclude, fmt.Sprintf("%s-%0100d", s.Handle, i))
		}
		a.session.Nonce, a.session.Handle = s.Nonce, s.Handle
		return noteRecord(a.forger.Seal(s, nil))
	},
}

// TestHostile: whatever a sender writes, memory and findings are bounded, and the stream of another host is verified as if nothing was.
func TestHostile(t *testing.T) {
	const pending = 50_000
	for name, attack := range hostilities {
		for _, learn := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, learn %v", name, learn), func(t *testing.T) {
				a := newHostile(t)
				before := heap()
				s := newSeen(t, watch.Config{Trust: []seal.Trust{a.victim.Trust, a.thief.Trust}, MaxPending: pending, Learn: learn})
				s.save(false)
				s.feed(a.first).feed(a.stolen)
				for round := range 10 {
					for range 20 {
						s.take(s.w.Observe(attack(a), watch.Peer{Address: fmt.Sprintf("10.9.9.9:%d", a.rng.IntN(60000))}, s.now))
					}
					s.feed(a.victim.stamp(10).seal().take())
					if round%5 == 0 {
						s.pass(time.Second)
					}
				}
				s.pass(35 * time.Second)
				s.unharmed("web-17")
				require.LessOrEqual(t, len(s.open), 1100)
				stats := s.w.Stats()
				require.LessOrEqual(t, stats.Pending, pending)
				require.LessOrEqual(t, stats.Expected, pending)

				s.save(false)
				size := 0
				for _, part := range s.w.Save(true) {
					size += len(part.Value)
				}
				require.Less(t, size, 16<<20, "state")
				s.log = nil
				require.Less(t, int64(heap())-int64(before), int64(48<<20))
				runtime.KeepAlive(a)

				s.load() // and it can be gone on from
				s.feed(a.victim.stamp(10).seal().take())
				s.pass(35 * time.Second)
				s.unharmed("web-17")
			})
		}
	}
}

// unharmed checks that nothing is found on a stream but that somebody forges its seals, if he does.
func (s *seen) unharmed(stream string) {
	for _, e := range s.open {
		if e.Finding.Stream == stream {
			require.Equal(s.t, finding.UnknownKey, e.Finding.Reason, "%s", describe(e))
		}
	}
}

// TestFloodAndReorder: seals that somebody forges in a stream's name do not displace its own, which come in another order.
func TestFloodAndReorder(t *testing.T) {
	victim, thief := newHost(t, "web-17").start(), newHost(t, "db-3").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{victim.Trust}})
	s.feed(victim.take())
	a := &hostile{rng: rand.New(rand.NewPCG(4, 4)), thief: thief}
	for range 6 {
		var list records
		for range 10 {
			list = append(list, victim.stamp(3).seal().take()...)
		}
		for _, i := range a.rng.Perm(len(list)) {
			s.observe(list[i])
			for range 20 {
				forged := a.unsigned(seal.Seal{StreamID: victim.Trust.StreamID(), Handle: "aaaaaaaa", Time: begin}, a.rng.Uint64N(128))
				s.take(s.w.Observe(forged, watch.Peer{Address: "10.9.9.9:1"}, s.now))
			}
		}
		s.pass(time.Second)
	}
	s.pass(time.Minute)
	require.EqualValues(t, s.w.Stats().Records, s.w.Stats().Verified)
	for _, e := range s.open {
		require.Equal(t, finding.BadSeal, e.Finding.Code)
	}
}

// TestManyStreams: a thousand streams, or ten thousand with LOGSEAL_SCHEDULES, one of which is attacked.
func TestManyStreams(t *testing.T) {
	streams := 1000
	if os.Getenv("LOGSEAL_SCHEDULES") != "" {
		streams = 10_000
	}
	hosts := make([]*host, streams)
	var trust []seal.Trust
	for i := range hosts {
		hosts[i] = newHost(t, fmt.Sprintf("host-%d", i))
		trust = append(trust, hosts[i].Trust)
	}
	s := newSeen(t, watch.Config{Trust: trust})
	s.save(false)
	for i, h := range hosts {
		list := h.start().stamp(3).seal().take()
		if i == 471 {
			record(list[1]).Body().SetStr("altered")
		}
		s.feed(list)
		h.Received, h.sent = nil, 0
	}
	s.pass(5 * time.Second)
	s.want("ALTERED digest_differs host-471 1")
}

// TestLearnFlood: who makes streams without end takes no more room than there is, and nobody's name.
func TestLearnFlood(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Learn: true, MaxStreams: 20})
	s.save(false)
	s.feed(h.stamp(5).seal().take())
	for i := range 60 {
		s.feed(newHost(t, fmt.Sprintf("flood-%d", i)).start().stamp(2).seal().take())
	}
	s.feed(h.stamp(5).seal().take())
	s.pass(time.Minute)
	require.Len(t, s.w.Learned(), 20)
	require.EqualValues(t, 10+2*19, s.w.Stats().Verified)
	s.unharmed("web-17")
}
