// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// hostile is a stream of a host that may lie, and what somebody makes beside it who took keys from the host at some time.
type hostile struct {
	t      *testing.T
	rng    *rand.Rand
	random *rand.ChaCha8
	forger *forge.Forger
	trust  seal.Trust

	archive *lines
	notes   []*seal.Note      // the seals that the host made, by number
	taken   []*keychain.Chain // the host's keys at some seals

	base seal.Seal // a heartbeat of it
	seq  uint64
	rest seal.Ranges // given out and not settled
	now  time.Time
}

// newHostile makes the whole: an archive whose verdict is anybody's guess.
func newHostile(t *testing.T, seed uint64) *hostile {
	var bytes [32]byte
	binary.BigEndian.PutUint64(bytes[:], seed)
	h := &hostile{
		t: t, rng: rand.New(rand.NewPCG(seed, 12)), random: rand.NewChaCha8(bytes),
		archive: &lines{}, now: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC),
	}
	chain, err := keychain.New(h.rng.IntN(3) == 0, h.random)
	require.NoError(t, err)
	h.forger = &forge.Forger{Chain: chain, Random: h.random}
	h.trust = seal.Trust{Name: "web-17", Key: chain.Key.Public}
	if chain.First != nil {
		h.trust.PostQuantum = seal.MLDSAHash(chain.First.Public)
	}
	h.live(60 + h.rng.IntN(100))
	for range h.rng.IntN(3) {
		h.forge()
	}
	for range h.rng.IntN(4) {
		h.damage()
	}
	for range h.rng.IntN(3) {
		h.lose()
	}
	return h
}

func (h *hostile) chance(of int) bool { return h.rng.IntN(of) == 0 }

// live lets the host make seals up to a number.
func (h *hostile) live(last int) {
	lies := h.rng.IntN(3)
	for len(h.notes) <= last {
		n := len(h.notes)
		if h.chance(25) {
			h.taken = append(h.taken, h.forger.Chain.Clone())
		}
		lie := n > 0 && lies > 0 && h.chance(last/2)
		switch {
		case n == 0:
			h.begin(lie)
		case h.chance(40): // ends in order
			h.settleAll(lie)
			s := h.base
			s.Kind, s.End = seal.KindClose, h.seq
			h.make(s, lie)
			h.begin(false)
		case h.chance(40): // is killed
			former, rest := h.base.Handle, h.rest
			h.begin(lie)
			for i, r := range rest {
				if i == 0 || h.chance(2) {
					s := h.base
					s.Kind, s.Adopts = seal.KindAdopt, former
					h.make(h.cover(s, seal.Ranges{r}, former), lie && h.chance(2))
				}
			}
		case h.chance(3):
			h.settleAll(lie)
		default:
			h.record()
			h.make(h.base, lie)
		}
		if lie {
			lies--
		}
	}
}

// begin starts a session.
func (h *hostile) begin(lie bool) {
	s := seal.Seal{StreamID: h.trust.StreamID(), Kind: seal.KindHeartbeat, BootID: [16]byte{byte(1 + h.rng.IntN(2))}, Uptime: time.Hour}
	_, _ = h.random.Read(s.Nonce[:])
	if h.chance(8) && len(h.notes) > 0 {
		s.Nonce = h.base.Nonce // opened twice
	}
	s.Handle = seal.NewHandle(&h.trust.Key, &s.Nonce)
	if s.Handle != h.base.Handle {
		h.seq, h.rest = 0, nil
	}
	h.base = s
	s.Kind, s.Name, s.Key, s.Software, s.Interval, s.Heartbeat = seal.KindOpen, h.trust.Name, h.trust.Key, "test/1", time.Second, time.Minute
	if h.chance(4) {
		s.Exclude = []string{"k8s.*"}
	}
	h.make(s, lie)
}

// record gives out an id, and sends the record as a rule.
func (h *hostile) record() {
	h.rest = h.rest.Add(seal.Range{First: h.seq, Last: h.seq})
	h.line(h.base.Handle, h.seq, !h.chance(12))
	h.seq++
}

// line returns the leaf of the record with an id.
func (h *hostile) line(handle string, seq uint64, send bool) seal.Hash {
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.Body().SetStr(fmt.Sprintf("line %d", seq))
	lr.Attributes().PutStr(seal.IDKey, seal.ID{Handle: handle, Seq: seq}.String())
	one := &lines{}
	one.add(h.t, ld)
	if send {
		h.archive.list = append(h.archive.list, one.list...)
	}
	return one.leafFast(h.t, 0)
}

// cover makes a seal settle ids.
func (h *hostile) cover(s seal.Seal, ids seal.Ranges, handle string) seal.Seal {
	if h.chance(6) {
		s.Void = ids
		return s
	}
	var leaves []seal.Hash
	for _, r := range ids {
		for seq := r.First; seq <= r.Last; seq++ {
			leaves = append(leaves, h.line(handle, seq, false))
		}
	}
	s.Doubt = s.Kind == seal.KindAdopt && h.chance(2)
	s = cover(s, ids, leaves)
	if s.Doubt {
		s.Prefixes = nil
	}
	return s
}

// settleAll makes a block of what is not settled.
func (h *hostile) settleAll(lie bool) {
	h.record()
	s := h.base
	s.Kind = seal.KindBlock
	ids := h.rest
	if lie && h.seq > 2 {
		ids = ids.Add(seal.Range{First: 0, Last: 0}) // again, maybe
	}
	s = h.cover(s, ids, s.Handle)
	if len(s.Covered) == 0 {
		s.Kind = seal.KindHeartbeat
	}
	h.make(s, lie && h.chance(2))
	h.rest = nil
}

