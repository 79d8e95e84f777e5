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
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
)

// Attacks by whoever has a host's keys of today, or has had them: seals that are signed as they must be, and are wrong.

// TestAttackContradictions: authentic seals that no host in order would make.
func TestAttackContradictions(t *testing.T) {
	type made struct {
		s    seal.Seal
		edit func(*seal.Seal)
	}
	beat := func(edit func(*seal.Seal)) func(seal.Seal, *host) []made {
		return func(tip seal.Seal, _ *host) []made { return []made{{tip, edit}} }
	}
	open := func(tip seal.Seal, h *host, nonce byte) seal.Seal {
		s := tip
		s.Kind, s.Name, s.Key, s.Software, s.Interval, s.Heartbeat = seal.KindOpen, "web-17", h.trust.Key, "test/1", time.Second, time.Minute
		s.Nonce = [16]byte{nonce}
		s.Handle = seal.NewHandle(&h.trust.Key, &s.Nonce)
		return s
	}
	for _, c := range []struct {
		name  string
		says  string
		seals func(tip seal.Seal, h *host) []made // tip is a heartbeat of the session
	}{
		{"size", "not that of the blocks so far", beat(func(s *seal.Seal) { s.Size++ })},
		{"root", "not that of the blocks so far", beat(func(s *seal.Seal) { s.Root[0]++ })},
		{"root of a block", "not that of the blocks so far", func(tip seal.Seal, _ *host) []made {
			tip.Kind = seal.KindBlock
			return []made{{cover(tip, seal.Ranges{{First: 20, Last: 20}}, make([]seal.Hash, 1)), func(s *seal.Seal) { s.Root[0]++ }}}
		}},
		{"another session without an open seal", "does not open it", func(tip seal.Seal, h *host) []made {
			other := open(tip, h, 9)
			tip.Nonce, tip.Handle = other.Nonce, other.Handle
			return []made{{tip, nil}}
		}},
		{"a handle that is not the nonce's", "handle does not belong", func(tip seal.Seal, h *host) []made {
			other := open(tip, h, 9)
			other.Handle = "aaaaaaaa"
			return []made{{other, nil}}
		}},
		{"another handle in the session", "not that of the session's other seals", beat(func(s *seal.Seal) { s.Handle = "aaaaaaaa" })},
		{"an open session opened", "has an open seal already", func(tip seal.Seal, h *host) []made {
			other := open(tip, h, 9)
			other.Nonce, other.Handle = tip.Nonce, tip.Handle
			return []made{{other, nil}}
		}},
		{"a session opened twice", "has an open seal already", func(tip seal.Seal, h *host) []made {
			again := open(tip, h, 9)
			again.Nonce, again.Handle = tip.Nonce, tip.Handle
			return []made{{open(tip, h, 9), nil}, {again, nil}}
		}},
		{"a seal after the close", "was closed", func(tip seal.Seal, _ *host) []made {
			end := tip
			end.Kind, end.End = seal.KindClose, 20
			return []made{{end, nil}, {tip, nil}}
		}},
		{"a close that settles less than all", "not every id was settled", func(tip seal.Seal, _ *host) []made {
			tip.Kind, tip.End = seal.KindClose, 21
			return []made{{tip, nil}}
		}},
		{"a close that settles more than all", "not every id was settled", func(tip seal.Seal, _ *host) []made {
			tip.Kind, tip.End = seal.KindClose, 19
			return []made{{tip, nil}}
		}},
		{"an adoption too late", "only the first seals of a session may", func(tip seal.Seal, h *host) []made {
			next := open(tip, h, 9)
			late, adopt := next, next
			late.Kind = seal.KindHeartbeat
			adopt.Kind, adopt.Adopts, adopt.Void = seal.KindAdopt, tip.Handle, seal.Ranges{{First: 30, Last: 30}}
			return []made{{next, nil}, {late, nil}, {adopt, nil}}
		}},
		{"an adoption from a closed session", "a session that was closed", func(tip seal.Seal, h *host) []made {
			end, next := tip, open(tip, h, 9)
			end.Kind, end.End = seal.KindClose, 20
			adopt := next
			adopt.Kind, adopt.Adopts, adopt.Void = seal.KindAdopt, tip.Handle, seal.Ranges{{First: 30, Last: 30}}
			return []made{{end, nil}, {next, nil}, {adopt, nil}}
		}},
		{"an adoption from another session", "not the one before", func(tip seal.Seal, h *host) []made {
			next, after := open(tip, h, 9), open(tip, h, 10)
			adopt := after
			adopt.Kind, adopt.Adopts, adopt.Void = seal.KindAdopt, tip.Handle, seal.Ranges{{First: 30, Last: 30}}
			return []made{{next, nil}, {after, nil}, {adopt, nil}}
		}},
		{"another key for an anchor", "names another key", beat(func(s *seal.Seal) { s.Anchors[1].Key[1]++ })},
		{"a record settled twice", "settled already", func(tip seal.Seal, _ *host) []made {
			tip.Void = seal.Ranges{{First: 19, Last: 19}}
			return []made{{tip, nil}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, "web-17").start().send(20).seal()
			a := h.archive
			tip := *a.note(t, len(a.list)-1).Seal
			tip.Kind, tip.Covered, tip.Groups, tip.Prefixes = seal.KindHeartbeat, nil, nil, nil
			forger := h.thief()
			for _, m := range c.seals(tip, h) {
				a.addNote(t, forger.Seal(m.s, m.edit))
			}
			report := a.verify(t, h.trust)
			require.Equal(t, finding.Tampered, report.Verdict)
			found := expectSome(t, report, finding.BrokenChain)
			require.Contains(t, found[0].Message(), c.says)
			require.EqualValues(t, 20, report.Verified, "what was sealed before stands")
		})
	}
}

