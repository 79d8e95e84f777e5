// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// Attacks on the chain of seals: forward security, truncation, downgrade. Everything here is done to archives of a host that was in
// order, by somebody who owns the storage, and where it is said, the host too.

type verdicts = map[finding.Code]int

// TestAttackResealTheOldWithTodaysKey: whoever takes the host after a record was sealed changes the record and seals the new one
// under the keys that are on the host now.
func TestAttackResealTheOldWithTodaysKey(t *testing.T) {
	h := newHost(t, "web-17").start().send(32).seal().send(32).seal()
	a := h.archive
	victim := a.record(t, 5)
	id := a.id(t, victim)
	handle, _, _ := strings.Cut(id, "-")
	tip := a.note(t, len(a.list)-1).Seal
	forger := h.thief()
	a.replace(t, victim, "line 5 of", "nothing of")
	old := a.note(t, a.sealNumber(t, 1)).Seal
	var leaves []seal.Hash
	for n := range 32 {
		if n == 5 {
			leaves = append(leaves, a.leaf(t, victim))
		} else {
			leaves = append(leaves, a.leaf(t, a.record(t, n)))
		}
	}
	forged := *tip
	forged.Void, forged.Kind = nil, seal.KindBlock
	forged = cover(forged, old.Covered, leaves)

	t.Run("as a further seal", func(t *testing.T) {
		b := a.clone()
		b.addNote(t, forger.Seal(forged, nil))
		report := b.verify(t, h.trust)
		found := expect(t, report, verdicts{finding.Altered: 1, finding.Unresolved: 15, finding.BrokenChain: 1, finding.OpenEnd: 1})
		require.Equal(t, id, found[finding.Altered][0].ID)
		require.Equal(t, victim+1, found[finding.Altered][0].Place.Line)
		require.True(t, strings.HasPrefix(found[finding.Unresolved][0].ID, handle))
	})
	t.Run("in the place of the old seal", func(t *testing.T) {
		b := a.clone()
		forger := h.thief()
		i := b.sealNumber(t, 1)
		b.remove(i)
		b.addNote(t, forger.Seal(forged, func(s *seal.Seal) {
			s.Number, s.Prev, s.Size, s.Root = old.Number, old.Prev, old.Size, old.Root
			s.Anchors = old.Anchors
		}))
		expect(t, b.verify(t, h.trust), verdicts{finding.BadSeal: 2, finding.Unsealed: 64, finding.OpenEnd: 1})
	})
}

// TestAttackDropSealedBlocks: the thief drops what was sealed since a moment and goes on from there with the keys of today.
func TestAttackDropSealedBlocks(t *testing.T) {
	h := newHost(t, "web-17").start().send(16).seal()
	mark := len(h.archive.list)
	h.send(16).seal().send(16).seal()
	cut := len(h.archive.list)
	h.send(16).seal().stop()

	t.Run("and let the host go on", func(t *testing.T) {
		a := h.archive.clone()
		a.list = slices.Delete(a.list, mark, cut)
		// Seals 2 and 3 are gone, and with them the way to authenticate what follows.
		expect(t, a.verify(t, h.trust), verdicts{finding.BadSeal: 2, finding.Unsealed: 16, finding.OpenEnd: 1})
	})
	t.Run("and sign seals in the place of those", func(t *testing.T) {
		h := newHost(t, "web-17").start().send(16).seal()
		a := h.archive
		kept := a.note(t, a.sealNumber(t, 1))
		mark := len(a.list)
		h.send(16).seal()
		a.list = a.list[:mark]
		h.send(16)
		forger := h.thief() // seal 2 was made, so its key is gone
		next := *kept.Seal
		next.Kind, next.Covered, next.Void = seal.KindBlock, nil, nil
		ids := []seal.Hash{}
		for n := 32; n < 48; n++ {
			ids = append(ids, a.leaf(t, a.record(t, n)))
		}
		next = cover(next, seal.Ranges{{First: 32, Last: 47}}, ids)
		a.addNote(t, forger.Seal(next, func(s *seal.Seal) {
			s.Number, s.Prev, s.Size = 2, kept.TextHash(), kept.Seal.Size+1
			s.Anchors = kept.Seal.Anchors
		}))
		expect(t, a.verify(t, h.trust), verdicts{finding.BadSeal: 1, finding.Unsealed: 16, finding.OpenEnd: 1})
	})
}