// make makes the next seal of the host.
func (h *hostile) make(s seal.Seal, lie bool) {
	h.now = h.now.Add(time.Second)
	s.Time = h.now
	body := h.forger.Seal(s, func(s *seal.Seal) {
		if lie {
			h.lie(s)
		}
	})
	note, err := seal.ParseNote(body)
	require.NoError(h.t, err)
	h.notes = append(h.notes, note)
	h.archive.addNote(h.t, body)
}

// lie changes what a seal says before it is signed.
func (h *hostile) lie(s *seal.Seal) {
	switch h.rng.IntN(6) {
	case 0:
		s.Size++
	case 1:
		s.Root[0]++
	case 2, 3: // the next seals name the key as before
		s.Anchors = slices.Clone(s.Anchors)
		s.Anchors[h.rng.IntN(len(s.Anchors))].Key[1]++
	case 4:
		if s.Kind != seal.KindOpen {
			s.Nonce[0]++
		}
	case 5:
		if s.Kind == seal.KindAdopt {
			s.Adopts = "aaaaaaaa"
		}
	}
}

// forge makes what somebody can make who took the host's keys at some time.
func (h *hostile) forge() {
	if len(h.taken) == 0 {
		return
	}
	f := &forge.Forger{Chain: h.taken[h.rng.IntN(len(h.taken))].Clone(), Random: h.random}
	from := int(f.Number())
	s := *h.notes[max(from-1, 0)].Seal
	if from == 0 || s.Kind == seal.KindClose {
		return
	}
	s = seal.Seal{StreamID: s.StreamID, Kind: seal.KindHeartbeat, Handle: s.Handle, Nonce: s.Nonce, BootID: s.BootID, Uptime: s.Uptime, Time: s.Time.Add(time.Millisecond)}
	seals := func(until uint64) {
		for f.Number() <= until {
			h.archive.addNote(h.t, f.Seal(s, nil))
		}
	}
	anchor := seal.AnchorsAfter(uint64(from - 1))[h.rng.IntN(2)]
	if int(anchor) >= len(h.notes) {
		return
	}
	switch kind := h.rng.IntN(5); kind {
	case 0: // goes on with all keys
		seals(f.Number() + uint64(h.rng.IntN(8)))
	case 1, 2: // the anchor alone, with its key and another of its own
		key, err := keychain.NewKeyPair(h.random)
		require.NoError(h.t, err)
		before := h.notes[anchor-1]
		f.Chain.Number, f.Chain.Key, f.Chain.Prev = anchor, key, before.TextHash()
		if kind == 2 {
			f.Chain.Prev[0]++
		}
		s.Handle, s.Nonce = before.Seal.Handle, before.Seal.Nonce
		h.archive.addNote(h.t, f.Seal(s, func(s *seal.Seal) {
			s.Size, s.Root = before.Seal.Size, before.Seal.Root
			if h.chance(2) {
				s.Anchors = h.notes[anchor].Seal.Anchors
			}
		}))
		if h.chance(2) {
			seals(anchor + uint64(h.rng.IntN(5)))
		}
	default: // all again from a seal on to the anchor
		f.Rewind(h.notes[max(int(anchor)-1-h.rng.IntN(20), from-1)])
		if kind == 3 {
			f.Chain.Prev[0]++
		}
		seals(anchor + uint64(h.rng.IntN(3)))
	}
}

// someSeal returns the index of a line with a seal: an anchor, or near one, as a rule.
func (h *hostile) someSeal() int {
	for {
		i := h.rng.IntN(len(h.archive.list))
		if !h.archive.isSeal(i) {
			continue
		}
		if number := h.archive.note(h.t, i).Seal.Number; (number+2)%64 < 4 || h.chance(20) {
			return i
		}
	}
}

// damage changes signatures of a seal, in place or in a copy.
func (h *hostile) damage() {
	i := h.someSeal()
	line := h.archive.list[i]
	for range 1 + h.rng.IntN(2) {
		body, signatures, _ := strings.Cut(line, `\n\n— `)
		list := strings.Split(strings.TrimSuffix(signatures, signatures[strings.LastIndex(signatures, `\n`):]), `\n— `)
		tail := signatures[strings.LastIndex(signatures, `\n`):]
		j := h.rng.IntN(len(list))
		switch {
		case h.chance(3) && len(list) > 1:
			list = slices.Delete(list, j, j+1)
		case h.chance(2):
			at := len(list[j]) - 10 - h.rng.IntN(20)
			list[j] = list[j][:at] + string("AB"[h.rng.IntN(2)]) + list[j][at+1:]
		default:
			h.rng.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
		}
		line = body + `\n\n— ` + strings.Join(list, `\n— `) + tail
	}
	switch h.rng.IntN(3) {
	case 0:
		h.archive.list[i] = line
	case 1:
		h.archive.list = append(h.archive.list, line)
	case 2:
		h.archive.list = append(h.archive.list, line, line)
	}
}

// lose drops a run of seals.
func (h *hostile) lose() {
	number := h.archive.note(h.t, h.someSeal()).Seal.Number
	first := number - uint64(h.rng.IntN(int(min(number, 30))+1))
	last := first + uint64(h.rng.IntN(12))
	if h.chance(2) {
		last = first
	}
	kept := &lines{}
	for i, line := range h.archive.list {
		if h.archive.isSeal(i) {
			if number := h.archive.note(h.t, i).Seal.Number; first <= number && number <= last && number > 0 {
				continue
			}
		}
		kept.list = append(kept.list, line)
	}
	h.archive = kept
}