// TestAttackAdoptionBeforeItsSession: an adopt seal is read before it is known which session is the one before. What it says is checked when
// that is.
func TestAttackAdoptionBeforeItsSession(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal()
	a := h.archive
	tip := *a.note(t, len(a.list)-1).Seal
	tip.Kind, tip.Covered, tip.Groups, tip.Prefixes = seal.KindHeartbeat, nil, nil, nil
	forger := h.thief()
	begin := func(nonce byte) seal.Seal {
		s := tip
		s.Nonce = [16]byte{nonce}
		s.Handle = seal.NewHandle(&h.trust.Key, &s.Nonce)
		open := s
		open.Kind, open.Name, open.Key, open.Software, open.Interval, open.Heartbeat = seal.KindOpen, "web-17", h.trust.Key, "test/1", time.Second, time.Minute
		a.addNote(t, forger.Seal(open, nil))
		return s
	}
	second := begin(9)
	for forger.Number() < 63 {
		a.addNote(t, forger.Seal(second, nil))
	}
	adopt := begin(10)
	adopt.Kind, adopt.Adopts, adopt.Void = seal.KindAdopt, tip.Handle, seal.Ranges{{First: 30, Last: 30}}
	a.addNote(t, forger.Seal(adopt, nil)) // seal 64, an anchor
	want := verdicts{finding.BrokenChain: 1, finding.OpenEnd: 1}
	expect(t, a.verify(t, h.trust), want)
	last := len(a.list) - 1
	a.list = slices.Insert(slices.Clone(a.list[:last]), 1, a.list[last])
	expect(t, a.verify(t, h.trust), want)
}

// TestAttackCheckpointAfterAGap: with seals missing the checkpoint cannot be computed any more, but it must follow from the one before.
func TestAttackCheckpointAfterAGap(t *testing.T) {
	for name, edit := range map[string]func(*seal.Seal){
		"size": func(s *seal.Seal) { s.Size++ },
		"root": func(s *seal.Seal) { s.Root[0]++ },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "web-17").start()
			for range 70 {
				h.send(1).seal()
			}
			a := h.archive
			tip := *a.note(t, len(a.list)-1).Seal
			tip.Kind, tip.Covered, tip.Groups, tip.Prefixes = seal.KindHeartbeat, nil, nil, nil
			a.addNote(t, h.thief().Seal(tip, edit))
			a.remove(a.sealNumber(t, 50))
			found := expectSome(t, a.verify(t, h.trust), finding.BrokenChain)
			require.Contains(t, found[0].Message(), "checkpoint does not follow")
		})
	}
}

// TestAttackCheckpointAboveAGap: a root that is wrong is found in whatever order the seals are read.
func TestAttackCheckpointAboveAGap(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 66 {
		h.send(1).seal()
	}
	a := h.archive
	tip := *a.note(t, len(a.list)-1).Seal
	wrong := cover(tip, seal.Ranges{{First: 66, Last: 66}}, make([]seal.Hash, 1))
	a.addNote(t, h.thief().Seal(wrong, func(s *seal.Seal) { s.Root[0]++ }))
	want := verdicts{finding.BrokenChain: 1, finding.Missing: 1, finding.OpenEnd: 1}
	expect(t, a.verify(t, h.trust), want)
	i := a.sealNumber(t, 64)
	a.list = append(append(append([]string{}, a.list[0]), a.list[i:]...), a.list[1:i]...)
	report := a.verify(t, h.trust)
	expect(t, report, want)
	require.EqualValues(t, 66, report.Verified, "and what lay above the gap is not late")
}