// TestAttackDropOneSeal: a seal is taken out, and its records.
func TestAttackDropOneSeal(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 140 {
		h.send(3).seal()
	}
	h.stop()
	t.Run("with its records", func(t *testing.T) {
		a := h.archive.clone()
		i := a.sealNumber(t, 50)
		a.list = slices.Delete(a.list, i-3, i+1)
		report := a.verify(t, h.trust)
		found := expect(t, report, verdicts{finding.MissingSeal: 1, finding.Late: 39}) // seals 51 to 63, three records each
		require.Contains(t, found[finding.MissingSeal][0].Message(), "seal 50:")
		require.EqualValues(t, 420-3-39, report.Verified)
	})
	t.Run("alone", func(t *testing.T) {
		a := h.archive.clone()
		a.remove(a.sealNumber(t, 50))
		expect(t, a.verify(t, h.trust), verdicts{finding.MissingSeal: 1, finding.Late: 39, finding.Unsealed: 3})
	})
	t.Run("that is an anchor", func(t *testing.T) {
		a := h.archive.clone()
		a.remove(a.sealNumber(t, 64))
		expect(t, a.verify(t, h.trust), verdicts{finding.MissingSeal: 1, finding.Late: 3 * 63, finding.Unsealed: 3})
	})
	t.Run("and its number given to the next", func(t *testing.T) {
		a := h.archive.clone()
		i := a.sealNumber(t, 50)
		a.list = slices.Delete(a.list, i-3, i+1)
		a.replace(t, a.sealNumber(t, 51), `\nseal 51\n`, `\nseal 50\n`)
		// The records of seal 51 have no seal then, and it is another seal that is missing.
		expect(t, a.verify(t, h.trust), verdicts{finding.MissingSeal: 2, finding.BadSeal: 1, finding.Unsealed: 3, finding.Late: 36})
	})
	t.Run("of all but the first and the last", func(t *testing.T) {
		a := h.archive.clone()
		for n := 1; n <= 140; n++ {
			a.remove(a.sealNumber(t, n))
		}
		report := a.verify(t, h.trust)
		require.Equal(t, finding.Tampered, report.Verdict)
		require.Zero(t, report.Verified)
		expect(t, report, verdicts{finding.BadSeal: 1, finding.Unsealed: 420, finding.OpenEnd: 1})
	})
}

// TestAttackLoseRowsOfSeals: one seal, and then 63 in a row.
func TestAttackLoseRowsOfSeals(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 300 {
		h.send(1).seal()
	}
	h.stop()
	for _, lost := range [][2]int{{10, 10}, {100, 162}, {65, 127}, {64, 126}, {1, 127}, {63, 64}, {60, 127}} {
		t.Run(fmt.Sprintf("%d to %d", lost[0], lost[1]), func(t *testing.T) {
			a := h.archive.clone()
			for n := lost[0]; n <= lost[1]; n++ {
				a.remove(a.sealNumber(t, n))
			}
			report := a.verify(t, h.trust)
			anchor := (lost[1]/64 + 1) * 64
			count := lost[1] - lost[0] + 1
			want := verdicts{finding.MissingSeal: count, finding.Unsealed: count}
			if late := anchor - lost[1] - 1; late > 0 {
				want[finding.Late] = late
			}
			expect(t, report, want)
			require.EqualValues(t, 300-count-want[finding.Late], report.Verified)
		})
	}
	t.Run("both anchors that are known", func(t *testing.T) {
		a := h.archive.clone()
		for n := 60; n <= 128; n++ {
			a.remove(a.sealNumber(t, n))
		}
		report := a.verify(t, h.trust)
		require.Equal(t, finding.Tampered, report.Verdict)
		require.EqualValues(t, 59, report.Verified)
		expectSome(t, report, finding.BadSeal)
	})
}

// TestAttackWrongKey: nothing verifies with a key that is not the stream's.
func TestAttackWrongKey(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().stop()
	other := newHost(t, "web-17")
	expect(t, h.archive.verify(t, other.trust), verdicts{finding.UnknownStream: 3, finding.Orphan: 20, finding.Absent: 2})

	// Not even when the seals claim to be of the stream whose key it is.
	a := h.archive.clone()
	for i := range a.list {
		a.list[i] = strings.ReplaceAll(a.list[i], h.trust.StreamID(), other.trust.StreamID())
	}
	expect(t, a.verify(t, other.trust), verdicts{finding.BadSeal: 3, finding.Orphan: 20, finding.Absent: 2})
}

