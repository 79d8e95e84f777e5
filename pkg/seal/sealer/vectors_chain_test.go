// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
)

// shortStream is one session, closed: seal 1 over 3 records, seal 2 over 2.
func shortStream(t *testing.T, label string) *vectorStream {
	v := newVectorStream(t, label).begin()
	v.log(3, true, true, true)
	v.tock()
	v.log(2, true, true, true)
	v.end()
	return v
}

// takenStream is a session that runs, with 3 records under seal 1, and somebody who has the host's keys from then on.
func takenStream(t *testing.T) (*vectorStream, *vectorForger) {
	v := newVectorStream(t, "taken").begin()
	v.log(3, true, true, true)
	v.tock()
	return v, v.thief()
}

// vectorForger adds seals to a stream that are signed as they must be, and say what it likes.
type vectorForger struct {
	*forge.Forger
	v   *vectorStream
	pk0 seal.PublicKey
	tip seal.Seal // a heartbeat of the session
}

// thief takes the host's keys as they are now.
func (v *vectorStream) thief() *vectorForger {
	keys, err := LoadKeyFile(&memFile{data: slices.Clone(v.file.data)})
	require.NoError(v.t, err)
	f := &vectorForger{Forger: forge.NewForger(v.file), v: v, pk0: keys.Trust().Key}
	f.Random = &fixedRandom{label: "thief"}
	if len(v.notes) > 0 {
		f.tip = v.bare(v.last())
	}
	return f
}

// bare is a heartbeat at the place of a seal.
func (v *vectorStream) bare(s *seal.Seal) seal.Seal {
	return seal.Seal{StreamID: s.StreamID, Kind: seal.KindHeartbeat, Handle: s.Handle, Nonce: s.Nonce, Time: s.Time.Add(time.Second), Uptime: s.Uptime + time.Second, BootID: s.BootID}
}

func (f *vectorForger) add(s seal.Seal, edit func(*seal.Seal)) { f.v.addNote(f.Seal(s, edit), s.Time) }

// open is an open seal with a nonce of 16 equal bytes.
func (f *vectorForger) open(nonce byte) seal.Seal {
	s := f.tip
	s.Kind, s.Name, s.Key, s.Software, s.Interval, s.Heartbeat = seal.KindOpen, "web-17", f.pk0, "logseal", time.Second, time.Minute
	for i := range s.Nonce {
		s.Nonce[i] = nonce
	}
	s.Handle = seal.NewHandle(&f.pk0, &s.Nonce)
	return s
}

// in is a seal of another kind in the session of an open seal.
func in(open seal.Seal, kind seal.Kind) seal.Seal {
	return seal.Seal{StreamID: open.StreamID, Kind: kind, Handle: open.Handle, Nonce: open.Nonce, Time: open.Time, Uptime: open.Uptime, BootID: open.BootID}
}

// block is a block seal over records that stand in the given lines.
func (f *vectorForger) block(covered seal.Ranges, lines ...int) seal.Seal {
	s := f.tip
	s.Kind, s.Covered = seal.KindBlock, covered
	var leaves []seal.Hash
	for _, i := range lines {
		leaf := f.v.leaf(i)
		leaves = append(leaves, leaf)
		s.Prefixes = append(s.Prefixes, leaf[:2]...)
	}
	s.Groups = seal.AppendGroups(nil, leaves, s.GroupSize())
	return s
}

// leaf is the digest of the record in a line, with nothing excluded.
func (v *vectorStream) leaf(i int) seal.Hash {
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(v.lines[i]))
	require.NoError(v.t, err)
	leaves := make([]seal.Hash, 1)
	var h canonical.Hasher
	require.NoError(v.t, h.Leaves(ld, &seal.Policy{}, leaves))
	return leaves[0]
}

// again adds the n-th record once more under another seq, and returns the line.
func (v *vectorStream) again(n int, seq string) int {
	v.lines = append(v.lines, v.lines[v.record(n)])
	i := len(v.lines) - 1
	id := v.idAt(i)
	handle, _, _ := strings.Cut(id, "-")
	v.replace(i, id, handle+"-"+seq)
	return i
}

