// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// keep drops all seals but those of the given numbers, and all records but those of the given texts.
func (v *vectorStream) keep(seals, records []int) *vectorStream {
	var lines []string
	for _, n := range seals {
		lines = append(lines, v.lines[v.sealLine(n)])
	}
	for _, n := range records {
		lines = append(lines, v.lines[v.record(n)])
	}
	v.lines = lines
	return v
}

// spoil changes the last signature with a suffix to the origin that a seal bears: "" for that of its own key.
func (v *vectorStream) spoil(number int, suffix string) {
	i := v.sealLine(number)
	_, rest, found := strings.Cut(v.lines[i], "— "+v.origin()+suffix+" ")
	require.True(v.t, found)
	signature, _, _ := strings.Cut(rest, `\n`)
	last := signature[:len(signature)-8] + "AAAA" + signature[len(signature)-4:]
	v.replace(i, signature, last)
}

// origin is the name under which seals of the stream are signed.
func (v *vectorStream) origin() string { return "logseal.v1/" + v.Trust().StreamID() }

// gaps are streams of which seals are lost, up to an anchor and beyond.
func (s *vectorSet) gaps() {
	v := longStream(s.t).keep([]int{0, 64, 65, 66}, []int{0, 62, 63, 64, 65})
	s.add("gap-anchor.jsonl", "63 seals are gone, and the chain goes on from the anchor behind them", v, tampered, 5, 3, verdicts{"MISSING_SEAL": 63, "UNSEALED": 2, "OPEN_END": 1})

	late := func() *vectorStream { return longStream(s.t).keep([]int{0, 62, 63, 64, 65}, []int{0, 61, 62, 63, 64}) }
	s.add("gap-late.jsonl", "61 seals are gone; what is left before the anchor is late", late(), tampered, 5, 2, verdicts{"MISSING_SEAL": 61, "LATE": 2, "UNSEALED": 1, "OPEN_END": 1})

	want := verdicts{"MISSING_SEAL": 61, "LATE": 2, "UNSEALED": 1, "OPEN_END": 1, "BROKEN_CHAIN": 1}
	v = late()
	v.spoil(63, "")
	s.add("gap-late-signature.jsonl", "the same, and seal 63 is not signed with the key that seal 62 names", v, tampered, 5, 2, want)
	v = late()
	v.spoil(64, "")
	s.add("gap-anchor-signature.jsonl", "the same of the anchor: the chain goes on from it all the same", v, tampered, 5, 2, want)
	slices.Reverse(v.lines)
	s.add("gap-anchor-signature-reversed.jsonl", "the same in reverse order", v, tampered, 5, 2, want)
	i := v.sealLine(62)
	v.lines = append(v.lines, v.lines[i], v.lines[v.sealLine(63)])
	v.drop(i)
	v.drop(v.sealLine(63))
	s.add("gap-anchor-signature-first.jsonl", "the same, with the seals below the anchor at the end", v, tampered, 5, 2, want)

	// An anchor without its own signature line is no place to go on from; the next one is.
	v = longStream(s.t).keep([]int{0, 64, 65, 128, 129}, []int{63, 64, 127, 128})
	i = v.sealLine(64)
	origin := "— " + v.origin() + " "
	_, rest, _ := strings.Cut(v.lines[i], origin)
	signature, _, _ := strings.Cut(rest, `\n`)
	v.replace(i, origin+signature+`\n`, "")
	s.add("gap-anchor-unsigned.jsonl", "an anchor after a gap bears no signature of its own: the chain goes on from the next", v, tampered, 4, 2, verdicts{"MISSING_SEAL": 127, "BAD_SEAL": 2, "UNSEALED": 2, "OPEN_END": 1})
	signed := longStream(s.t).keep([]int{0, 64, 65, 128, 129}, []int{63, 64, 127, 128}).cut(64, seal.AnchorSuffix)
	v.lines = append(v.lines, signed.lines[signed.sealLine(64)])
	s.add("gap-anchor-copies.jsonl", "the same, and a copy of the anchor has that signature and lacks the anchor's", v, tampered, 4, 2, verdicts{"MISSING_SEAL": 127, "BAD_SEAL": 3, "UNSEALED": 2, "OPEN_END": 1})

	v = longStream(s.t).keep([]int{0, 64, 65}, []int{63})
	v.spoil(64, seal.AnchorSuffix)
	s.add("gap-open.jsonl", "an anchor after a gap whose anchor signature does not hold, and nothing behind it", v, tampered, 1, 0, verdicts{"BAD_SEAL": 2, "UNSEALED": 1, "OPEN_END": 1})

	// Hours and days of lost seals: the far anchors, made with the keys that the first seals named.
	v, f := takenStream(s.t)
	for _, number := range []uint64{4096, 262144} {
		key, err := keychain.NewKeyPair(f.Random)
		require.NoError(s.t, err)
		f.Chain.Number, f.Chain.Key = number, key
		f.add(f.tip, nil)
	}
	i = v.again(2, "3")
	f.add(f.block(seal.Ranges{{First: 3, Last: 3}}, i), nil)
	s.add("gap-far.jsonl", "seals 2 to 4095 and 4097 to 262143 are gone: the far anchors", v, tampered, 4, 4, verdicts{"MISSING_SEAL": 4094 + 258047, "OPEN_END": 1})

	s.gapSessions()
	s.joins()
}

