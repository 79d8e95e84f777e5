// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// host is a host whose records and seals a test passes on as it likes.
type host struct {
	*sealtest.Host
	t    *testing.T
	sent int // of Received
}

func newHost(t *testing.T, name string) *host {
	h, err := sealtest.NewHost(name, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	return &host{Host: h, t: t}
}

func (h *host) start() *host {
	require.NoError(h.t, h.Start(h.t.Context()))
	return h
}

// stamp sends n records.
func (h *host) stamp(n int) *host {
	require.NoError(h.t, h.Stamp(h.t.Context(), n))
	h.Land(0, sealtest.Taken)
	return h
}

func (h *host) seal() *host {
	require.NoError(h.t, h.Seal(h.t.Context()))
	return h
}

func (h *host) stop() *host {
	require.NoError(h.t, h.Stop(h.t.Context()))
	return h
}

// take returns what has been sent since the last take, one record each.
func (h *host) take() records {
	list := flatten(h.Received[h.sent:])
	h.sent = len(h.Received)
	return list
}

// seals returns the indexes of the seals among records.
func (r records) seals() (list []int) {
	for i := range r {
		if idOf(r[i]) == "" {
			list = append(list, i)
		}
	}
	return list
}

func (s *seen) feed(list records) *seen {
	for _, ld := range list {
		s.observe(ld)
	}
	return s
}

// want checks which findings are open: "CODE reason stream count".
func (s *seen) want(findings ...string) {
	s.t.Helper()
	got := []string{}
	for _, e := range s.w.Open() {
		f := e.Finding
		got = append(got, fmt.Sprintf("%s %s %s %d", f.Code, f.Reason, f.Stream, f.Count))
		require.Contains(s.t, s.open, e.UID)
	}
	require.Len(s.t, s.open, len(got))
	require.ElementsMatch(s.t, findings, got, "%s", s)
}

// states returns the states that findings of a code went through.
func (s *seen) states(code finding.Code) string {
	var list []string
	for _, e := range s.log {
		if e.Finding.Code == code {
			list = append(list, string(e.State))
		}
	}
	return strings.Join(list, " ")
}

// last returns the last state that a finding of a code went into.
func (s *seen) last(code finding.Code) string {
	states := strings.Fields(s.states(code))
	if len(states) == 0 {
		return ""
	}
	return states[len(states)-1]
}

func TestAlteredAtOnce(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(20).seal().take()
	genuine := clone(list[3])
	record(list[3]).Body().SetStr("altered")
	s.feed(list)
	s.want("ALTERED digest_differs web-17 1")
	e := s.w.Open()[0]
	require.Equal(t, idOf(list[3]), e.Finding.ID)
	require.Equal(t, h.Trust.StreamID(), e.StreamID)
	require.Equal(t, "h", e.Host)
	require.Len(t, e.Evidence, 1)
	require.Equal(t, e.Finding.ID, e.Evidence[0].FirstID)
	require.False(t, e.EventTime.IsZero())
	require.Equal(t, finding.Tampered, e.Verdict())

	// The genuine one comes too: then there are two, and the seal tells which is which.
	s.observe(genuine)
	s.want("CONFLICT other_backed web-17 1")
	require.Equal(t, "has the id of another record that says something else; the seal backs the other one, at another time", s.w.Open()[0].Finding.Message())
	require.Equal(t, "opened resolved", s.states(finding.Altered))
}

// TestForgedWhileSealsAreMissing: of two records with one id both are kept while the seals are missing that tell which is genuine, also when their session has ended, and across
// a restart.
func TestForgedWhileSealsAreMissing(t *testing.T) {
	for _, together := range []bool{false, true} { // or the genuine one comes when their session has ended
		for name, restart := range map[string]func(*seen){
			"running": func(*seen) {},
			"stopped": func(s *seen) { s.save(true); s.load() },
			"killed":  func(s *seen) { s.pass(watch.Settling); s.save(false); s.load() },
		} {
			t.Run(fmt.Sprintf("%s, together %t", name, together), func(t *testing.T) {
				h := newHost(t, "web-17").start()
				s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
				s.save(false)
				first, list, seals := h.take(), h.stamp(5).take(), h.seal().stop().take()
				h.start()
				for range 70 { // up to an anchor
					seals = append(seals, h.stamp(1).seal().take()...)
				}
				forged := clone(list[3])
				record(forged).Body().SetStr("forged")
				const missing = 2 // the seal of the five, and the one that closes their session
				s.feed(first).feed(list[:3]).observe(forged)
				want := []string{"MISSING_SEAL seal_gap web-17 2", "UNSEALED seal_missing web-17 5", "LATE anchor_alone web-17 60"}
				if together {
					s.observe(list[3])
					want = append(want, "CONFLICT not_sealed_yet web-17 1")
				}
				s.feed(list[4:]).feed(seals[missing:])
				s.pass(time.Minute)
				s.want(want...)
				if !together {
					s.observe(list[3])
				}
				restart(s)
				s.feed(seals[:missing])
				s.pass(time.Minute)
				codes := slices.DeleteFunc(s.codes(), func(c finding.Code) bool { return c == finding.Unchecked }) // a kill
				require.Equal(t, []finding.Code{finding.Conflict}, codes, "%s", s)
				require.Equal(t, finding.OtherBacked, s.w.Open()[len(s.w.Open())-1].Finding.Reason)
			})
		}
	}
}

// TestAgainLater: the same on the same record, when the first is another story and still open, is a finding with a UID of its own.
func TestAgainLater(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(20).seal().take()
	s.feed(list)
	forged := clone(list[3])
	for range 3 {
		record(forged).Body().SetStr(record(forged).Body().Str() + "!")
		s.observe(forged)
		for range 12 {
			s.pass(time.Minute)
			s.feed(h.seal().take())
		}
	}
	s.want("CONFLICT other_backed web-17 1", "CONFLICT other_backed web-17 1", "CONFLICT other_backed web-17 1")
	s.save(true)
	s.load()
	require.Len(t, s.w.Open(), 3)
}

// TestMissingIsOneFinding: an hour that was deleted is one finding; it is told again while it grows, and resolved by what comes late.
func TestMissingIsOneFinding(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.feed(h.take())
	var gone records
	for range 200 {
		for _, ld := range h.stamp(20).seal().take() {
			if idOf(ld) == "" {
				s.observe(ld)
			} else {
				gone = append(gone, ld)
			}
		}
		s.pass(time.Second)
	}
	s.pass(40 * time.Second)
	s.want("MISSING record_missing web-17 4000")
	require.LessOrEqual(t, strings.Count(s.states(finding.Missing), "updated"), 5)
	for i, ld := range gone {
		s.observe(ld)
		if i == 1000 {
			s.pass(time.Minute)
		}
	}
	s.want()
	require.Equal(t, "resolved", string(s.log[len(s.log)-1].State))
	require.EqualValues(t, 4000, s.w.Stats().Verified)
}

func TestGapMayFill(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(5).seal().take()
	last := len(list) - 1
	s.feed(records{list[0], list[last]}) // seals first
	s.pass(25 * time.Second)
	s.want()
	s.feed(list[1:last])
	s.pass(time.Minute)
	s.want()
	require.Empty(t, s.log)
}

// Behind its seal a record is judged when it comes, and not when its group is whole.
func TestJudgedBehindTheSeal(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(20).seal().take()
	last := len(list) - 1
	record(list[3]).Body().SetStr("altered")
	s.feed(records{list[0], list[last], list[3]})
	s.want("ALTERED digest_differs web-17 1")
	require.EqualValues(t, 0, s.w.Stats().Verified)
}

// What comes after it was MISSING is so no longer, also while more of its group is.
func TestMissingIsCountedAnew(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	lose := func(n int) (lost records) {
		list := h.stamp(10).seal().take()
		s.feed(list[n:])
		s.pass(40 * time.Second)
		return list[:n]
	}
	s.feed(h.take())
	lost := lose(2)
	s.want("MISSING record_missing web-17 2")
	s.observe(lost[0])
	lose(1)
	s.want("MISSING record_missing web-17 2")
}

// TestSilence comes from the promise in the open seal.
func TestSilence(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}, SilentAfter: time.Minute})
	s.feed(h.stamp(5).seal().take())
	s.pass(3*time.Minute - time.Second) // three heartbeats of a minute, which is longer
	s.want()
	s.pass(10 * time.Second)
	s.want("SILENT heartbeat_missed web-17 1")
	require.True(t, s.w.Stats().Streams[0].Silent)
	s.pass(time.Hour)
	s.want("SILENT heartbeat_missed web-17 1")
	s.feed(h.seal().take())
	s.want()
	s.feed(h.stop().take())
	s.pass(time.Hour) // it said that it has nothing to say
	s.want()
	require.Equal(t, "opened resolved", s.states(finding.Silent))
}