// TestAttackClockSteps is no attack: clocks step, and machines are suspended.
func TestAttackClockSteps(t *testing.T) {
	h := newHost(t, "web-17").start().send(5).seal()
	for _, step := range []time.Duration{time.Hour, -time.Hour, -24 * time.Hour, 48 * time.Hour} {
		h.now.Time = h.now.Time.Add(step)
		h.send(5).seal()
	}
	h.now.Uptime += 12 * time.Hour // suspended
	h.seal().send(5).seal().stop()
	report := h.archive.verify(t, h.trust)
	require.Equal(t, finding.OK, report.Verdict, show(report))
}

// TestAttackCutTheTail: what comes last is taken away. No signature can show that, so such an archive is never "ok": it is incomplete, and
// complete as of its last seal; with a time up to which it must be complete, it is a finding.
func TestAttackCutTheTail(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().send(20).seal().send(20).stop()
	whole := h.archive
	end := whole.note(t, len(whole.list)-1).Seal.Time
	require.Equal(t, finding.OK, whole.verify(t, h.trust).Verdict)
	require.Equal(t, finding.OK, whole.verifyUntil(t, end, h.trust).Verdict)
	for n := len(whole.list) - 1; n > 0; n-- {
		a := &lines{list: whole.list[:n]}
		report := a.verify(t, h.trust)
		require.NotEqual(t, finding.OK, report.Verdict, "the first %d lines", n)
		require.True(t, report.Streams[0].CompleteAsOf.Before(end.Add(1)))
	}
	// Cut right after a seal, so that every record that is left verifies.
	cut := whole.sealNumber(t, 2) + 1
	a := &lines{list: whole.list[:cut]}
	expect(t, a.verify(t, h.trust), verdicts{finding.OpenEnd: 1})
	at := a.note(t, cut-1).Seal.Time
	require.Equal(t, at, a.verify(t, h.trust).Streams[0].CompleteAsOf)
	require.Equal(t, finding.OK, a.verifyUntil(t, at, h.trust).Verdict)
	expect(t, a.verifyUntil(t, at.Add(1), h.trust), verdicts{finding.Silent: 1})

	// Everything after a clean close: the archive is whole as of then, and no further.
	closed := whole.clone()
	h.start().send(10).seal().stop()
	require.Equal(t, finding.OK, closed.verify(t, h.trust).Verdict)
	expect(t, closed.verifyUntil(t, h.now.Time, h.trust), verdicts{finding.Silent: 1})
}

// TestAttackRollBackState: a snapshot of the host's whole state is restored, or a copy of it is started on a second host.
func TestAttackRollBackState(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal()
	restore := h.snapshot()
	h.send(20).seal().send(20).stop()
	restore()
	h.start().send(10).seal().stop()
	report := h.archive.verify(t, h.trust)
	require.Equal(t, finding.Tampered, report.Verdict)
	require.NotEmpty(t, expectSome(t, report, finding.Forked))

	t.Run("each branch alone is in order, both together are evidence", func(t *testing.T) {
		h := newHost(t, "web-17").start().send(20).seal()
		common := len(h.archive.list)
		restore := h.snapshot()
		h.send(20).seal().stop()
		split := len(h.archive.list)
		restore()
		h.start().stop()
		one := &lines{list: h.archive.list[:split]}
		two := &lines{list: append(slices.Clone(h.archive.list[:common]), h.archive.list[split:]...)}
		require.Equal(t, finding.OK, one.verify(t, h.trust).Verdict)
		require.Equal(t, finding.OK, two.verify(t, h.trust).Verdict)
		expectSome(t, h.archive.verify(t, h.trust), finding.Forked)
		reversed := h.archive.clone()
		slices.Reverse(reversed.list)
		expectSome(t, reversed.verify(t, h.trust), finding.Forked)
	})
	t.Run("two tips alone", func(t *testing.T) {
		h := newHost(t, "web-17").start().send(20).seal()
		restore := h.snapshot()
		h.send(20).seal()
		split := len(h.archive.list)
		restore()
		h.start()
		require.Greater(t, len(h.archive.list), split)
		h.archive.list = append(h.archive.list, h.archive.list...) // copies are no further forks
		expect(t, h.archive.verify(t, h.trust), verdicts{finding.Forked: 1, finding.OpenEnd: 1})
	})
}

func expectSome(t *testing.T, report *verifier.Report, verdict finding.Code) []finding.Finding {
	t.Helper()
	var found []finding.Finding
	for _, f := range report.Findings {
		if f.Code == verdict {
			found = append(found, f)
		}
	}
	require.NotEmpty(t, found, show(report))
	return found
}