// contradictions are streams of a host that was taken: its seals are signed as they must be, and say what no host in order says.
func (s *vectorSet) contradictions() {
	end := func(f *vectorForger, end uint64) seal.Seal {
		c := f.tip
		c.Kind, c.End = seal.KindClose, end
		return c
	}
	adopt := func(open seal.Seal, handle string) seal.Seal {
		a := in(open, seal.KindAdopt)
		a.Adopts, a.Void = handle, seal.Ranges{{First: 30, Last: 30}}
		return a
	}
	for _, c := range []struct {
		name, what string
		seals      func(f *vectorForger)
	}{
		{"size", "a heartbeat whose size is one too many", func(f *vectorForger) { f.add(f.tip, func(s *seal.Seal) { s.Size++ }) }},
		{"root", "a heartbeat with another root than the seal before", func(f *vectorForger) { f.add(f.tip, func(s *seal.Seal) { s.Root[0]++ }) }},
		{"session", "a heartbeat of another session, which it does not open", func(f *vectorForger) { f.add(in(f.open(7), seal.KindHeartbeat), nil) }},
		{"handle", "a heartbeat whose handle is not that of its nonce", func(f *vectorForger) { f.add(f.tip, func(s *seal.Seal) { s.Handle = "aaaaaaaa" }) }},
		{"handle-opened", "a session whose handle is not that of its nonce, in all its seals", func(f *vectorForger) {
			open := f.open(7)
			open.Handle = "aaaaaaaa"
			f.add(open, nil)
		}},
		{"opened-twice", "two open seals of one session, one after the other", func(f *vectorForger) {
			again := f.open(7)
			again.Nonce, again.Handle = f.tip.Nonce, f.tip.Handle
			f.add(again, nil)
		}},
		{"nonce", "an open seal with the nonce of the session before the last", func(f *vectorForger) {
			again := f.open(7)
			f.add(again, nil)
			again.Nonce, again.Handle = f.tip.Nonce, f.tip.Handle
			f.add(again, nil)
		}},
		{"after-close", "a heartbeat after the close seal", func(f *vectorForger) { f.add(end(f, 3), nil); f.add(f.tip, nil) }},
		{"adopt-late", "an adopt seal after a heartbeat", func(f *vectorForger) {
			open := f.open(7)
			f.add(open, nil)
			f.add(in(open, seal.KindHeartbeat), nil)
			f.add(adopt(open, f.tip.Handle), nil)
		}},
		{"adopt-closed", "an adopt seal for a session that was closed", func(f *vectorForger) {
			open := f.open(7)
			f.add(end(f, 3), nil)
			f.add(open, nil)
			f.add(adopt(open, f.tip.Handle), nil)
		}},
		{"adopt-other", "an adopt seal for the session before the one before", func(f *vectorForger) {
			open := f.open(8)
			f.add(f.open(7), nil)
			f.add(open, nil)
			f.add(adopt(open, f.tip.Handle), nil)
		}},
		{"anchor-key", "a heartbeat that names another key for anchor 128 than the seals before", func(f *vectorForger) {
			f.add(f.tip, func(s *seal.Seal) { s.Anchors[1].Key[1]++ })
		}},
		{"void", "a heartbeat that voids a record which a block covers", func(f *vectorForger) { f.add(f.tip, func(s *seal.Seal) { s.Void = seal.Ranges{{First: 2, Last: 2}} }) }},
	} {
		v, f := takenStream(s.t)
		c.seals(f)
		s.add("broken-"+c.name+".jsonl", c.what, v, tampered, 3, 3, verdicts{"BROKEN_CHAIN": 1, "OPEN_END": 1})
	}

	v, f := takenStream(s.t)
	i := v.again(2, "3")
	v.replace(i, "line 2", "line 3")
	f.add(f.block(seal.Ranges{{First: 3, Last: 3}}, i), func(s *seal.Seal) { s.Root[0]++ })
	s.add("broken-block-root.jsonl", "a block seal whose root is not that of the blocks; what it covers stands", v, tampered, 4, 4, verdicts{"BROKEN_CHAIN": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	i = v.again(2, "3")
	f.add(f.block(seal.Ranges{{First: 2, Last: 3}}, i, i), nil)
	s.add("broken-settled-twice.jsonl", "a block seal that covers a record again, with other content, and a new one: it settles neither", v, tampered, 4, 3, verdicts{"BROKEN_CHAIN": 1, "UNSEALED": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	v.again(2, "3")
	f.add(end(f, 4), nil)
	s.add("broken-close-early.jsonl", "a close seal that leaves a seq unsettled, and a record under it", v, tampered, 4, 3, verdicts{"BROKEN_CHAIN": 1, "INSERTED": 1})

	v, f = takenStream(s.t)
	f.add(end(f, 2), nil)
	s.add("broken-close-end.jsonl", "a close seal that ends before the last settled seq", v, tampered, 3, 3, verdicts{"BROKEN_CHAIN": 1})

	v = newVectorStream(s.t, "taken").begin()
	f = v.thief()
	f.add(adopt(f.tip, f.tip.Handle), nil)
	s.add("broken-adopt-first.jsonl", "an adopt seal in the first session, for that session", v, tampered, 0, 0, verdicts{"BROKEN_CHAIN": 1, "OPEN_END": 1})

	v = newVectorStream(s.t, "taken").begin()
	f = v.thief()
	v.lines = nil
	first := newVectorStream(s.t, "taken") // its keys before they were used
	require.NoError(s.t, initKeyFile(first.file, NewStream{Name: "web-17"}, &fixedRandom{label: "taken"}))
	f.Chain = first.thief().Chain
	f.add(f.tip, nil)
	s.add("broken-first-kind.jsonl", "seal 0 is a heartbeat", v, tampered, 0, 0, verdicts{"BROKEN_CHAIN": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	f.add(f.tip, func(s *seal.Seal) { s.Prev[0]++ })
	s.add("bad-prev.jsonl", "a seal with the right signature and another prev is none", v, tampered, 3, 3, verdicts{"BAD_SEAL": 1, "OPEN_END": 1})

	v = newVectorStream(s.t, "fork").begin()
	keys, store := slices.Clone(v.file.data), v.stored()
	v.log(3, true, true, true)
	v.tock()
	v.file.data, v.store.m = keys, store
	v.begin()
	v.lines = append(v.lines, v.lines...)
	s.add("forked-twice.jsonl", "two seals of one number, and every line twice: one fork", v, tampered, 6, 3, verdicts{"FORKED": 1, "OPEN_END": 1}).Repeated = 3
}

// stored copies the host's storage.
func (v *vectorStream) stored() map[string][]byte {
	m := map[string][]byte{}
	for key, value := range v.store.m {
		m[key] = slices.Clone(value)
	}
	return m
}