// TestAlarmsOfAStreamEndAfterAKill: what resolves a finding on a stream does so too when the watcher was killed while it was open.
func TestAlarmsOfAStreamEndAfterAKill(t *testing.T) {
	for name, c := range map[string]struct {
		missing int // seals at the beginning that come only after the kill
		alarm   string
	}{
		"silent":        {alarm: "SILENT heartbeat_missed web-17 1"},
		"no first seal": {missing: 1, alarm: "ABSENT no_first_seal web-17 1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "web-17").start()
			s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
			s.save(false)
			list := append(h.take(), h.seal().seal().take()...)
			s.feed(list[c.missing:])
			s.pass(time.Second)
			s.save(false) // all that has come
			s.pass(10 * time.Minute)
			s.want(c.alarm)
			s.save(false)
			s.load() // killed
			s.feed(list[:c.missing]).feed(h.seal().take())
			for _, e := range s.w.Open() {
				require.NotEqual(t, strings.Fields(c.alarm)[0], string(e.Finding.Code))
			}
		})
	}
}

// TestStoodStill: who did not run has not waited.
func TestStoodStill(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.feed(h.stamp(5).seal().take())
	s.now = s.now.Add(time.Hour)
	s.pass(time.Second)
	s.now = s.now.Add(-2 * time.Hour)
	s.pass(time.Second)
	s.want()
}