// TestAttackClaimedCrash: the thief deletes records that were sealed, and lets a new session claim that they were only on their
// way when the host crashed, so that their absence would mean nothing.
func TestAttackClaimedCrash(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal()
	a := h.archive
	tip := a.note(t, len(a.list)-1).Seal
	forger := h.thief()
	handle := tip.Handle
	for n := 5; n < 10; n++ {
		a.remove(a.record(t, n))
	}
	open := seal.Seal{
		StreamID: tip.StreamID, Kind: seal.KindOpen, Nonce: [16]byte{7}, Time: tip.Time, Uptime: tip.Uptime, BootID: tip.BootID,
		Name: "web-17", Key: h.trust.Key, Software: "test/1", Interval: time.Second, Heartbeat: time.Minute,
	}
	open.Handle = seal.NewHandle(&h.trust.Key, &open.Nonce)
	a.addNote(t, forger.Seal(open, nil))
	adopt := open
	adopt.Kind, adopt.Adopts, adopt.Doubt = seal.KindAdopt, handle, true
	adopt.Covered = seal.Ranges{{First: 5, Last: 9}}
	adopt.Groups = make([]seal.Hash, 5)
	a.addNote(t, forger.Seal(adopt, nil))
	beat := open
	beat.Kind = seal.KindHeartbeat
	a.addNote(t, forger.Seal(beat, nil))
	expect(t, a.verify(t, h.trust), verdicts{finding.Missing: 5, finding.Unresolved: 11, finding.BrokenChain: 1, finding.OpenEnd: 1})

	t.Run("as void", func(t *testing.T) {
		h := newHost(t, "web-17").start().send(20).seal()
		a := h.archive
		forger := h.thief()
		for n := 5; n < 10; n++ {
			a.remove(a.record(t, n))
		}
		beat := *a.note(t, len(a.list)-1).Seal
		beat.Kind, beat.Covered, beat.Groups, beat.Prefixes = seal.KindHeartbeat, nil, nil, nil
		beat.Void = seal.Ranges{{First: 5, Last: 9}}
		a.addNote(t, forger.Seal(beat, nil))
		expect(t, a.verify(t, h.trust), verdicts{finding.Missing: 5, finding.Unresolved: 11, finding.BrokenChain: 1, finding.OpenEnd: 1})
	})
	t.Run("of a session further back", func(t *testing.T) {
		h := newHost(t, "web-17").start().send(20).kill()
		h.start().seal().kill()
		h.start()
		a := h.archive
		first := a.note(t, a.sealNumber(t, 0)).Seal
		forger := h.thief()
		adopt := *a.note(t, len(a.list)-1).Seal
		adopt.Kind, adopt.Adopts, adopt.Doubt = seal.KindAdopt, first.Handle, true
		adopt.Covered, adopt.Groups = seal.Ranges{{First: 500, Last: 500}}, make([]seal.Hash, 1)
		a.addNote(t, forger.Seal(adopt, nil))
		expectSome(t, a.verify(t, h.trust), finding.BrokenChain)
	})
}

// TestAttackWithEverythingOfTheHost: the keys that a host has at a time sign nothing below its next seal. Every seal below it is forged
// with every key that the host has then.
func TestAttackWithEverythingOfTheHost(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 6 {
		h.send(4).seal()
	}
	h.stop()
	whole := h.archive
	tip := whole.note(t, len(whole.list)-1).Seal.Number
	for n := range tip {
		a := whole.clone()
		i := a.sealNumber(t, int(n))
		old := a.note(t, i)
		forged := *old.Seal
		forged.Time = forged.Time.Add(1)
		a.remove(i)
		forger := h.thief()
		a.addNote(t, forger.Seal(forged, func(s *seal.Seal) {
			number := s.Number
			*s = forged
			require.Less(t, s.Number, number)
		}))
		report := a.verify(t, h.trust)
		require.Equal(t, finding.Tampered, report.Verdict)
		expectSome(t, report, finding.BadSeal)
		require.EqualValues(t, 4*max(int(n)-1, 0), report.Verified, "seal %d: %s", n, show(report))
	}
}

