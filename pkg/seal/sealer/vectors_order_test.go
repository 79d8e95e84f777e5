// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
)

// cover1 adds a record with a seq, and the block seal over it.
func (f *vectorForger) cover1(seq uint64) {
	i := f.v.again(2, fmt.Sprint(seq))
	f.add(f.block(seal.Ranges{{First: seq, Last: seq}}, i), nil)
}

// beat makes heartbeats up to the seal with a number.
func (f *vectorForger) beat(until uint64) {
	for f.Number() <= until {
		f.add(f.tip, nil)
	}
}

// lose drops the seals from first to last.
func (v *vectorStream) lose(first, last int) {
	for n := first; n <= last; n++ {
		v.drop(v.sealLine(n))
	}
}

// note is a seal that was sent.
func (v *vectorStream) note(number int) *seal.Note {
	note, err := seal.ParseNote(v.body(number))
	require.NoError(v.t, err)
	return note
}

// order are archives in which it makes a difference what is looked at first, unless that is as section 8.1 says.
func (s *vectorSet) order() {
	v, f := takenStream(s.t)
	f.beat(63)
	f.Chain.Key = f.newKey()
	f.cover1(3)
	s.add("forward-anchor-foreign-key.jsonl", "the last seal is an anchor, in order and signed with the anchor's key, but with another key of its own than the seal before names", v, tampered, 4, 3,
		verdicts{"BAD_SEAL": 1, "UNSEALED": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	f.beat(62)
	f.cover1(3)
	f.beat(64)
	f.cover1(4)
	f.beat(127)
	f.cover1(5)
	i := v.sealLine(64)
	whole := v.lines[i]
	v.cut(64, "")
	without := v.lines[i]
	v.lines[i] = whole
	v.cut(64, seal.AnchorSuffix)
	v.lines = append(v.lines, without)
	v.lose(2, 61)
	s.add("gap-copies-anchor.jsonl", "of an anchor one copy bears its own signature and another the anchor's: the next one leads down to it, and it vouches for what is below", v, tampered, 6, 5,
		verdicts{"MISSING_SEAL": 60, "LATE": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	f.beat(127)
	other := f.newKey()
	f.add(f.tip, func(s *seal.Seal) { s.Anchors[0].Key = seal.Ed25519Anchor(&other.Public) })
	f.cover1(3)
	f.skip(192)
	f.cover1(4)
	v.lose(2, 64)
	s.add("gap-named-below.jsonl", "the anchor behind a gap names another key for the next one than the seals that it leads down to: theirs counts", v, tampered, 5, 5,
		verdicts{"MISSING_SEAL": 63 + 62, "BROKEN_CHAIN": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	f.beat(63)
	rival := f.Chain.Clone()
	f.cover1(3)
	genuine := v.note(64)
	v.lose(2, 61)
	for { // one that comes first in every other order
		f.Chain = rival.Clone()
		f.Chain.Key = f.newKey()
		f.tip.Time = f.tip.Time.Add(time.Second)
		body := f.Seal(f.tip, nil)
		note, err := seal.ParseNote(body)
		require.NoError(s.t, err)
		if sum, other := note.TextHash(), genuine.TextHash(); bytes.Compare(sum[:], other[:]) < 0 {
			v.addNote(body, f.tip.Time)
			break
		}
	}
	slices.Reverse(v.lines)
	s.add("gap-two-anchors.jsonl", "two seals bear the signature of the anchor behind a gap, and one of them that of the key, too, which the seal before it names", v, tampered, 4, 4,
		verdicts{"MISSING_SEAL": 60, "BAD_SEAL": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	closed := f.tip
	closed.Kind, closed.End = seal.KindClose, 3
	f.add(closed, nil)
	f.cover1(3)
	closed.End = 4
	f.add(closed, nil)
	s.add("broken-close-block.jsonl", "a block seal behind a close seal, and a close seal: what comes later is not held against the first one", v, tampered, 4, 4, verdicts{"BROKEN_CHAIN": 1})

	renamed := newVectorStream(s.t, "quantum-renamed")
	renamed.postQuantum = true
	renamed.begin()
	renamed.log(3, true, true, true)
	renamed.tock()
	f = renamed.thief()
	f.beat(126)
	f.Chain.LoseMLDSA(f.Random)
	f.Chain.Rename()
	f.beat(257)
	a := s.add("quantum-renamed.jsonl", "from seal 127 on all anchors are named anew: they are not signed with the keys that are first named, but for 256, and no seal that the proof is post-quantum for names that", renamed,
		tampered, 3, 3, verdicts{"BROKEN_CHAIN": 131, "NOT_POST_QUANTUM": 1, "OPEN_END": 1})
	a.Quantum, a.PostQuantum = true, new(int)
	*a.PostQuantum = 64
}

// fromAdopt is an archive that is verified from an adopt seal on.
func (s *vectorSet) fromAdopt() {
	v := newVectorStream(s.t, "restart").begin()
	v.log(3, true, true, true)
	v.tock()
	v.log(18, true, true, true)
	v.log(2, false, true, false)
	v.log(4, true, false, false)
	v.log(2, false, false, false)
	v.begin()
	v.log(3, true, true, true)
	v.end()
	require.Equal(s.t, seal.KindAdopt, v.note(3).Seal.Kind)
	require.Equal(s.t, seal.KindAdopt, v.note(4).Seal.Kind)
	a := s.add("from-adopt.jsonl", "verified from an adopt seal on: what that adopts, and what was settled earlier of that session, is from before, and what the next adopt seal adopts is verified", v, incomplete, 28, 7,
		verdicts{"BEFORE": 4 + 3 + 18, "DOUBT": 2})
	a.From = v.body(3)
}