func TestSealMissing(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	var list records
	for range 70 {
		list = append(list, h.stamp(2).seal().take()...)
	}
	n := list.seals()[20]
	missing := list[n]
	s.feed(list[:n])
	s.feed(list[n+1 : list.seals()[50]])
	s.pass(40 * time.Second)
	require.Equal(t, "opened", s.states(finding.BadSeal))
	s.feed(list[list.seals()[50]:])
	s.pass(40 * time.Second) // the anchor may be preceded by what is missing
	require.Equal(t, "opened resolved", s.states(finding.BadSeal))
	require.Equal(t, "opened", s.states(finding.MissingSeal))
	require.Equal(t, "opened", s.states(finding.Late))
	s.observe(missing)
	s.pass(time.Minute)
	require.Equal(t, "opened resolved", s.states(finding.MissingSeal))
	require.Equal(t, "opened resolved", s.states(finding.Late))
	s.want()
}

// TestHoleInASession: what a missing seal of a session that goes on may have settled is told as that, and not as too new to be settled.
func TestHoleInASession(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	var list records
	for range 70 {
		list = append(list, h.stamp(2).seal().take()...)
	}
	n := list.seals()[20]
	s.feed(list[:n]).feed(list[n+1:])
	s.pass(time.Minute)
	for range 4 {
		s.pass(time.Minute)
		s.feed(h.seal().take())
	}
	s.pass(time.Second)
	s.want("MISSING_SEAL seal_gap web-17 1", "LATE anchor_alone web-17 86", "UNSEALED seal_missing web-17 2")
	require.Equal(t, idOf(list[n-2]), s.w.Open()[2].Finding.ID)
	s.save(true)
	s.load()
	s.observe(list[n])
	s.pass(time.Minute)
	s.want()
	require.Equal(t, "opened resolved", s.states(finding.Unsealed))
}

// TestLateAfterALongSilence: a session whose last seal is old ends when the next one has begun, and what comes of it then is not forgotten yet.
func TestLateAfterALongSilence(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.feed(h.stamp(2).seal().take())
	older := h.Disk.Clone()
	late := h.stamp(32).take()
	s.feed(late[:16])
	s.pass(20 * time.Minute)
	for range 2 {
		h.Crash()
		h.Disk = h.Disk.CloneStore(older) // a power loss, so that the next session adopts nothing
		h.Reboot()
		s.feed(h.start().stamp(1).seal().take())
	}
	s.feed(late[16:])
	s.pass(time.Minute)
	require.Empty(t, s.states(finding.Unchecked), "%s", s)
	require.EqualValues(t, 32, s.claims(func(*watch.Event) bool { return true })[about{finding.Unsealed, "web-17"}].n)
}