// TestAttackRewriteBelowAnAnchor: whoever takes the host has the key of the next anchor, which lay there all the time, and none of those of
// the seals before it. With it a chain of new seals is put between any of these and the anchor, and records are dropped. That must
// show in whatever order the archive is read.
func TestAttackRewriteBelowAnAnchor(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 63 {
		h.send(1).seal()
	}
	for _, kept := range []int{0, 1, 40, 61, 62} {
		t.Run(fmt.Sprintf("behind seal %d", kept), func(t *testing.T) {
			forger := h.thief()
			a := &lines{list: slices.Clone(h.archive.list[:h.archive.sealNumber(t, kept)+1])}
			last := a.note(t, a.sealNumber(t, kept))
			forger.Rewind(last)
			base := *last.Seal
			base.Kind, base.Covered, base.Void, base.Groups, base.Prefixes = seal.KindHeartbeat, nil, nil, nil, nil
			forge := func() {
				a.addNote(t, forger.Seal(base, func(s *seal.Seal) { s.Size, s.Root = last.Seal.Size, last.Seal.Root }))
			}
			for forger.Number() < 70 {
				forge()
			}
			base.Kind, base.End = seal.KindClose, uint64(kept)
			forge()
			for seed := range orders() {
				b := a.shuffled(seed)
				report := b.verify(t, h.trust)
				expect(t, report, verdicts{finding.BrokenChain: 1})
				require.EqualValues(t, kept, report.Verified, show(report))
			}
			t.Run("with genuine seals beside them", func(t *testing.T) {
				for more := kept + 1; more <= min(kept+3, 63); more++ {
					for seed := range orders() {
						b := a.clone()
						b.list = append(b.list, h.archive.list[h.archive.sealNumber(t, kept)+1:h.archive.sealNumber(t, more)+1]...)
						report := b.shuffled(seed+1).verify(t, h.trust)
						require.Equal(t, finding.Tampered, report.Verdict, show(report))
						require.GreaterOrEqual(t, report.Verified, uint64(kept), show(report))
						require.LessOrEqual(t, report.Verified, uint64(more), show(report))
					}
				}
			})
		})
	}
}

// TestAttackDeleteStreams: a whole stream, or the start of one.
func TestAttackDeleteStreams(t *testing.T) {
	a := &lines{}
	one := newHostInto(t, "web-17", a).start().send(20).seal().stop()
	split := len(a.list)
	two := newHostInto(t, "db-3", a).start().send(20).seal().stop()
	require.Equal(t, finding.OK, a.verify(t, one.trust, two.trust).Verdict)

	cut := &lines{list: a.list[:split]}
	found := expect(t, cut.verify(t, one.trust, two.trust), verdicts{finding.Absent: 1})
	require.Equal(t, "db-3", found[finding.Absent][0].Stream)
	optional := two.trust
	optional.Optional = true
	require.Equal(t, finding.OK, cut.verify(t, one.trust, optional).Verdict)
	last := &lines{list: append(slices.Clone(cut.list), a.list[len(a.list)-1])} // anybody could have made that: it makes no stream present
	expect(t, last.verify(t, one.trust, optional), verdicts{finding.BadSeal: 1})

	start := &lines{list: a.list[1:split]} // without seal 0
	expect(t, start.verify(t, one.trust), verdicts{finding.BadSeal: 2, finding.Orphan: 20, finding.Absent: 2})
	start = &lines{list: a.list[split-1 : split]} // the close seal alone
	expect(t, start.verify(t, one.trust), verdicts{finding.BadSeal: 1, finding.Absent: 2})
}

// TestAttackReEnrolledHost: key and state are deleted, and the host starts anew: a new stream, unknown until somebody trusts it.
func TestAttackReEnrolledHost(t *testing.T) {
	a := &lines{}
	old := newHostInto(t, "web-17", a).start().send(20).seal().kill()
	renewed := newHostInto(t, "web-17", a).start().send(20).seal().stop()
	report := a.verify(t, old.trust)
	expect(t, report, verdicts{finding.UnknownStream: 3, finding.Orphan: 20, finding.OpenEnd: 1})
	require.Equal(t, finding.Tampered, report.Verdict)
	again := renewed.trust
	again.Name = "web-17-new"
	expect(t, a.verify(t, old.trust, again), verdicts{finding.OpenEnd: 1})

	// Under one name the two are told apart by their ids, and what is said of one is not held against the other.
	report = a.verify(t, old.trust, renewed.trust)
	expect(t, report, verdicts{finding.OpenEnd: 1})
	require.Len(t, report.Streams, 2)
	for _, s := range report.Streams {
		require.Equal(t, "web-17 ("+s.StreamID+")", s.Name)
		require.Equal(t, s.StreamID == renewed.trust.StreamID(), s.Verdict == finding.OK)
	}
}

