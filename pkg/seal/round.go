// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A round makes one or more seals with four writes, of which each can be the last
// before a crash:
//
//  1. the chain after the round goes into the key file's free slot;
//  2. the seals, and the state after them, go into the store, as one transaction;
//  3. the key file's other slot, with the keys that signed, is overwritten;
//  4. the seals are sent.
//
// A crash before 2 leaves the chain as it was: the store's state says which slot
// counts. After 2 the seals are there to be sent at the next start. Nothing is
// sent while a key that signed it is on the disk.
type round struct {
	drafts []draft
	state  state    // after the round, but for what only its seals tell
	dead   []uint64 // chunks that are not needed after it

	stage int    // writes that are done
	after *chain // from 1 on, as what follows
	seals []storedSeal
	ops   []*Op
}

// draft is a seal to be made, and the leaves it covers.
type draft struct {
	Seal
	leaves []Hash
}

// take moves what is settled out of the Sealer, into a round that seals it.
// s.sealing is held.
func (s *Sealer) take() *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	batches, void := s.settled, s.void
	slices.SortFunc(batches, func(a, b *Batch) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	gone := slices.Clone(void)
	for _, b := range batches {
		s.releaseChunk(b.chunk)
		gone = gone.Add(b.seqs())
	}
	for _, r := range gone {
		s.open = s.open.Remove(r)
	}
	r := &round{drafts: blocks(batches, void), dead: s.dead}
	r.state = state{nonce: s.nonce, seqEnd: s.nextSeq, open: slices.Clone(s.open), chunk: s.nextChunk}
	r.state.chunks = slices.Sorted(maps.Keys(s.chunks))
	s.unsealed -= s.settledLen
	s.settled, s.settledLen, s.void, s.dead = nil, 0, nil, nil
	// Whatever the store does not know of yet, the round settles.
	s.newSent, s.newVoid = nil, nil
	s.lastRound = s.cfg.Clock().Uptime
	return r
}

// releaseChunk notes that one batch of a chunk is settled. s.mu is held.
func (s *Sealer) releaseChunk(n uint64) {
	if s.chunks[n]--; s.chunks[n] == 0 {
		delete(s.chunks, n)
		s.dead = append(s.dead, n)
	}
}

// blocks returns the seals that cover batches, which are in seq order: blocks of at
// most MaxBlock leaves. Voids go with them, and with heartbeats if there are more.
func blocks(batches []*Batch, void Ranges) []draft {
	var drafts []draft
	var d draft
	flush := func() {
		if len(d.leaves) > 0 {
			d.Kind = KindBlock
			drafts = append(drafts, d)
			d = draft{}
		}
	}
	for _, b := range batches {
		first, leaves := b.first, b.leaves
		for len(leaves) > 0 {
			n := min(MaxBlock-len(d.leaves), len(leaves))
			d.Covered = d.Covered.Add(Range{first, first + uint64(n) - 1})
			d.leaves = append(d.leaves, leaves[:n]...)
			first, leaves = first+uint64(n), leaves[n:]
			if len(d.leaves) == MaxBlock {
				flush()
			}
		}
	}
	flush()
	return spreadVoid(drafts, void, draft{Seal: Seal{Kind: KindHeartbeat}})
}

// spreadVoid gives each seal as many ranges of void as it may have, and adds
// copies of extra for the rest.
func spreadVoid(drafts []draft, void Ranges, extra draft) []draft {
	for i := 0; len(void) > 0; i++ {
		if i == len(drafts) {
			drafts = append(drafts, extra)
		}
		n := min(maxVoidRanges, len(void))
		drafts[i].Void, void = void[:n:n], void[n:]
	}
	return drafts
}

// prepare completes and signs the round's seals, and puts the chain after them
// into the key file's free slot. s.sealing is held.
func (s *Sealer) prepare(r *round) error {
	now := s.cfg.Clock()
	last := s.chain
	chains := make([]*chain, len(r.drafts))
	texts := make([]string, len(r.drafts))
	for i := range r.drafts {
		d := &r.drafts[i]
		d.StreamID, d.Handle, d.Nonce = s.streamID, s.handle, s.nonce
		d.Time, d.Uptime, d.BootID = now.Time.UTC(), now.Uptime.Truncate(time.Millisecond), now.BootID
		text, after, err := last.next(&d.Seal, d.block(), s.cfg.random)
		if err != nil {
			return err
		}
		chains[i], texts[i], last = last, text, after
	}
	if err := s.cfg.Keys.write(1-s.slot, last); err != nil {
		return err
	}
	// From here on the keys of this round are overwritten as they are used.
	r.stage, r.after = 1, last
	for i, c := range chains {
		note := string(c.sign(texts[i], originPrefix+s.streamID))
		r.seals = append(r.seals, storedSeal{c.number, now.Time, note})
		r.ops = append(r.ops, &Op{Kind: OpSet, Key: s.sealKey(c.number), Value: []byte(note)})
	}
	for _, n := range r.dead {
		r.ops = append(r.ops, &Op{Kind: OpDelete, Key: s.chunkKey(n)})
	}
	r.state.next = last.number
	r.ops = append(r.ops, s.markSent(&r.state, r.seals)...)
	return nil
}

// block fills in what stands for the leaves, and returns the block's root, or nil
// if there is no block.
func (d *draft) block() *Hash {
	if len(d.leaves) == 0 {
		return nil
	}
	d.Groups = AppendGroups(nil, d.leaves, d.GroupSize())
	d.Prefixes = nil
	if !d.Doubt {
		for i := range d.leaves {
			d.Prefixes = append(d.Prefixes, d.leaves[i][0], d.leaves[i][1])
		}
	}
	root := Root(d.Groups)
	return &root
}

// markSent returns the operations that store st with the seals that are not sent
// yet, those of added included, and remove the ones that are.
func (s *Sealer) markSent(st *state, added []storedSeal) []*Op {
	st.unsent = nil
	for _, list := range [][]storedSeal{s.unsent, added} {
		for _, stored := range list {
			st.unsent = st.unsent.Add(Range{stored.number, stored.number})
		}
	}
	var ops []*Op
	for _, n := range s.sent {
		ops = append(ops, &Op{Kind: OpDelete, Key: s.sealKey(n)})
	}
	s.sent = nil
	return append(ops, &Op{Kind: OpSet, Key: s.stateKey(), Value: st.marshal()})
}

// finish does the writes of the round that was begun. A write that fails is done
// again by the next call: whether it took effect is not known. Once the seals
// are signed they are stored as they are, whatever it takes. s.sealing is held.
func (s *Sealer) finish(ctx context.Context) error {
	r := s.round
	if r == nil {
		return nil
	}
	if r.stage == 0 {
		if err := s.prepare(r); err != nil {
			return fmt.Errorf("the key file cannot be written: %w", err)
		}
	}
	if r.stage == 1 {
		if err := s.cfg.Store.Batch(ctx, r.ops...); err != nil {
			return fmt.Errorf("storage cannot be written: %w", err)
		}
		r.stage = 2
	}
	if err := s.cfg.Keys.erase(s.slot); err != nil {
		return fmt.Errorf("the key file cannot be written: %w", err)
	}
	s.slot, s.chain, s.round, s.state = 1-s.slot, r.after, nil, r.state
	s.unsent = append(s.unsent, r.seals...)
	s.mu.Lock()
	s.stats.Seals += uint64(len(r.seals))
	s.stats.Unsent = len(s.unsent)
	s.mu.Unlock()
	return nil
}