// TestGapOverRestarts: a gap that is open at a restart, in order or not, fills after it, and what rests on it is resolved: the records that its seals cover were
// UNSEALED, and those above it LATE.
func TestGapOverRestarts(t *testing.T) {
	for name, inOrder := range map[string]bool{"in order": true, "killed": false} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "web-17").start()
			s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
			s.save(false)
			var list records
			for i := range 70 {
				if i == 25 {
					h.Crash()
					h.start()
				}
				list = append(list, h.stamp(2).seal().take()...)
			}
			n := list.seals()[20]
			s.feed(list[:n]).feed(list[n+1:])
			s.pass(90 * time.Second)
			for _, code := range []finding.Code{finding.MissingSeal, finding.Late, finding.Unsealed} {
				require.Equal(t, "opened", s.last(code), "%s %s", code, s)
			}
			s.save(inOrder)
			s.load()
			s.pass(time.Minute)
			s.observe(list[n])
			s.pass(time.Minute)
			for _, code := range []finding.Code{finding.MissingSeal, finding.Late, finding.Unsealed} {
				require.Equal(t, "resolved", s.last(code), "%s %s", code, s)
			}
			if inOrder {
				s.want()
			} else {
				s.want("UNCHECKED not_watched  1")
			}
		})
	}
}

// TestSessionBehindItsAdoption: the seals of a session come after the one by which the next adopts its last records.
func TestSessionBehindItsAdoption(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	var list, late records
	for i := range 70 {
		switch i {
		case 25, 30:
			h.stamp(2).Crash() // what the next session adopts
			h.start()
		}
		part := h.stamp(2).seal().take()
		for _, n := range slices.Backward(part.seals()) {
			if i >= 25 && i < 30 || i == 30 && n == part.seals()[0] { // all of the second session, and the first seal of the third
				late = append(late, part[n])
				part = slices.Delete(part, n, n+1)
			}
		}
		list = append(list, part...)
	}
	s.feed(list)
	s.pass(90 * time.Second)
	require.Equal(t, "opened", s.last(finding.MissingSeal), "%s", s)
	s.feed(late)
	s.pass(time.Minute)
	s.want()
}

// TestFork: a host whose disk is set back makes seals that it has made.
func TestFork(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("restart ", restart), func(t *testing.T) {
			h := newHost(t, "web-17").start()
			s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
			s.save(false)
			s.feed(h.stamp(5).seal().take())
			snapshot := h.Disk.Clone()
			s.feed(h.stamp(5).seal().take())
			if restart {
				s.save(false)
				s.load()
			}
			h.Crash()
			h.Disk = snapshot
			s.feed(h.start().take())
			s.pass(2 * time.Second)
			require.Equal(t, "opened", s.states(finding.Forked), "%s", s)
		})
	}
}

// TestRolledBackFar: the same, when the seals that tell have been forgotten.
func TestRolledBackFar(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	snapshot := h.Disk.Clone()
	old := h.take()
	s.feed(old)
	for range 100 {
		s.feed(h.stamp(1).seal().take())
	}
	s.feed(old) // a copy is no harm
	s.want()
	h.Crash()
	h.Disk = snapshot
	h.Advance(time.Minute)
	s.feed(h.start().take())
	require.Equal(t, "opened", s.states(finding.BadSeal), "%s", s)
}

func TestUnknownStream(t *testing.T) {
	h, other := newHost(t, "web-17").start(), newHost(t, "db-3").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.feed(h.stamp(5).seal().take()).feed(other.stamp(7).seal().take())
	s.want("UNKNOWN_STREAM not_trusted  2")
	s.pass(time.Minute)
	s.want("UNKNOWN_STREAM not_trusted  2", "ORPHAN session_unknown  7")

	// When the line is in the trust file, that is resolved.
	s.save(true)
	s.config.Trust = append(s.config.Trust, other.Trust)
	s.load()
	s.pass(time.Second)
	require.Equal(t, "resolved", s.last(finding.UnknownStream))
}