// TestAttackStripEverything: nothing is ever right without an authentic seal of a trusted stream.
func TestAttackStripEverything(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().stop()
	optional := h.trust
	optional.Optional = true

	t.Run("every stamp and seal", func(t *testing.T) {
		a := &lines{}
		for i, line := range h.archive.list {
			if !h.archive.isSeal(i) {
				id := h.archive.id(t, i)
				a.list = append(a.list, strings.Replace(line, `,{"key":"logseal.id","value":{"stringValue":"`+id+`"}}`, "", 1))
			}
		}
		require.NotContains(t, strings.Join(a.list, ""), "logseal.id")
		expect(t, a.verify(t, h.trust), verdicts{finding.Unstamped: 20, finding.Absent: 2})
		expect(t, a.verify(t, optional), verdicts{finding.Unstamped: 20, finding.Absent: 1})
	})
	t.Run("every seal", func(t *testing.T) {
		a := &lines{}
		for i, line := range h.archive.list {
			if !h.archive.isSeal(i) {
				a.list = append(a.list, line)
			}
		}
		expect(t, a.verify(t, h.trust), verdicts{finding.Orphan: 20, finding.Absent: 2})
	})
	t.Run("everything", func(t *testing.T) {
		for _, trust := range []seal.Trust{h.trust, optional} {
			report := (&lines{}).verify(t, trust)
			require.Equal(t, finding.Tampered, report.Verdict)
		}
	})
}

// TestAttackEditSeals: version, kind, numbers, ranges: whatever is edited in the text of a seal, it is not a seal any more.
func TestAttackEditSeals(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal().send(20).seal().stop()
	for _, edit := range []struct {
		name, old, new string
		want           finding.Code
	}{
		{"version", "logseal.v1/", "logseal.v2/", finding.Unsupported},
		{"kind", `\nkind block\n`, `\nkind heartbeat\n`, finding.BadSeal},
		{"number", `\nseal 2\n`, `\nseal 7\n`, finding.BadSeal},
		{"huge number", `\nseal 2\n`, `\nseal 999999999999999999\n`, finding.BadSeal},
		{"range", `\nblock 20-39\n`, `\nblock 20-38\n`, finding.BadSeal},
		{"time", `\ntime 2026`, `\ntime 2027`, finding.BadSeal},
		{"a field that nobody knows", `\nkind block\n`, `\nkind block\nnote x\n`, finding.BadSeal},
	} {
		t.Run(edit.name, func(t *testing.T) {
			a := h.archive.clone()
			a.replace(t, a.sealNumber(t, 2), edit.old, edit.new)
			report := a.verify(t, h.trust)
			require.Equal(t, finding.Tampered, report.Verdict)
			expectSome(t, report, edit.want)
			require.EqualValues(t, 20, report.Verified)
		})
	}
}

// TestFirstUse: without a trust file the archive's own keys are taken. It shows whether the archive is consistent, and names streams by
// their ids, since nobody vouches for their names.
func TestFirstUse(t *testing.T) {
	a := &lines{}
	one := newHostInto(t, "web-17", a).start().send(20).seal().stop()
	two := newHostInto(t, "web-17", a).start().send(20).seal().stop()
	firstUse := func(a *lines) *verifier.Report {
		path := a.write(t)
		report, err := archive.Verify(t.Context(), []string{path}, verifier.NewFirstUse(), time.Time{}, archive.Options{})
		require.NoError(t, err)
		return report
	}
	report := firstUse(a)
	require.Equal(t, finding.OK, report.Verdict, show(report))
	require.EqualValues(t, 40, report.Verified)
	require.Len(t, report.Streams, 2)
	names := report.Streams[0].Name + report.Streams[1].Name
	require.Contains(t, names, one.trust.StreamID())
	require.Contains(t, names, two.trust.StreamID())

	reversed := a.clone()
	slices.Reverse(reversed.list)
	require.Equal(t, finding.OK, firstUse(reversed).Verdict)

	altered := a.clone()
	altered.replace(t, 3, "line", "lime")
	require.Equal(t, finding.Tampered, firstUse(altered).Verdict)

	headless := &lines{list: a.list[1:]}
	require.Equal(t, finding.Tampered, firstUse(headless).Verdict)
	require.Equal(t, finding.Tampered, firstUse(&lines{}).Verdict)
}