// gapSessions are gaps in which a session began, or was altogether.
func (s *vectorSet) gapSessions() {
	v := newVectorStream(s.t, "gap").begin()
	v.log(2, true, true, true)
	v.end() // seal 2
	v.cfg.Policy, _ = seal.NewPolicy([]string{"added"}, nil)
	v.begin() // seal 3
	for range 62 {
		v.log(1, true, true, true)
		v.tock()
	}
	v.end() // seal 66
	v.keep([]int{0, 1, 2, 63, 64, 65, 66}, []int{0, 1, 2, 61, 62, 63})
	v.replace(v.record(63), `"attributes":[{"key":"log.file.name"`, `"attributes":[{"key":"added","value":{"intValue":"1"}},{"key":"log.file.name"`)
	s.add("gap-session-start.jsonl", "the open seal and the first blocks of a closed session are gone, and with them what it excludes", v, tampered, 6, 3,
		verdicts{"MISSING_SEAL": 60, "UNSEALED": 1, "LATE": 1, "UNRESOLVED": 1})

	v = newVectorStream(s.t, "gap").begin()
	v.log(2, true, true, true)
	v.end()   // seal 2
	v.begin() // seal 3
	for range 60 {
		v.log(1, true, true, true)
		v.tock()
	}
	v.log(2, true, true, true)
	v.begin() // after a kill: seals 64 and 65
	v.log(1, true, true, true)
	v.end()
	require.Equal(s.t, seal.KindAdopt, v.notes[len(v.notes)-3].Seal.Kind)
	v.keep([]int{0, 1, 2, 64, 65, 66, 67}, []int{0, 1, 2, 62, 63, 64})
	s.add("gap-adopted.jsonl", "all seals of a killed session are gone: it is known by the adopt seal of the next", v, tampered, 6, 5, verdicts{"MISSING_SEAL": 61, "UNSEALED": 1})
}

// joins are streams that somebody rewrote with the key of an anchor, from the first seal on to that.
func (s *vectorSet) joins() {
	for _, fork := range []bool{false, true} {
		v := newVectorStream(s.t, "taken").begin()
		f := v.thief()
		first := v.notes[0]
		f.Rewind(first)
		if fork {
			f.Chain.Prev[0]++
		}
		v.log(1, true, true, true)
		second := v.again(0, "1")
		f.add(f.block(seal.Ranges{{First: 0, Last: 0}}, v.record(0)), nil)
		for f.Number() < 64 {
			f.add(f.tip, nil)
		}
		f.add(f.block(seal.Ranges{{First: 1, Last: 1}}, second), nil)
		name, finding, what := "broken", "BROKEN_CHAIN", "is not signed with the key that seal 0 names"
		if fork {
			name, finding, what = "forked", "FORKED", "does not go on from seal 0"
		}
		s.add("join-"+name+".jsonl", fmt.Sprintf("no seal is missing; but seal 1, which the anchor 64 leads down to, %s", what), v, tampered, 2, 1, verdicts{finding: 1, "LATE": 1, "OPEN_END": 1})
	}
}