// TestLearnLate: a stream is not unknown any more once its first seal has come, however late.
func TestLearnLate(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Learn: true})
	list := h.stamp(5).seal().take()
	s.feed(list[1:])
	s.pass(time.Minute)
	require.Equal(t, "opened", s.last(finding.UnknownStream))
	s.feed(list[:1])
	require.Equal(t, "resolved", s.last(finding.UnknownStream))
	require.Len(t, s.w.Learned(), 1)
}

func TestLearn(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Learn: true})
	s.save(false)
	list := h.stamp(5).seal().take()
	s.feed(list[1:]).feed(list[:1]) // its first seal comes last
	s.want()
	require.EqualValues(t, 5, s.w.Stats().Verified)
	learned := s.w.Learned()
	require.Len(t, learned, 1)
	require.Equal(t, h.Trust.String(), learned[0].Trust.String())
	require.Equal(t, watch.Peer{Address: "10.0.0.1:4317"}, learned[0].From)
	require.Equal(t, begin, learned[0].When)

	s.save(true)
	s.load()
	require.Equal(t, learned, s.w.Learned())
	s.feed(h.stamp(5).seal().take())
	require.EqualValues(t, 5, s.w.Stats().Verified)
	s.want()

	second := newHost(t, "web-17").start() // enrolled anew, or somebody else
	s.feed(second.stamp(3).seal().take())
	s.pass(time.Minute)
	s.want("UNKNOWN_STREAM name_taken  1", "UNKNOWN_STREAM not_trusted  1", "ORPHAN session_unknown  3")
	require.Len(t, s.w.Learned(), 1)
}

// newEndorsed returns a host whose stream a certificate vouches for. Its clock is now's, as certificates want it.
func newEndorsed(t *testing.T, name string, cert *testpki.Cert) *host {
	pair := cert.TLS()
	h, err := sealtest.NewHostOf(sealer.NewStream{Name: name, Endorse: func(trust seal.Trust) (*seal.Endorsement, error) {
		return endorse.Sign(&pair, trust, time.Now())
	}}, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	h.Now.Time = time.Now()
	return &host{Host: h, t: t}
}

// TestEndorsed: a stream that a certificate vouches for is trusted by its first seal. A further one of the same identity and name is a finding, unless the
// first was closed.
func TestEndorsed(t *testing.T) {
	ca := testpki.NewCA("fleet")
	leaf := ca.NewLeaf("web-17", testpki.Names("web-17.example.com"))
	h := newEndorsed(t, "web-17", leaf).start()
	s := newSeen(t, watch.Config{Roots: ca.Pool()})
	s.save(false)
	list := h.stamp(5).seal().take()
	s.feed(list[1:]).feed(list[:1])
	require.EqualValues(t, 5, s.w.Stats().Verified)
	s.save(true)
	s.load()
	list = h.stamp(5).seal().take()
	record(list[0]).Body().SetStr("altered")
	s.feed(list)
	name := func(h *host) string { return "web-17.example.com (web-17, " + h.Trust.StreamID() + ")" }
	altered := "ALTERED digest_differs " + name(h) + " 1"
	s.want(altered)
	require.Empty(t, s.w.Learned())

	second := newEndorsed(t, "web-17", leaf).start()
	s.feed(second.stamp(3).seal().take())
	s.want(altered, "FURTHER_STREAM not_closed_before "+name(second)+" 1")
	s.feed(h.stop().take()).feed(second.stop().take())
	third := newEndorsed(t, "web-17", leaf)
	third.Now.Time = second.Now.Time.Add(time.Minute)
	s.feed(third.start().stamp(3).seal().take())
	s.want(altered, "FURTHER_STREAM not_closed_before "+name(second)+" 1")

	s.feed(newEndorsed(t, "web-18", testpki.NewCA("other").NewLeaf("web-18", testpki.Names("web-18.example.com"))).start().take())
	s.feed(newHost(t, "web-19").start().take())
	require.Contains(t, s.String(), "UNKNOWN_STREAM endorsement_chain")
	require.Contains(t, s.String(), "UNKNOWN_STREAM not_endorsed")
}

// TestSkip: what nobody had time for is not missing.
func TestSkip(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(40).seal().stamp(40).seal().take()
	for i, ld := range list {
		if i > 0 && i < 21 || i == list.seals()[1] {
			s.w.Skip(ld, watch.Peer{})
		} else {
			s.observe(ld)
		}
	}
	s.pass(time.Minute)
	require.Empty(t, s.states(finding.Missing))
	s.want("UNCHECKED not_looked_at web-17 32") // the rest of their groups cannot be verified either
	stats := s.w.Stats()
	require.EqualValues(t, 32, stats.Unchecked)
	require.EqualValues(t, 80, stats.Records)
	require.EqualValues(t, 3, stats.Seals)
	require.EqualValues(t, 40+8, stats.Verified)
}

// TestMalformedSeal: what two readers may read in different ways is no seal, as for the offline verifier.
func TestMalformedSeal(t *testing.T) {
	for name, spoil := range map[string]func(ld plog.Logs){
		"body":      func(ld plog.Logs) { record(ld).Body().SetStr(record(ld).Body().Str() + "\xff") },
		"attribute": func(ld plog.Logs) { record(ld).Attributes().PutStr("a", "\xff") },
		"resource":  func(ld plog.Logs) { ld.ResourceLogs().At(0).Resource().Attributes().PutStr("a", "\xff") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "web-17").start()
			s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
			list := h.stamp(5).seal().take()
			s.feed(list[:6])
			spoil(list[6])
			s.observe(list[6])
			s.want("MALFORMED invalid_utf8  1")
			require.Empty(t, s.claims(func(*watch.Event) bool { return true }).differs(claimsOf(offline(t, list, h.Trust))))
			require.EqualValues(t, 1, s.w.Stats().Seals)
			s.w.Skip(list[6], watch.Peer{})
			s.pass(time.Second)
			s.want("MALFORMED invalid_utf8  1", "UNCHECKED not_looked_at  1")
		})
	}
}