// TestAttackPastACrash: a session that crashed gave out no more ids than the next session took over, unless the host lost power.
func TestAttackPastACrash(t *testing.T) {
	for _, reboot := range []bool{false, true} {
		h := newHost(t, "web-17").start().send(20).kill()
		if reboot {
			h.now.BootID[0]++
		}
		h.start().send(5).stop()
		a := h.archive
		i := a.record(t, 3)
		id := a.id(t, i)
		past := strings.TrimSuffix(id, "3") + "20"
		a.list = append(a.list, strings.Replace(a.list[i], id+`"`, past+`"`, 1))
		want := verdicts{finding.Inserted: 1}
		if reboot {
			want = verdicts{finding.Unsealed: 1}
		}
		report := a.verify(t, h.trust)
		expect(t, report, want)
		require.EqualValues(t, 25, report.Verified)
	}
}

// TestAttackPastAnIdleCrash: so it is when the next session crashed too, before it did anything: the one after that adopts nothing of the first.
func TestAttackPastAnIdleCrash(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).kill().start().kill()
	a := h.archive
	i := a.record(t, 3)
	id := a.id(t, i)
	a.list = append(a.list, strings.Replace(a.list[i], id+`"`, strings.TrimSuffix(id, "3")+`20"`, 1))
	expect(t, a.verify(t, h.trust), verdicts{finding.Unsealed: 1, finding.OpenEnd: 1})
	h.start().stop()
	expect(t, a.verify(t, h.trust), verdicts{finding.Inserted: 1})
}

// TestLostBeginning: seals are lost with which a closed session began. What they settled is not known, and no contradiction.
func TestLostBeginning(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).stop()
	h.start()
	for range 70 {
		h.send(1).seal()
	}
	h.stop()
	a := h.archive
	for _, n := range []int{4, 3} { // its open seal and its first block
		a.remove(a.sealNumber(t, n))
	}
	expect(t, a.verify(t, h.trust), verdicts{finding.MissingSeal: 2, finding.Unsealed: 1, finding.Late: 59})
}

// TestAttackPrev: a seal that is signed as it must be, but follows another seal than the one that is there, is not the next.
func TestAttackPrev(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal()
	a := h.archive
	tip := *a.note(t, len(a.list)-1).Seal
	tip.Kind, tip.Covered, tip.Groups, tip.Prefixes = seal.KindHeartbeat, nil, nil, nil
	a.addNote(t, h.thief().Seal(tip, func(s *seal.Seal) { s.Prev[0]++ }))
	expect(t, a.verify(t, h.trust), verdicts{finding.BadSeal: 1, finding.OpenEnd: 1})
}

// anchored returns a host with seals to beyond anchor 64, the keys that it had before seal 60, and its archive.
func anchored(t *testing.T) (*host, *forge.Forger) {
	h := newHost(t, "web-17").start()
	for range 59 {
		h.send(1).seal()
	}
	forger := h.thief()
	require.EqualValues(t, 60, forger.Number())
	for range 10 {
		h.send(1).seal()
	}
	return h.stop(), forger
}

// TestAttackBelowAnAnchor: seals are lost before an anchor, and somebody puts others in their place. What the anchor does not name is not
// genuine.
func TestAttackBelowAnAnchor(t *testing.T) {
	h, _ := anchored(t)
	for _, number := range []int{63, 62} {
		a := h.archive.clone()
		i := a.sealNumber(t, number)
		forged := *a.note(t, i).Seal
		forged.Time = forged.Time.Add(1)
		a.remove(i)
		a.addNote(t, newHost(t, "x").thief().Seal(forged, func(s *seal.Seal) { *s = forged }))
		want := verdicts{finding.BadSeal: 1, finding.MissingSeal: 1, finding.Unsealed: 1}
		if number == 62 {
			want[finding.Late] = 1
		}
		expect(t, a.verify(t, h.trust), want)
	}
}