// TestSkipWhatWasMissing: what comes when nobody has time for it was not deleted, also if it comes late.
func TestSkipWhatWasMissing(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(40).seal().take()
	s.feed(list[:11]).feed(list[31:])
	s.pass(time.Minute)
	s.want("MISSING record_missing web-17 20")
	for _, ld := range list[11:31] {
		s.w.Skip(ld, watch.Peer{})
	}
	s.pass(time.Second)
	s.want("UNCHECKED not_looked_at web-17 32")
}

// TestPartial: who sees a part calls nothing missing.
func TestPartial(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}, Partial: true})
	rng := rand.New(rand.NewPCG(3, 3))
	var altered plog.Logs
	for i := range 200 {
		for _, ld := range h.stamp(20).seal().take() {
			if i < 10 || i > 20 && rng.IntN(3) > 0 {
				s.observe(ld)
				if i == 5 && idOf(ld) != "" {
					altered = clone(ld)
				}
			}
		}
		s.pass(time.Second)
	}
	s.pass(10 * time.Minute)
	for _, e := range s.open {
		require.Equal(t, finding.Unchecked, e.Finding.Code, "%s", s)
	}
	record(altered).Body().SetStr("forged")
	s.observe(altered)
	require.Equal(t, "opened", s.states(finding.Conflict))
}

// TestTenConsumers: the order of seals and records of ten consumers.
func TestTenConsumers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	h, other := newHost(t, "web-17").start(), newHost(t, "web-18").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust, other.Trust}})
	var waiting [10]records
	for range 200 {
		for _, ld := range append(h.stamp(1+rng.IntN(40)).seal().take(), other.stamp(1+rng.IntN(40)).seal().take()...) {
			i := rng.IntN(10)
			waiting[i] = append(waiting[i], ld)
		}
		for i := range waiting {
			n := rng.IntN(len(waiting[i]) + 1)
			s.feed(waiting[i][:n])
			waiting[i] = waiting[i][n:]
		}
		s.pass(time.Second)
	}
	for i := range waiting {
		s.feed(waiting[i])
	}
	s.pass(time.Minute)
	s.want()
	require.Empty(t, s.log)
	require.EqualValues(t, s.w.Stats().Records, s.w.Stats().Verified)
}