// TestAttackWithAnAnchorKey: whoever took the host before an anchor has the anchor's key and the next seal's, and not the anchor's
// own key. Seals are lost so that the anchor is the next thing to go on from.
func TestAttackWithAnAnchorKey(t *testing.T) {
	forge := func(t *testing.T, change func(note string) string) (*lines, *host) {
		h, forger := anchored(t)
		a := h.archive.clone()
		genuine := *a.note(t, a.sealNumber(t, 64)).Seal
		tip := *a.note(t, a.sealNumber(t, 59)).Seal
		for n := 61; n <= 62; n++ {
			a.remove(a.sealNumber(t, n))
		}
		a.remove(a.sealNumber(t, 64))
		tip.Kind, tip.Covered, tip.Groups, tip.Prefixes = seal.KindHeartbeat, nil, nil, nil
		for forger.Number() < 64 {
			forger.Seal(tip, nil)
		}
		note := forger.Seal(tip, func(s *seal.Seal) {
			s.Prev, s.Size, s.Root = genuine.Prev, genuine.Size, genuine.Root
		})
		a.addNote(t, change(note))
		return a, h
	}
	t.Run("beside the seal before it", func(t *testing.T) {
		a, h := forge(t, func(note string) string { return note })
		// Seal 63 names the key of seal 64, and that has not signed this one. Whoever has the anchor's key could as well have taken seal 63 out,
		// so refusing the anchor would gain nothing; and a verifier that has read the anchor first cannot take it back, only say so.
		for _, after := range []bool{false, true} {
			if after {
				i := a.sealNumber(t, 63)
				a.list = append(a.list, a.list[i])
				a.remove(i)
			}
			report := a.verify(t, h.trust)
			expect(t, report, verdicts{finding.BrokenChain: 1, finding.MissingSeal: 2, finding.Late: 1, finding.BadSeal: 6, finding.Unsealed: 8, finding.OpenEnd: 1})
			require.Contains(t, show(report), "not signed with the key")
			require.EqualValues(t, 60, report.Verified, show(report))
		}
	})
	t.Run("with the anchor's signature alone", func(t *testing.T) {
		a, h := forge(t, func(note string) string {
			text, signatures, _ := strings.Cut(note, "\n\n")
			for line := range strings.Lines(signatures) {
				if strings.Contains(line, "/anchor") {
					return text + "\n\n" + line
				}
			}
			panic("no anchor signature")
		})
		a.remove(a.sealNumber(t, 63))
		report := a.verify(t, h.trust)
		expect(t, report, verdicts{finding.BadSeal: 7, finding.Unsealed: 9, finding.OpenEnd: 1})
		require.EqualValues(t, 60, report.Verified, show(report))
	})
	t.Run("with keys that are nobody's", func(t *testing.T) {
		a, h := forge(t, func(note string) string {
			text, signatures, _ := strings.Cut(note, "\n\n")
			for line := range strings.Lines(signatures) {
				if !strings.Contains(line, "/anchor") {
					return text + "\n\n" + line
				}
			}
			panic("no signature")
		})
		a.remove(a.sealNumber(t, 63))
		expect(t, a.verify(t, h.trust), verdicts{finding.BadSeal: 7, finding.Unsealed: 9, finding.OpenEnd: 1})
	})
	t.Run("which is what they are for", func(t *testing.T) {
		// Whoever has both can go on from an anchor; that is why what lies between a gap and an anchor is late.
		a, h := forge(t, func(note string) string { return note })
		a.remove(a.sealNumber(t, 63))
		expectSome(t, a.verify(t, h.trust), finding.MissingSeal)
		// But not unseen where the genuine anchor is there too.
		a.list = append(a.list, h.archive.list[h.archive.sealNumber(t, 64)])
		expectSome(t, a.verify(t, h.trust), finding.Forked)
	})
}

// TestAttackAnchorUnsigned: an anchor without the anchor's signature is not genuine, though its own key has signed it.
func TestAttackAnchorUnsigned(t *testing.T) {
	h, _ := anchored(t)
	a := h.archive.clone()
	i := a.sealNumber(t, 64)
	cut := strings.Index(a.list[i], `— logseal.v1/`+h.trust.StreamID()+"/anchor")
	require.Positive(t, cut)
	end := cut + strings.Index(a.list[i][cut:], `\n`) + 2
	a.list[i] = a.list[i][:cut] + a.list[i][end:]
	report := a.verify(t, h.trust)
	expectSome(t, report, finding.BadSeal)
	require.EqualValues(t, 63, report.Verified, show(report))
	t.Run("and with the signature of another key", func(t *testing.T) {
		a := h.archive.clone()
		a.replace(t, i, h.trust.StreamID()+"/anchor", h.trust.StreamID()+"/anchor2")
		report := a.verify(t, h.trust)
		require.EqualValues(t, 63, report.Verified, show(report))
	})
}

// TestAttackForkAcrossAGap: two branches of a copied state are spliced at seals that are lost from one of them.
func TestAttackForkAcrossAGap(t *testing.T) {
	h := newHost(t, "web-17").start()
	for range 59 {
		h.send(1).seal()
	}
	restore := h.snapshot()
	session := *h // its clocks too
	h.start()
	for range 9 {
		h.send(1).seal()
	}
	split := len(h.archive.list)
	restore()
	h.now = session.now
	h.start()
	for range 9 {
		h.send(1).seal()
	}
	a := &lines{}
	for i, line := range h.archive.list {
		number := -1
		if h.archive.isSeal(i) {
			number = int(h.archive.note(t, i).Seal.Number)
		}
		switch {
		case i < split && number > 61, i >= split && number >= 0 && number < 62:
		default:
			a.list = append(a.list, line)
		}
	}
	for seed := range 2 {
		if seed > 0 {
			slices.Reverse(a.list)
		}
		report := a.verify(t, h.trust)
		require.Equal(t, finding.Tampered, report.Verdict, fmt.Sprint(seed))
		expectSome(t, report, finding.Forked)
	}
}
